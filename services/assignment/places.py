"""Where everybody stands in line as a turn leaves it, and how long they will wait: what is written and told of it.

Read as little of the line as serves: nothing when nobody waits, a count where one joins far back, else its front, whose
people are told as they move. Who waits further back is not told of every step, or a long line would make each step as long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.assignment.agents import circle_of
from services.assignment.desk import Desk
from services.assignment.documents import to_assignment
from services.assignment.domain import Assignment
from services.assignment.line import Line
from services.assignment.waiting import estimate_line, estimate_place, is_worth_telling
from services.common.store import Document

TOLD_POSITIONS = 50


@dataclass(frozen=True)
class Place:
    """A position and an estimate in seconds, as they are told."""

    position: int
    estimate: int | None


@dataclass(frozen=True)
class Move:
    """One whose place in line a turn changed; None is not in line."""

    assignment: Assignment
    old: str | None
    new: str | None


class Places:
    """The line after a turn, of which `waiting` stood in it before. Nothing of the turn is written yet."""

    def __init__(
        self, line: Line, desk: Desk, moves: Sequence[Move], *, waiting: int, seconds: int | None, stirred: bool
    ) -> None:
        """`seconds` is a conversation's typical length, `stirred` says whether anybody's capacity or presence changed."""
        self._line = line
        self._desk = desk
        self._moves = moves
        self._before = waiting
        self._seconds = seconds
        self._places: dict[str, Place] = {}
        self._last: str | None = None  # a place that nobody stood behind before the turn
        self.waiting = waiting + sum((move.new is not None) - (move.old is not None) for move in moves)
        self.documents: dict[str, Document] = {}  # of those in the front whose place the desk did not touch
        if self.waiting and self._is_front_concerned(stirred=stirred):
            self._read_front()

    def find(self, assignment: Assignment) -> Place | None:
        """The place of one in the front, or who has just joined; None of others."""
        key = assignment.conversation_id
        if key not in self._places and key in self._desk.joined and assignment.place is not None:
            self._places[key] = self._far_back(assignment, self._count_behind(assignment.place))
        return self._places.get(key)

    def to_tell(self) -> Mapping[str, Place]:
        """Those in the front whom the desk did not touch, and who should hear that their place is another."""
        return {key: self._places[key] for key, found in self.documents.items() if is_news(found, self._places[key])}

    def _is_front_concerned(self, *, stirred: bool) -> bool:
        if stirred and self._seconds is not None:
            return True
        if any(move.old is not None for move in self._moves):
            return True
        return bool(self._moves) and not self._append([move.assignment for move in self._moves])

    def _append(self, joined: Sequence[Assignment]) -> bool:
        """Place those who join behind everybody, as nearly all do, or far back. False when others in the front have to step back."""
        joined = sorted(joined, key=_place)
        first = _place(joined[0])
        if self._seconds is None or self._before >= TOLD_POSITIONS:
            behind = self._count_stored_behind(first)
            if behind and self._before - behind < TOLD_POSITIONS:
                return False
            for each in joined:
                self._places[each.conversation_id] = self._far_back(each, self._count_behind(_place(each)))
            return True
        ahead = self._line.wanted(self._before)
        if any(found.place > first for found in ahead):
            return False
        circles = [circle_of(found.allowed, found.team_id, found.passed, self._desk.teams) for found in ahead]
        circles += [self._desk.circle(each) for each in joined]
        estimates = estimate_line(circles, self._desk.agents.values(), self._seconds)[len(ahead) :]
        for position, (each, estimate) in enumerate(zip(joined, estimates, strict=True), len(ahead) + 1):
            self._places[each.conversation_id] = Place(position, estimate)
        return True

    def _read_front(self) -> None:
        gone = sum(move.old is not None for move in self._moves)
        moved = {move.assignment.conversation_id for move in self._moves}
        found = self._line.first(TOLD_POSITIONS + gone) if self._before else []
        rest = {document["_id"]: document for document in found if document["_id"] not in moved}
        line = [self._desk.assignments.get(key) or to_assignment(document) for key, document in rest.items()]
        line += [move.assignment for move in self._moves if move.new is not None]
        line = sorted(line, key=_place)[:TOLD_POSITIONS]
        circles = [self._desk.circle(assignment) for assignment in line]
        estimates = estimate_line(circles, self._desk.agents.values(), self._seconds)
        for position, (assignment, estimate) in enumerate(zip(line, estimates, strict=True), 1):
            self._places[assignment.conversation_id] = Place(position, estimate)
        self.documents = {key: document for key, document in rest.items() if key in self._places}

    def _far_back(self, joined: Assignment, behind: int) -> Place:
        position = self.waiting - behind
        return Place(position, estimate_place(position, self._desk.circle(joined), self._desk.agents.values(), self._seconds))

    def _count_behind(self, place: str) -> int:
        behind = self._count_stored_behind(place)
        for move in self._moves:
            behind += (move.new is not None and move.new > place) - (move.old is not None and move.old > place)
        return behind

    def _count_stored_behind(self, place: str) -> int:
        if not self._before or (self._last is not None and place >= self._last):
            return 0
        behind = self._line.count_behind(place)
        if not behind:
            self._last = place
        return behind


def is_news(document: Document, place: Place) -> bool:
    """Whether who was told what the document says should be told another place."""
    return document["queue_position"] != place.position or is_worth_telling(
        document.get("estimated_wait_seconds"), place.estimate
    )


def _place(assignment: Assignment) -> str:
    return assignment.place or ""
