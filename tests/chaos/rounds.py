"""One round, and a run of many: which fault comes when follows from the seed alone."""

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import amqp
from pymongo.errors import PyMongoError

from tests.chaos.checker import check, check_messages
from tests.chaos.clients import Refused, Unanswered
from tests.chaos.faults import Fault
from tests.chaos.looking import ask, look, read_said
from tests.chaos.product import ChaosProduct, labels
from tests.chaos.stored import Stored
from tests.chaos.violation import Violation
from tests.chaos.witness import watch_all
from tests.chaos.world import Ended, World
from tests.load import machine

BEFORE = (1.0, 2.5)  # seconds of load before the fault, at random: it strikes at no moment in particular
AFTER = 1.0
RECOVERY_SECONDS = 60.0
QUIET_SECONDS = 60.0
SETTLING_SECONDS = 45.0
LOOK_PAUSE = 0.2


@dataclass
class Round:
    """What came of one."""

    number: int
    fault: str
    notes: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    told: dict[str, int] = field(default_factory=dict)
    events: int = 0
    resets: int = 0
    recovery: float | None = None  # from the fault's end until every kind of request succeeds at every gateway
    first_success: float | None = None  # from the fault's beginning until any request that began after it succeeded
    settled: float | None = None  # from the end of the load until nothing was left to do
    slowest: float = 0.0  # of the requests that were answered, whatever the answer
    seconds: float = 0.0
    violations: list[Violation] = field(default_factory=list)


def plan(faults: Sequence[str], rounds: int, seed: int) -> list[str]:
    """The faults of a run: each as often as the others, in an order of the seed."""
    names: list[str] = []
    chance = random.Random(seed)
    while len(names) < rounds:
        turn = list(faults)
        chance.shuffle(turn)
        names += turn[: rounds - len(names)]
    return names


def play(world: World, fault: Fault, number: int, seed: int, *, settling: float = SETTLING_SECONDS) -> Round:
    """One round. Raises Ended."""
    result = Round(number, fault.name)
    began = time.monotonic()
    world.random = random.Random(f"{seed}/{number}/{fault.name}")
    world.notes = result.notes
    world.crowd.resume()
    world.wait(world.random.uniform(*BEFORE))
    struck = world.history.clock()
    try:
        fault.apply(world)
        world.wait(fault.seconds)
    finally:
        healed = world.history.clock()
        fault.heal(world)
    recovery = watch_all(world.witnesses, healed, RECOVERY_SECONDS)
    world.wait(AFTER)
    result.recovery = recovery.seconds
    if recovery.missing:
        what = f"after {RECOVERY_SECONDS:g} s there was no success yet: {', '.join(recovery.missing)}"
        result.violations.append(Violation("stuck", "recovery", what))
    busy = world.crowd.quiesce(QUIET_SECONDS)
    quiet = world.history.clock()
    stored, violations = settle(world, settling, resets_allowed=fault.resets)
    if not violations:
        result.settled = world.history.clock() - quiet
    result.violations += violations
    result.violations += [Violation("stuck", who, f"was not answered within {QUIET_SECONDS:g} s") for who in busy]
    result.violations += _ended(world)
    _conclude(world, result, struck, stored)
    result.seconds = time.monotonic() - began
    return result


def settle(world: World, seconds: float, *, resets_allowed: bool) -> tuple[Stored, list[Violation]]:
    """Look and check until nothing is wrong, or for so many seconds; the last look, and what it found wrong."""
    deadline = world.history.clock() + seconds
    stored = Stored()
    while True:
        try:
            stored = look(world.product, world.history)
            violations = check(world.history, stored, resets_allowed=resets_allowed)
            if not violations:
                ask(world.crowd.agents[0], stored)
                violations = check(world.history, stored, resets_allowed=resets_allowed)
        except (PyMongoError, OSError, amqp.exceptions.AMQPError, Refused, Unanswered) as error:
            violations = [Violation("stuck", "look", f"{type(error).__name__}: {error}")]
        if not violations or world.history.clock() > deadline:
            return stored, violations
        world.wait(LOOK_PAUSE)


def _ended(world: World) -> list[Violation]:
    """Processes that are not there any more, though nobody has killed them since, and what the load itself could not bear."""
    gone = [label for label in (*labels(), "broker", "database") if not world.product.process(label).running]
    found = [Violation("stuck", label, f"ended by itself with {world.product.process(label).returncode}") for label in gone]
    found += [Violation("stuck", "load", sentence) for sentence in world.crowd.broken]
    world.crowd.broken.clear()
    return found


