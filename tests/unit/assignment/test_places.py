"""Positions and estimates as a turn leaves them, read of a line as sparingly as it is, against the plain reckoning."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from services.assignment import places as module
from services.assignment.agents import Agent
from services.assignment.documents import assignment_values
from services.assignment.domain import Assignment
from services.assignment.line import Wanted
from services.assignment.places import Move, Place, Places
from services.assignment.waiting import estimate_line
from tests.unit.assignment.builders import a_desk, a_waiting, an_agent

Document = dict[str, Any]


class StoredLine:
    """What the database would answer, and how much it was asked for."""

    def __init__(self, waiting: Sequence[Assignment]) -> None:
        self.waiting = sorted(waiting, key=lambda found: found.place or "")
        self.read = 0

    def first(self, count: int) -> list[Document]:
        self.read += len(self.waiting[:count])
        told = {"queue_position": None, "estimated_wait_seconds": None}
        return [{"_id": found.conversation_id} | assignment_values(found) | told for found in self.waiting[:count]]

    def wanted(self, count: int) -> list[Wanted]:
        shown = self.waiting[:count]
        return [Wanted(found.place or "", found.allowed and list(found.allowed), None, []) for found in shown]  # type: ignore[arg-type]

    def count_behind(self, place: str) -> int:
        return sum((found.place or "") > place for found in self.waiting)


class Turn:
    """A line, of which some leave and which some join, with these agents at work."""

    def __init__(
        self, stored: Sequence[Assignment], left: Sequence[str], joined: Sequence[Assignment], agents: list[Agent]
    ) -> None:
        self.line = StoredLine(stored)
        self.gone = [replace(found, state="closed") for found in stored if found.conversation_id in left]
        self.joined = list(joined)
        self.agents = agents
        self.desk = a_desk(*agents, assignments=(*self.gone, *self.joined))
        self.desk.joined = {found.conversation_id for found in joined}
        self.after = [found for found in stored if found.conversation_id not in left] + self.joined
        self.after.sort(key=lambda found: found.place or "")

    def places(self, seconds: int | None, *, stirred: bool = False) -> Places:
        old = {found.conversation_id: found.place for found in self.line.waiting}
        moves = [Move(found, old[found.conversation_id], None) for found in self.gone]
        moves += [Move(found, None, found.place) for found in self.joined]
        line: Any = self.line
        return Places(line, self.desk, moves, waiting=len(self.line.waiting), seconds=seconds, stirred=stirred)

    def reckoned(self, seconds: int | None) -> dict[str, Place]:
        circles = [self.desk.circle(found) for found in self.after]
        estimates = estimate_line(circles, self.agents, seconds)
        keys = [found.conversation_id for found in self.after]
        return {key: Place(at, wait) for at, (key, wait) in enumerate(zip(keys, estimates, strict=True), 1)}


LINES = st.lists(st.tuples(st.integers(0, 99), st.sampled_from([None, ("ann",), ("bob",)])), max_size=9, unique_by=lambda w: w[0])
BUSY = [an_agent("ann", capacity=2, load=2), an_agent("bob", capacity=1, load=1)]


@settings(max_examples=150, deadline=None)
@given(
    stored=LINES,
    joined=st.lists(st.integers(100, 220), max_size=4, unique=True),
    first=st.booleans(),
    leaving=st.sets(st.integers(0, 8), max_size=3),
    seconds=st.none() | st.just(600),
    stirred=st.booleans(),
    told=st.sampled_from([2, 4, 50]),
)
def test_places_are_as_reckoned_when_some_leave_and_some_join(
    stored: list[tuple[int, tuple[str, ...] | None]],
    joined: list[int],
    first: bool,
    leaving: set[int],
    seconds: int | None,
    stirred: bool,
    told: int,
) -> None:
    waiting = [a_waiting(f"c{at}", at, allowed=allowed) for at, allowed in stored]
    left = [waiting[index].conversation_id for index in leaving if index < len(waiting)]
    new = [a_waiting(f"j{at}", at, priority="high" if first else "normal") for at in joined]
    turn = Turn(waiting, left, new, BUSY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TOLD_POSITIONS", told)
        places = turn.places(seconds, stirred=stirred)
        reckoned = turn.reckoned(seconds)
        assert places.waiting == len(turn.after)
        for each in new:
            found = places.find(each)
            assert found is not None
            assert found.position == reckoned[each.conversation_id].position
            if found.position <= told:
                assert found == reckoned[each.conversation_id]
        steps = places.to_tell()
        moved = left or any(other.place and new and new[0].place and other.place > new[0].place for other in waiting)
        if moved or (stirred and seconds):
            front = [key for key in list(reckoned)[:told] if key not in turn.desk.joined]
            assert steps == {key: reckoned[key] for key in front}


def test_nothing_is_read_when_nobody_waits() -> None:
    turn = Turn([], [], [], BUSY)
    assert turn.places(600, stirred=True).waiting == 0
    assert turn.line.read == 0


@pytest.mark.parametrize("seconds", [None, 600])
@pytest.mark.parametrize("count", [5, 80])
def test_nobodys_document_is_read_when_one_joins_at_the_end(count: int, seconds: int | None) -> None:
    new = a_waiting("new", 999)
    turn = Turn([a_waiting(f"c{number}", number) for number in range(count)], [], [new], BUSY)
    places = turn.places(seconds)
    assert places.find(new) == turn.reckoned(seconds)["new"]
    assert turn.line.read == 0
    assert places.to_tell() == {}


def test_no_more_than_the_front_is_told_when_the_line_is_long() -> None:
    turn = Turn([a_waiting(f"c{number:03}", number) for number in range(200)], ["c000"], [], BUSY)
    steps = turn.places(600).to_tell()
    assert next(iter(steps)) == "c001"
    assert [place.position for place in steps.values()] == list(range(1, 51))
    assert turn.line.read == 51


def test_a_step_is_told_when_the_estimate_changed_enough() -> None:
    known = {"queue_position": 1, "estimated_wait_seconds": 295}
    assert not module.is_news(known, Place(1, 300))
    assert module.is_news(known, Place(1, 20))
    assert module.is_news(known, Place(1, None))
    assert module.is_news(known, Place(2, 295))
