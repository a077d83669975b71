"""Commands that are decided in one turn: as if each had had its own, and nobody's failure is another's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from pymongo.errors import AutoReconnect

from services.assignment.agents import Agent, Snapshot, Team
from services.assignment.counter import TOGETHER, Command, Counter, part
from services.assignment.desk import Desk
from services.assignment.domain import Assignment, Decision
from services.common.errors import Conflict
from tests.unit.assignment.builders import ALICE, a_desk, a_team, a_wish, an_agent, reader, ticking

IDS = ("channel", "contact")
KEYS = [f"c{number}" for number in range(6)]
AGENTS = ("ann", "bob")
Deciding = tuple[tuple[str, ...], Callable[[Desk], None]]  # whom it is about, and what is decided

CIRCLES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"allowed": ("ann",)}, {"allowed": ("bob",)}, {"team": "sales"}]
)


def asking(key: str, at: int, priority: str, unavailable: str, circle: dict[str, Any]) -> Deciding:
    wish = a_wish(at, priority=priority, unavailable=unavailable, **circle)
    return (key,), lambda desk: desk.request(key, 1, wish)


def giving(key: str, name: str) -> Deciding:
    return (key,), lambda desk: desk.assign(key, *IDS, name, ALICE)


def archiving(key: str) -> Deciding:
    return (key,), lambda desk: desk.close(key, 9, *IDS)


def telling(name: str, available: bool, capacity: int, version: int) -> Deciding:
    state = "available" if available else "busy"
    return (), lambda desk: desk.learn(Snapshot(name, name.title(), "agent", True, state, capacity, True, version))


DECIDING = st.one_of(
    st.builds(
        asking,
        st.sampled_from(KEYS),
        st.integers(0, 9),
        st.sampled_from(["normal", "normal", "high"]),
        st.sampled_from(["wait", "wait", "bye"]),
        CIRCLES,
    ),
    st.builds(archiving, st.sampled_from(KEYS)),
    st.builds(giving, st.sampled_from(KEYS), st.sampled_from(AGENTS)),
    st.builds(telling, st.sampled_from(AGENTS), st.booleans(), st.integers(0, 3), st.integers(2, 5)),
)


class Office:
    """What is stored, and the turns that change it."""

    def __init__(self, heads: int) -> None:
        self.agents: dict[str, Agent] = {name: an_agent(name, capacity=1, available=name == "ann") for name in AGENTS}
        self.teams: dict[str, Team] = {"sales": a_team("sales", "bob")}
        self.assignments: dict[str, Assignment] = {}
        self.decisions: dict[str, list[Decision]] = {}
        self._heads = heads
        self._clock = ticking()
        self._seeds = count()

    def turn(self, together: Sequence[Deciding]) -> None:
        """Decide all of these in a turn, and in those that follow at once what more can be served."""
        more = self._turn(together)
        while more:
            more = self._turn([((), lambda _: None)])

    def _turn(self, together: Sequence[Deciding]) -> bool:
        at_hand = tuple(self.assignments[key] for keys, _ in together for key in keys if key in self.assignments)
        desk = a_desk(*self.agents.values(), assignments=at_hand, teams=self.teams.values(), clock=self._clock)
        read = reader(desk, dict(self.assignments), self._heads)
        more = False
        for _, decide in together:
            decide(desk)
            more = desk.drain(read)
        self.agents, self.teams = desk.agents, desk.teams
        self.assignments |= desk.assignments
        for key, told in desk.told.items():
            # How long one waited who joined in the same turn is not reckoned.
            self.decisions.setdefault(key, []).extend(replace(made, waited_seconds=None) for made in told.decisions)
        return more


@settings(max_examples=300, deadline=None)
@given(before=st.lists(DECIDING, max_size=6), commands=st.lists(DECIDING, min_size=2, max_size=6))
def test_what_is_decided_together_is_what_would_be_decided_one_after_the_other(
    before: list[Deciding], commands: list[Deciding]
) -> None:
    one, other = Office(50), Office(50)
    for command in before:
        one.turn([command])
        other.turn([command])
    for command in commands:
        one.turn([command])
    for together in part([Command(decide, keys) for keys, decide in commands]):  # type: ignore[arg-type]
        other.turn([(tuple(each.conversation_ids), each.decide) for each in together])  # type: ignore[misc]
    assert other.agents == one.agents
    assert other.assignments == one.assignments
    assert other.decisions == one.decisions


@settings(max_examples=150, deadline=None)
@given(commands=st.lists(DECIDING, min_size=4, max_size=12), heads=st.sampled_from([1, 2]))
def test_nobody_idles_whom_somebody_waits_for_when_the_line_is_read_in_small_pages(commands: list[Deciding], heads: int) -> None:
    office = Office(heads)
    for together in part([Command(decide, keys) for keys, decide in commands]):  # type: ignore[arg-type]
        office.turn([(tuple(each.conversation_ids), each.decide) for each in together])  # type: ignore[misc]
        desk = a_desk(*office.agents.values(), teams=office.teams.values())
        for waiting in office.assignments.values():
            if waiting.state == "queued":
                assert not any(agent.obstacle(desk.circle(waiting)) is None for agent in desk.agents.values())


class Turns:
    """A counter whose turns are only noted; those about a `refused` conversation are refused, all while the database is `away`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[list[str]] = []
        self.refused: set[str] = set()
        self.away = False
        store: Any = SimpleNamespace(database=None)
        self.counter = Counter(store)
        monkeypatch.setattr(self.counter, "_take_turn", self._take)

    def decide(self, *keys: str) -> list[Any]:
        return self.counter._decide_group([Command(lambda _, __: None, [key]) for key in keys])

    def _take(self, commands: Sequence[Command]) -> tuple[Desk, bool]:
        keys = [key for command in commands for key in command.conversation_ids]
        self.taken.append(keys)
        if self.away:
            raise AutoReconnect("gone")
        if not self.refused.isdisjoint(keys):
            raise Conflict("Another has it.")
        return a_desk(), False


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    return Turns(monkeypatch)


def test_commands_share_a_turn_unless_they_are_about_one_conversation(turns: Turns) -> None:
    assert all(isinstance(outcome, Desk) for outcome in turns.decide("a", "b", "a", "c"))
    assert turns.taken == [["a", "b"], ["a", "c"]]


def test_what_is_refused_is_refused_by_a_turn_of_its_own_and_the_others_are_decided(turns: Turns) -> None:
    turns.refused = {"b"}
    first, second, third = turns.decide("a", "b", "c")
    assert isinstance(first, Desk)
    assert isinstance(second, Conflict)
    assert isinstance(third, Desk)
    assert turns.taken == [["a", "b", "c"], ["a"], ["b", "c"], ["b"], ["c"]]


def test_one_that_is_refused_among_many_costs_few_turns(turns: Turns) -> None:
    turns.refused = {"c3"}
    outcomes = turns.decide(*(f"c{number}" for number in range(TOGETHER)))
    assert [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, Desk)] == [3]
    assert len(turns.taken) < TOGETHER / 3


def test_all_hear_of_an_outage_at_once_and_nobody_tries_again(turns: Turns) -> None:
    turns.away = True
    assert [type(outcome) for outcome in turns.decide("a", "a", "b")] == [AutoReconnect] * 3
    assert turns.taken == [["a"]]
