"""A flow rehearsed without a conversation: inputs in, the transcript out. Nothing is written, nobody is asked, no time passes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from services.messaging.flows import engine
from services.messaging.flows.facts import Facts
from services.messaging.flows.play import (
    AssignmentWanted,
    FieldKept,
    FieldSet,
    FlowStuck,
    OutOfHours,
    Pause,
    Play,
    Say,
    Step,
    TicketWanted,
)
from services.messaging.flows.steps import Steps, finish
from services.messaging.flows.templates import Value

Flow = Mapping[str, Any]
Input = Mapping[str, str | None]
State = Literal["waiting", "assigned", "closed", "ended"]

MAX_INPUTS: Final = 100
# A transcript of this size takes no further input, nor one that took so many blocks and comparisons.
MAX_LINES: Final = 1_000
MAX_CHARACTERS: Final = 200_000
MAX_WORK: Final = 10_000


def simulate(flow: Flow, inputs: Sequence[Input], *, fields: Mapping[str, Value], facts: Facts) -> dict[str, Any]:
    """Play the flow from its start with the visitor's inputs, `{text}` or `{choice}` each (a pressed button's value).

    Answers `{transcript: [{author: bot | visitor | system, text, choices, block}], fields, state: waiting | assigned | closed |
    ended, block, unused_inputs}`. Delays pass at once; an assign block finds somebody as `facts.is_available` says.
    """
    return finish(simulate_in_steps(flow, inputs, fields=fields, facts=facts))


def simulate_in_steps(flow: Flow, inputs: Sequence[Input], *, fields: Mapping[str, Value], facts: Facts) -> Steps[dict[str, Any]]:
    """`simulate`, turn by turn."""
    rehearsal = _Rehearsal(flow, facts, Play(dict(fields)))
    yield from rehearsal.begin()
    used = 0
    for given in inputs:
        if rehearsal.state != "waiting" or rehearsal.is_full():
            break
        yield from rehearsal.hear(given)
        used += 1
    return {
        "transcript": rehearsal.lines,
        "fields": rehearsal.play.fields,
        "state": rehearsal.state,
        "block": rehearsal.play.at,
        "unused_inputs": len(inputs) - used,
    }


@dataclass
class _Rehearsal:
    flow: Flow
    facts: Facts
    play: Play
    state: State = "waiting"
    turns: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)
    characters: int = 0
    work: int = 0

    def is_full(self) -> bool:
        return len(self.lines) >= MAX_LINES or self.characters >= MAX_CHARACTERS or self.work >= MAX_WORK

    def begin(self) -> Steps[None]:
        fields = self.play.fields
        yield from self._go_on(lambda: engine.enter(self.flow, self.flow["start"], fields, facts=self.facts))

    def hear(self, given: Input) -> Steps[None]:
        at, text, choice = self.play.at or "", given.get("text"), given.get("choice")
        options = self.flow["blocks"].get(at, {}).get("options", ())
        label = next((option["label"] for option in options if option["value"] == choice), choice)
        self._add("visitor", text or label or "", at)
        fields, tries = self.play.fields, self.play.tries
        yield from self._go_on(lambda: engine.answer(self.flow, at, fields, text or "", choice, tries=tries, facts=self.facts))

    def _go_on(self, turn: Callable[[], Play]) -> Steps[None]:
        """Play until a turn needs the visitor or nothing follows, or the transcript is full."""
        try:
            yield from self._play_through(turn)
        except FlowStuck as stuck:
            self._add("system", f"Can't go on, so a human is asked: {stuck}.", self.play.at)
            self.state = "assigned"

    def _play_through(self, turn: Callable[[], Play] | None) -> Steps[None]:
        for _ in range(engine.MAX_STEPS):
            if turn is None:
                return
            if self.characters >= MAX_CHARACTERS:
                self._add("system", "The transcript is full and ends here.", self.play.at)
                return
            self.play = turn()
            self.work += self.play.work
            yield
            self.turns += 1
            for step in self.play.steps:
                self._show(step)
            turn = self._find_next_turn()
        raise FlowStuck("the flow goes round without waiting")

    def _find_next_turn(self) -> Callable[[], Play] | None:
        """What happens without the visitor; None, and the new state, when nothing does."""
        play, wanted = self.play, self.play.assignment
        if play.delay is not None:
            at = play.at or ""
            return lambda: engine.resume(self.flow, at, play.fields, facts=self.facts)
        if wanted is not None and wanted.unavailable != "wait" and not self.facts.is_available(wanted.agents, wanted.team):
            self._add("system", f"Nobody is available: goes on at {wanted.unavailable}.", play.at)
            return lambda: engine.enter(self.flow, wanted.unavailable, play.fields, facts=self.facts)
        if play.gave_up:
            self._add("system", "Too many wrong answers: a human is asked.", play.at)
        if wanted is not None or play.gave_up:
            self.state = "assigned"
        elif play.close and self.turns > 1:  # a conversation never begins archived: nobody could write into it
            self.state = "closed"
        else:
            self.state = "ended" if play.at is None else "waiting"
        return None

    def _show(self, step: Step) -> None:
        if isinstance(step.what, Say):
            self._add("bot", step.what.text, step.block, step.what.choices)
        else:
            self._add("system", _describe(step.what), step.block)

    def _add(self, author: str, text: str, block: str | None, choices: list[dict[str, str]] | None = None) -> None:
        self.lines.append({"author": author, "text": text, "choices": choices, "block": block})
        self.characters += len(text)


def _describe(what: AssignmentWanted | TicketWanted | FieldSet | FieldKept | Pause | OutOfHours) -> str:
    match what:
        case AssignmentWanted():
            return f"Asks for an agent: {_describe_wish(what)}."
        case TicketWanted(subject, description):
            return f"Opens a ticket: {subject}" + (f"\n{description}" if description else "")
        case FieldSet(name, None):
            return f"Clears {name}."
        case FieldSet(name, value):
            return f"Sets {name} to {json.dumps(value, ensure_ascii=False)}."
        case FieldKept(name):
            return f"Leaves {name} as it is: the new value is not usable."
        case Pause(seconds):
            return f"Waits for {seconds} s."
        case OutOfHours(following):
            return f"Outside business hours: goes on at {following}."


def _describe_wish(wanted: AssignmentWanted) -> str:
    among = [f"team {wanted.team}"] if wanted.team else []
    among += [f"agents {' '.join(wanted.agents)}"] if wanted.agents else []
    return ", ".join([wanted.strategy, *among, f"priority {wanted.priority}"])
