"""All dialogues of a run, some at a time, and what came of them."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from deploy.replay.dialogues import Dialogue
from deploy.replay.ledger import judge, measure_latencies
from deploy.replay.play import Play
from deploy.replay.stage import Stage


@dataclass
class Totals:
    """What the report shows; times in seconds."""

    dialogues: int
    played: int
    messages: int
    seconds: float
    latencies: list[float]
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    resets: int = 0
    reconnects: int = 0
    retries: int = 0
    throttled: int = 0
    retried_for: dict[str, int] = field(default_factory=dict)
    failures: dict[str, list[str]] = field(default_factory=dict)

    @property
    def proven(self) -> bool:
        """Every transcript equals its input, and every stream saw each of its events exactly once."""
        return self.played == self.dialogues and not self.failures and not self.resets


class Performance:
    """Plays the dialogues on the stage, `concurrency` at a time: each once, or round and round for some `seconds`."""

    def __init__(self, stage: Stage, dialogues: list[Dialogue], concurrency: int, *, seconds: float | None = None) -> None:
        self._stage = stage
        self._seconds = seconds
        self._length = len(dialogues)
        self._waiting = enumerate(_rounds(dialogues) if seconds else dialogues)
        self._taking = threading.Lock()
        self._plays: list[Play] = []
        self._began = time.perf_counter()
        self._ended = self._began
        workers = concurrency if seconds else min(concurrency, self._length)
        self._workers = [threading.Thread(target=self._work, name=f"play-{n}", daemon=True) for n in range(workers)]

    def run(self, on_progress: Callable[[int], None]) -> None:
        """Return when all are played or the run is stopped; `on_progress` gets the number of dialogues played so far."""
        self._began = time.perf_counter()
        for worker in self._workers:
            worker.start()
        for worker in self._workers:
            while worker.is_alive() and not self._stage.gateway.stop.is_set():
                worker.join(0.2)
                on_progress(self._count_played())
        self._ended = time.perf_counter()
        on_progress(self._count_played())
        for worker in self._workers:
            worker.join(1.0)

    def total(self) -> Totals:
        """Judge what was played."""
        streams = [agent.stream for agent in self._stage.agents] + [play.visitor.stream for play in self._plays]
        inboxes = [agent.inbox for agent in self._stage.agents] + [play.visitor.inbox for play in self._plays]
        totals = Totals(
            dialogues=len(self._plays) if self._seconds else self._length,
            played=self._count_played(),
            messages=sum(len(play.record.turns) for play in self._plays),
            seconds=self._ended - self._began,
            latencies=[],
            resets=sum(inbox.resets for inbox in inboxes),
            reconnects=sum(stream.reconnects for stream in streams),
            retries=self._stage.gateway.retries,
            throttled=self._stage.gateway.throttled,
            retried_for=dict(self._stage.gateway.reasons),
        )
        for play in self._plays:
            play.collect()
            totals.latencies += measure_latencies(play.record)
            if not play.record.finished:
                continue
            verdict = judge(play.record)
            totals.lost += verdict.lost
            totals.doubled += verdict.doubled
            totals.out_of_order += verdict.out_of_order
            if verdict.reasons:
                totals.failures[play.record.dialogue.id] = verdict.reasons
        return totals

    def _count_played(self) -> int:
        return sum(play.record.finished for play in self._plays)

    def _work(self) -> None:
        while not self._stage.gateway.stop.is_set():
            if self._seconds and time.perf_counter() - self._began > self._seconds:
                return
            with self._taking:
                number, dialogue = next(self._waiting, (0, None))
            if dialogue is None:
                return
            play = Play(self._stage, dialogue, number)
            self._plays.append(play)
            play.run()


def _rounds(dialogues: list[Dialogue]) -> Iterator[Dialogue]:
    for number in itertools.count(1):
        for dialogue in dialogues:
            yield replace(dialogue, id=f"{dialogue.id}#{number}")
