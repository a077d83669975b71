import pytest

from services.assignment.agents import EVERYBODY, Agent, Circle
from services.assignment.choice import MAX_CANDIDATES, choose
from tests.unit.assignment.builders import an_agent, moment


def winner(*agents: Agent, strategy: str = "least_busy", seed: int = 7) -> str | None:
    chosen = choose(agents, strategy, EVERYBODY, lambda: seed).winner
    return chosen.id if chosen else None


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (an_agent("a", connected=False), "disconnected"),
        (an_agent("a", reachable=False), "reconnecting"),
        (an_agent("a", reachable=False, available=False), "reconnecting"),
        (an_agent("a", available=False), "busy"),
        (an_agent("a", capacity=2, load=2), "at_capacity"),
        (an_agent("a", capacity=2, load=3), "at_capacity"),
        (an_agent("a", capacity=0), "at_capacity"),
        (an_agent("a", capacity=2, load=2, shift=4), "at_capacity"),
        (an_agent("a", shift=4), "let_it_pass"),
        (Agent("a", "A", connected=True, availability="available", capacity=1, active=False), "inactive"),
        (an_agent("a"), None),
    ],
)
def test_the_first_obstacle_is_recorded_when_an_agent_is_looked_at(agent: Agent, reason: str | None) -> None:
    (candidate,) = choose([agent], "least_busy", Circle(passed=frozenset({"a/4"})), lambda: 0).candidates
    assert (candidate.eligible, candidate.reason) == (reason is None, reason)


def test_others_are_not_chosen_when_agents_are_named() -> None:
    choice = choose([an_agent("a"), an_agent("b", load=1)], "least_busy", Circle(named=frozenset({"b", "unknown"})), lambda: 0)
    assert choice.winner is not None
    assert choice.winner.id == "b"
    assert [(c.agent_id, c.reason, c.rank) for c in choice.candidates] == [("b", None, 1), ("a", "not_asked", None)]


def test_others_are_not_chosen_when_a_team_is_asked() -> None:
    agents = [an_agent("a"), an_agent("b", connected=False), an_agent("c", load=1)]
    choice = choose(agents, "least_busy", Circle(members=frozenset({"b", "c"})), lambda: 0)
    assert [(c.agent_id, c.reason, c.rank) for c in choice.candidates] == [
        ("c", None, 1),
        ("b", "disconnected", None),
        ("a", "not_in_team", None),
    ]


def test_the_reason_says_more_when_the_circle_does() -> None:
    choice = choose([an_agent("a")], "least_busy", Circle(remark="Its team was deleted."), lambda: 0)
    assert choice.reason == "A is the least busy, the only one eligible; had 0 of 2. Its team was deleted."


def test_the_lowest_load_wins_when_the_strategy_is_least_busy() -> None:
    assert winner(an_agent("a", load=1), an_agent("b"), an_agent("c", load=1)) == "b"


def test_who_waited_longest_wins_when_loads_are_equal() -> None:
    assert winner(an_agent("a", last=moment(2)), an_agent("b", last=moment(1))) == "b"
    assert winner(an_agent("a", last=moment(2)), an_agent("b")) == "b"


def test_the_id_decides_when_all_else_is_equal() -> None:
    assert winner(an_agent("b"), an_agent("a")) == "a"


def test_turns_go_round_whatever_the_load_when_the_strategy_is_round_robin() -> None:
    busy_but_next = an_agent("a", load=1, last=moment(1))
    assert winner(busy_but_next, an_agent("b", last=moment(2)), strategy="round_robin") == "a"


def test_the_draw_repeats_when_its_seed_does() -> None:
    agents = [an_agent(name) for name in "abcdef"]
    first = choose(agents, "random", EVERYBODY, lambda: 42)
    again = choose(reversed(agents), "random", EVERYBODY, lambda: 42)
    assert first.seed == 42
    assert first == again
    assert len({winner(*agents, strategy="random", seed=seed) for seed in range(50)}) == len(agents)


def test_no_seed_is_recorded_when_chance_had_no_part() -> None:
    assert choose([an_agent("a", connected=False)], "random", EVERYBODY, lambda: 42).seed is None
    assert choose([an_agent("a")], "least_busy", EVERYBODY, lambda: 42).seed is None


def test_the_reason_counts_obstacles_when_nobody_can_be_chosen() -> None:
    agents = [an_agent("a", load=2), an_agent("b", load=2), an_agent("c", connected=False)]
    assert (
        choose(agents, "least_busy", EVERYBODY, lambda: 0).reason == "Nobody of 3 can be chosen: 2 at capacity, 1 disconnected."
    )
    assert choose([], "least_busy", EVERYBODY, lambda: 0).reason == "Nobody of 0 can be chosen."


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        ("least_busy", "A is the least busy, the only one eligible; had 0 of 2."),
        ("round_robin", "A's turn, the only one eligible; had 0 of 2."),
        ("random", "A was drawn, the only one eligible, with seed 7; had 0 of 2."),
    ],
)
def test_the_reason_is_a_sentence_when_somebody_was_chosen(strategy: str, reason: str) -> None:
    assert choose([an_agent("a")], strategy, EVERYBODY, lambda: 7).reason == reason


def test_the_record_is_bounded_and_keeps_the_winner_when_agents_are_many() -> None:
    agents = [an_agent(f"a{number:03}", connected=number == 150) for number in range(200)]
    choice = choose(agents, "least_busy", EVERYBODY, lambda: 0)
    assert len(choice.candidates) == MAX_CANDIDATES
    assert choice.candidates[0].agent_id == "a150"
    assert choice.looked_at == 200
