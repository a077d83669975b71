"""Estimates: what they are, and that they are fair and sensible whatever the numbers."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from services.assignment.agents import EVERYBODY, Agent, Circle
from services.assignment.waiting import estimate_line, estimate_place, is_worth_telling, typical_seconds
from tests.unit.assignment.builders import an_agent

AGENTS = st.lists(
    st.builds(
        lambda name, capacity, load, available: an_agent(name, capacity=capacity, load=load, available=available),
        st.sampled_from("abcdefgh"),
        st.integers(0, 6),
        st.integers(0, 9),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=6,
    unique_by=lambda agent: agent.id,
)
SECONDS = st.integers(1, 4000)
CIRCLES = st.one_of(st.just(EVERYBODY), st.sets(st.sampled_from("abcdefgh")).map(lambda ids: Circle(named=frozenset(ids))))
SOME = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("durations", "typical"),
    [
        ([], None),
        ([100, 200], None),
        ([100, 200, 300], 200),
        ([0, 0, 0], 1),
        ([1, 100, 100, 100, 100, 100, 100, 100, 100, 99_999], 100),
        ([*range(1, 51)], 26),  # 6 to 45 count
        ([10_000, 1, 1, 1, 1, 1, 1, 1, 1, 1], 1),
    ],
)
def test_a_typical_length_is_the_mean_without_extremes_when_enough_are_known(durations: list[int], typical: int | None) -> None:
    assert typical_seconds(durations) == typical


@pytest.mark.parametrize(
    ("agents", "waits"),
    [
        ([an_agent("a", capacity=1, load=1)], [600, 1200, 1800]),
        ([an_agent("a", capacity=4, load=4)], [150, 300, 450]),
        ([an_agent("a", capacity=2, load=4)], [450, 600, 750]),  # two have to end before the first place opens
        ([an_agent("a", capacity=1, load=1), an_agent("b", capacity=3, load=3)], [200, 400, 600]),
        ([an_agent("a", capacity=2, load=2), an_agent("b", capacity=3, load=3)], [200, 300, 400]),
        ([an_agent("a", capacity=2, load=0, reachable=False)], [300, 600, 900]),
        ([an_agent("a", available=False), an_agent("b", connected=False), an_agent("c", capacity=0)], [None, None, None]),
        ([], [None, None, None]),
    ],
)
def test_places_open_evenly_when_agents_are_present(agents: list[Agent], waits: list[int | None]) -> None:
    assert estimate_line([EVERYBODY] * 3, agents, 600) == waits


def test_each_takes_the_earliest_place_it_may_have_when_wishes_differ() -> None:
    agents = [an_agent("a", capacity=1, load=1), an_agent("b", capacity=2, load=2)]
    only_a, only_c = Circle(named=frozenset("a")), Circle(named=frozenset("c"))
    a_let_it_pass = Circle(passed=frozenset({"a/1"}))
    line = [only_a, EVERYBODY, only_c, a_let_it_pass, only_a]
    assert estimate_line(line, agents, 600) == [600, 300, None, 600, 1200]


def test_nothing_is_estimated_when_no_length_is_known() -> None:
    assert estimate_line([EVERYBODY], [an_agent("a")], None) == [None]
    assert estimate_place(7, EVERYBODY, [an_agent("a")], None) is None


@pytest.mark.parametrize(
    ("told", "estimate", "worth"),
    [
        (None, None, False),
        (None, 60, True),
        (60, None, True),
        (60, 70, False),
        (60, 71, False),
        (60, 73, True),
        (20, 30, False),
        (20, 31, True),
        (300, 240, False),
        (300, 239, True),
        (0, 10, False),
        (0, 11, True),
    ],
)
def test_a_changed_estimate_is_told_when_it_differs_enough(told: int | None, estimate: int | None, worth: bool) -> None:
    assert is_worth_telling(told, estimate) == worth


@SOME
@given(st.lists(CIRCLES, max_size=12), AGENTS, SECONDS)
def test_nobody_waits_longer_than_one_behind_when_their_wishes_are_equal(
    line: list[Circle], agents: list[Agent], seconds: int
) -> None:
    estimates = estimate_line(line, agents, seconds)
    for circle in set(line):
        alike = [estimate for other, estimate in zip(line, estimates, strict=True) if other == circle]
        known = [estimate for estimate in alike if estimate is not None]
        assert known == sorted(known)
        assert known in ([], alike)


@SOME
@given(AGENTS, SECONDS, st.data())
def test_nobody_waits_longer_when_an_agent_gets_more_capacity(agents: list[Agent], seconds: int, data: st.DataObject) -> None:
    if not agents:
        return
    one = data.draw(st.sampled_from(agents))
    more = [replace(agent, capacity=agent.capacity + 1) if agent is one else agent for agent in agents]
    before, after = (estimate_line([EVERYBODY] * 8, each, seconds) for each in (agents, more))
    assert all(b is None or (a is not None and a <= b) for b, a in zip(before, after, strict=True))


@SOME
@given(AGENTS, SECONDS, st.data())
def test_nobody_waits_longer_when_another_agent_comes(agents: list[Agent], seconds: int, data: st.DataObject) -> None:
    fewer = agents[1:]
    before, after = (estimate_line([EVERYBODY] * 8, each, seconds) for each in (fewer, agents))
    assert all(b is None or (a is not None and a <= b) for b, a in zip(before, after, strict=True))


@SOME
@given(st.integers(1, 40), CIRCLES, AGENTS, SECONDS)
def test_one_far_back_is_told_what_the_line_would_say_when_all_wishes_are_equal(
    position: int, circle: Circle, agents: list[Agent], seconds: int
) -> None:
    assert estimate_place(position, circle, agents, seconds) == estimate_line([circle] * position, agents, seconds)[-1]