def _conclude(world: World, result: Round, struck: float, stored: Stored) -> None:
    history = world.history
    result.outcomes = history.outcomes()
    result.codes = Counter(f"{each.status} {each.code}".strip() for each in history.attempts if not each.confirmed)
    result.slowest = max((each.ended - each.began for each in history.attempts if each.status), default=0.0)
    result.told = history.tally()
    result.events = sum(len(seen.arrivals) for seen in history.streams)
    result.resets = sum(seen.resets for seen in history.streams)
    first = history.first_success_after(struck)
    result.first_success = None if first is None else first - struck
    finished = [key for key, conversation in stored.conversations.items() if conversation.status == "archived"]
    history.settle({key: conversation.last_seq for key, conversation in stored.conversations.items()}, finished)
    world.crowd.refresh()


@dataclass
class Run:
    """Plays rounds, on products of their own where a fault wants that, and on a fresh one after a round in which something was wrong."""

    seed: int
    say: Callable[[str], None]
    done: Callable[[Round], None]
    settling: float = SETTLING_SECONDS
    rate: float = 30.0
    visitors: int = 14
    rounds: list[Round] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    products: int = 0
    versions: dict[str, Any] = field(default_factory=dict)

    def play_all(self, names: Sequence[str], faults: Mapping[str, type[Fault]]) -> None:
        """Those that share a product first, the others kind by kind."""
        numbered = list(enumerate(names, 1))
        shared = [(number, name) for number, name in numbered if not faults[name].own_product]
        self._play_on(shared, {name: faults[name]() for name in dict.fromkeys(name for _, name in shared)})
        for name in dict.fromkeys(name for name in names if faults[name].own_product):
            self._play_on([each for each in numbered if each[1] == name], {name: faults[name]()})

    def _play_on(self, todo: list[tuple[int, str]], faults: Mapping[str, Fault]) -> None:
        for name, fault in faults.items():
            if reason := fault.why_not():
                self.skipped[name] = reason
                self.say(f"{name} is left out: {reason}")
        todo = [each for each in todo if each[1] not in self.skipped]
        while todo:
            todo = self._play_on_one(todo, faults)

    def _play_on_one(self, todo: list[tuple[int, str]], faults: Mapping[str, Fault]) -> list[tuple[int, str]]:
        """Rounds on one product until one goes wrong; those that are left."""
        self.products += 1
        folder = Path(tempfile.mkdtemp(prefix=f"foyer-chaos-{self.products}-"))
        product = ChaosProduct(folder)
        preparing = [faults[todo[0][1]]] if faults[todo[0][1]].own_product else []
        world: World | None = None
        wrong = True
        try:
            for fault in preparing:
                fault.prepare(product)
            product.start()
            self.versions = machine.versions(product)
            world = World(product, self.say)
            world.open(rate=self.rate, visitors=self.visitors)
            while todo:
                number, name = todo.pop(0)
                self.say(f"round {number}: {name}")
                played = self._play(world, faults[name], number)
                self.rounds.append(played)
                self.done(played)
                if played.violations:
                    return todo
            last = self._check_whole(world)
            wrong = bool(last)
            if last:
                self.rounds[-1].violations += last
        finally:
            if world is not None:
                world.close()
            product.stop()
            for fault in preparing:
                fault.clear(product)
            if wrong:
                self.say(f"the logs are in {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)
        return todo

    def _play(self, world: World, fault: Fault, number: int) -> Round:
        """A round; one that could not be played to its end is told of as well."""
        try:
            return play(world, fault, number, self.seed, settling=self.settling)
        except Ended:
            raise
        except Exception as error:  # a part that doesn't start, mostly
            what = f"it could not be played to its end: {type(error).__name__}: {error}"
            return Round(number, fault.name, world.notes, violations=[Violation("stuck", "round", what)])

    def _check_whole(self, world: World) -> list[Violation]:
        """Once more everything that was confirmed since this product's beginning: nothing was lost by a later round."""
        said = world.history.all_said
        stored = read_said(world.product, sorted({each.conversation_id for each in said}))
        return list(check_messages(said, stored))


__all__ = ["Ended", "Round", "Run", "plan", "play"]
