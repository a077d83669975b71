"""The counter: who wants something of the desk is served one after the other, and in one turn with those who came meanwhile.

A turn costs some ten round trips, whatever is decided in it, and only one is under way. So commands that came while one was share the
next: each is followed by serving the line, as in a turn of its own, on what those before it left. When one of them fails none was
decided, and each half takes a turn, down to the one that fails by itself: what is refused is refused on what was committed.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import NamedTuple, Protocol, TypeVar

from pymongo.client_session import ClientSession
from pymongo.errors import ExecutionTimeout, PyMongoError

from services.assignment.desk import Desk
from services.assignment.metrics import count_turn
from services.assignment.takers import Takers
from services.assignment.turns import Books, Turn
from services.common.envelope import Origin
from services.common.grouping import Grouped
from services.common.store import TRANSACTION_SECONDS

R = TypeVar("R")
Work = Callable[[Turn, Desk], None]

TOGETHER = 50  # commands in one turn, so that it stays a short one


class Command(NamedTuple):
    """What is to be decided, the conversations whose assignments it looks at, and what the events of it come of."""

    decide: Work
    conversation_ids: Sequence[str] = ()
    origin: Origin = Origin()


class Store(Books, Protocol):
    """The store, as the counter needs it."""

    def transaction(self, work: Callable[[ClientSession], R]) -> R:
        """Run `work` in a transaction; it may run several times."""


class Counter:
    """One per process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._takers = Takers(store.database)
        # Turns of one process would only undo each other.
        self._lock = threading.Lock()
        self._decide: Grouped[Command, Desk] = Grouped(self._decide_group, TOGETHER)

    def decide(self, command: Command) -> Desk:
        """Have it decided, with others that wait. Returns the desk after the turn; raises what the command does."""
        return self._decide(command)

    def decide_alone(self, command: Command) -> Desk:
        """Have it decided by a turn of its own, for what looks at the database beside the desk."""
        return self._take_turns([command])

    def _decide_group(self, commands: Sequence[Command]) -> list[Desk | Exception]:
        outcomes: list[Desk | Exception] = []
        try:
            for together in part(commands):
                outcomes.extend(self._decide_together(together))
        except PyMongoError as error:  # the others would wait as long for the same
            outcomes += [error] * (len(commands) - len(outcomes))
        return outcomes

    def _decide_together(self, commands: Sequence[Command]) -> Iterator[Desk | Exception]:
        try:
            desk = self._take_turns(commands)
        except PyMongoError:
            raise
        except Exception as error:  # noqa: BLE001 - the one whose command it is raises it
            if len(commands) == 1:
                yield error
            else:
                middle = len(commands) // 2
                yield from self._decide_together(commands[:middle])
                yield from self._decide_together(commands[middle:])
        else:
            yield from [desk] * len(commands)

    def _take_turns(self, commands: Sequence[Command]) -> Desk:
        desk, more = self._take_turn(commands)
        while more:
            _, more = self._take_turn([Command(lambda _, __: None, origin=commands[-1].origin)])
        return desk

    def _take_turn(self, commands: Sequence[Command]) -> tuple[Desk, bool]:
        attempts = count()
        watch = self._takers.watch()
        conversation_ids = [key for command in commands for key in command.conversation_ids]

        def attempt(session: ClientSession) -> tuple[Desk, bool]:
            if next(attempts):
                watch.look(session)
            self._takers.note(session)
            turn = Turn(self._store, session)
            desk = turn.open(conversation_ids)
            read = turn.reader(desk)
            more = False
            for command in commands:
                command.decide(turn, desk)
                more = desk.drain(read)
                turn.attribute(command.origin, desk)
            turn.close(desk)
            return desk, more

        if not self._lock.acquire(timeout=TRANSACTION_SECONDS):
            raise ExecutionTimeout("no turn in time")
        try:
            desk, more = self._store.transaction(attempt)
        finally:
            self._lock.release()
        count_turn(desk)
        return desk, more


def part(commands: Sequence[Command]) -> Iterator[list[Command]]:
    """The commands in their order, no two about one conversation together: each is told of, and has a version."""
    together: list[Command] = []
    about: set[str] = set()
    for command in commands:
        if not about.isdisjoint(command.conversation_ids):
            yield together
            together, about = [], set()
        together.append(command)
        about.update(command.conversation_ids)
    if together:
        yield together
