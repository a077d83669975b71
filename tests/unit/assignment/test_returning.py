"""Conversations that return to the line, agents who let them pass, answers, and visitors who leave."""

from datetime import timedelta
from typing import Any

import pytest

from services.assignment.agents import Agent, Assignee
from services.assignment.desk import Desk
from services.assignment.domain import Actor, Assignment
from services.assignment.reassignment import Terms, find_overdue
from tests.unit.assignment.builders import BOT, a_desk, a_team, a_waiting, a_wish, an_agent, drain, moment

IDS = ("channel", "contact")
TERMS = Terms()
ANN = Assignee("ann", "Ann")


def held(name: str = "c1", *, awaiting: float | None = 10, **values: Any) -> Assignment:
    """Ann's since second 0, its visitor waiting since `awaiting`."""
    since = None if awaiting is None else moment(awaiting)
    usual: dict[str, Any] = {
        "agent": ANN,
        "assigned_at": moment(0),
        "awaiting_since": since,
        "awaiting_version": 5,
        "heard": 5,
    }
    return Assignment(name, *IDS, "assigned", **(usual | values))


def a_returning_desk(*agents: Agent, assignment: Assignment, at: float, terms: Terms = TERMS) -> Desk:
    desk = a_desk(*agents, assignments=(assignment,), clock=ticking_from(at))
    desk.requeue(assignment.conversation_id, terms, moment(at))
    return desk


def ticking_from(seconds: float) -> Any:
    ticks = iter(range(1, 1000))
    return lambda: moment(seconds) + timedelta(milliseconds=next(ticks))


def actions(desk: Desk, name: str = "c1") -> list[tuple[str, str]]:
    return [(made.action, made.rule) for made in desk.told[name].decisions]


@pytest.mark.parametrize(
    ("agent", "assignment", "at", "rule"),
    [
        (an_agent("ann"), held(), 309, None),
        (an_agent("ann"), held(), 310, "agent_silent"),
        (an_agent("ann"), held(awaiting=-500), 299, None),  # nobody is late with what was just given to them
        (an_agent("ann"), held(awaiting=-500), 300, "agent_silent"),
        (an_agent("ann"), held(awaiting=None), 9999, None),
        (an_agent("ann", connected=False, gone_since=moment(20)), held(), 79, None),
        (an_agent("ann", connected=False, gone_since=moment(20)), held(), 80, "agent_disconnected"),
        (an_agent("ann", connected=False, gone_since=moment(5)), held(), 69, None),
        (an_agent("ann", connected=False, gone_since=moment(5)), held(), 70, "agent_disconnected"),
        (an_agent("ann", connected=False, gone_since=moment(5)), held(awaiting=None), 9999, None),
        (an_agent("ann", connected=False, gone_since=moment(0)), held(), 70, "agent_disconnected"),
        (an_agent("ann", connected=False, gone_since=moment(-1)), held(), 309, None),  # given by hand to one who was away
        (an_agent("ann", connected=False, gone_since=moment(-1)), held(), 310, "agent_silent"),
        (an_agent("ann", connected=False), held(), 310, "agent_silent"),
    ],
)
def test_an_assignment_is_overdue_when_its_agent_left_or_is_silent(
    agent: Agent, assignment: Assignment, at: float, rule: str | None
) -> None:
    found = find_overdue(assignment, agent, TERMS, moment(at))
    assert (found.rule if found else None) == rule


@pytest.mark.parametrize(
    ("terms", "rule"),
    [
        (Terms(None, None), None),
        (Terms(None, timedelta(seconds=300)), "agent_silent"),
        (Terms(timedelta(seconds=60), None), "agent_disconnected"),
        (Terms(timedelta(seconds=5000), timedelta(seconds=10)), "agent_silent"),
    ],
)
def test_a_rule_applies_as_the_channel_wants_it_when_the_agent_left(terms: Terms, rule: str | None) -> None:
    agent = an_agent("ann", connected=False, gone_since=moment(20))
    found = find_overdue(held(), agent, terms, moment(1000))
    assert (found.rule if found else None) == rule


def test_it_returns_to_the_head_with_the_reason_when_its_agent_left() -> None:
    ann = an_agent("ann", connected=False, load=1, gone_since=moment(20))
    desk = a_returning_desk(ann, assignment=held(), at=85)
    drain(desk)
    found = desk.assignments["c1"]
    assert (found.state, found.agent, found.returned, found.passed) == ("queued", None, True, ())
    assert desk.agents["ann"].load == 0
    told = desk.told["c1"]
    assert told.outcome == "queued"
    assert told.decision is not None
    assert (told.decision.action, told.decision.rule, told.decision.actor) == ("requeued", "agent_disconnected", None)
    assert told.decision.reason == "Ann has been disconnected for 65 s while the visitor waits for an answer."
    assert found.visitor_seen_at == found.requested_at == told.decision.at


def test_it_goes_to_another_in_the_same_turn_when_one_is_free_and_both_decisions_are_recorded() -> None:
    desk = a_returning_desk(an_agent("ann", load=1), an_agent("bob"), assignment=held(), at=310)
    drain(desk, [a_waiting("other", 1)])
    assert actions(desk) == [("requeued", "agent_silent"), ("assigned", "least_busy")]
    assert desk.told["c1"].outcome == "assigned"
    assert desk.assignments["c1"].agent == Assignee("bob", "Bob")
    assert desk.told["c1"].decisions[0].reason == "Ann has not answered for 300 s."


def test_nothing_changes_when_it_is_not_overdue_at_the_turn() -> None:
    answered = held(awaiting=None)
    desk = a_returning_desk(an_agent("ann", load=1), an_agent("bob"), assignment=answered, at=9999)
    drain(desk)
    assert desk.told == {}
    assert desk.assignments["c1"] == answered
    desk.requeue("unknown", TERMS, moment(9999))
    assert "unknown" not in desk.assignments


def test_it_keeps_its_wish_and_is_not_asked_whether_to_wait_when_it_returns() -> None:
    wish: dict[str, Any] = {"team_id": "sales", "priority": 2, "strategy": "round_robin", "unavailable": "bye"}
    desk = a_returning_desk(an_agent("ann", load=1), assignment=held(**wish), at=310)
    drain(desk)
    found = desk.assignments["c1"]
    assert (found.state, found.team_id, found.priority, found.strategy) == ("queued", "sales", 2, "round_robin")


def test_the_wish_is_over_when_it_was_given_by_hand() -> None:
    waiting = a_waiting("c1", 1, team_id="sales", allowed=("bob",), strategy="random", priority="low")
    desk = a_desk(an_agent("ann"), assignments=(waiting,))
    desk.assign("c1", *IDS, "ann", BOT)
    found = desk.assignments["c1"]
    assert (found.team_id, found.allowed, found.strategy, found.priority) == (None, None, "least_busy", 1)


def test_who_was_silent_lets_it_pass_when_nobody_else_is_there() -> None:
    desk = a_returning_desk(an_agent("ann", load=1, shift=4), assignment=held(), at=310)
    drain(desk)
    assert desk.assignments["c1"].state == "queued"
    assert desk.assignments["c1"].passed == ("ann/4",)
    drain(desk, [a_waiting("other", 1)])
    assert desk.told["other"].outcome == "assigned"


def test_who_was_silent_may_have_it_again_when_the_next_shift_begins() -> None:
    waiting = a_waiting("c1", 1, returned=True, passed=("ann/4",))
    desk = a_desk(an_agent("ann", shift=5))
    drain(desk, [waiting])
    assert desk.assignments["c1"].agent == ANN
    assert desk.assignments["c1"].passed == ()


def test_only_marks_of_running_shifts_are_kept_when_another_lets_it_pass() -> None:
    agents = an_agent("ann", load=1, shift=2), an_agent("bob", shift=3), an_agent("cyd", shift=4)
    desk = a_returning_desk(*agents, assignment=held(passed=("bob/2", "cyd/4")), at=310)
    assert desk.assignments["c1"].passed == ("cyd/4", "ann/2")


def test_who_takes_it_by_hand_did_not_let_it_pass_when_it_waits_again_later() -> None:
    desk = a_desk(an_agent("ann"), assignments=(a_waiting("c1", 1, returned=True, passed=("ann/1", "bob/1")),))
    desk.take("c1", 9, *IDS, ANN)
    assert desk.assignments["c1"].passed == ("bob/1",)


def test_returned_ones_are_served_in_the_order_of_their_return_when_several_do() -> None:
    ann = an_agent("ann", connected=False, load=2, gone_since=moment(20))
    first, second = held("z"), held("a")
    desk = a_desk(ann, assignments=(first, second), clock=ticking_from(85))
    for key in ("z", "a"):
        desk.requeue(key, TERMS, moment(85))
    drain(desk)
    assert sorted(("a", "z"), key=lambda key: desk.assignments[key].place or "") == ["z", "a"]


@pytest.mark.parametrize(("version", "awaiting"), [(4, 10), (5, 10), (6, None)])
def test_an_answer_counts_when_it_is_newer_than_what_was_heard_of_answers(version: int, awaiting: float | None) -> None:
    desk = a_desk(an_agent("ann", load=1), assignments=(held(heard=99),))
    desk.hear_answer("c1", version, *IDS, ANN)
    assert desk.assignments["c1"].awaiting_since == (None if awaiting is None else moment(awaiting))
    assert desk.told == {}


def test_the_newest_word_counts_when_a_visitors_message_overtakes_the_answer_before_it() -> None:
    desk = a_desk(an_agent("ann", load=1), assignments=(held(),))
    desk.hear_awaited("c1", 8, *IDS, moment(70))
    desk.hear_answer("c1", 7, *IDS, ANN)
    assert desk.assignments["c1"].awaiting_since == moment(70)
    assert desk.assignments["c1"].silent_since == moment(70)


def test_what_is_heard_of_answers_is_kept_when_the_request_before_it_comes_later() -> None:
    desk = a_desk(an_agent("ann"))
    desk.hear_answer("c1", 9, *IDS, ANN)
    assert (desk.assignments["c1"].state, desk.told) == ("unassigned", {})
    desk.request("c1", 8, a_wish(3))
    drain(desk)
    assert desk.assignments["c1"].agent == ANN
    assert desk.assignments["c1"].awaiting_since is None


def test_a_request_awaits_an_answer_and_a_take_gives_one_when_heard() -> None:
    desk = a_desk(an_agent("ann"))
    desk.request("c1", 1, a_wish(3))
    drain(desk)
    asked = desk.assignments["c1"]
    desk.take("c1", 2, *IDS, Assignee("bob", "Bob"))
    taken = desk.assignments["c1"]
    assert (asked.awaiting_since, taken.awaiting_since) == (moment(3), None)
    assert taken.agent == ANN  # she keeps it; the visitor has an answer all the same


def test_it_is_the_answering_agents_again_when_it_had_returned_to_the_line() -> None:
    desk = a_desk(an_agent("ann", capacity=1, load=1), assignments=(a_waiting("c1", 1, returned=True, passed=("ann/1",)),))
    desk.hear_answer("c1", 9, *IDS, ANN)
    drain(desk)
    assert actions(desk) == [("assigned", "take")]
    assert desk.assignments["c1"].agent == ANN
    assert desk.assignments["c1"].awaiting_since is None
    assert desk.agents["ann"].load == 2


def test_it_stays_in_line_when_an_answer_is_heard_and_it_had_not_returned() -> None:
    desk = a_desk(assignments=(a_waiting("c1", 1),))
    desk.hear_answer("c1", 9, *IDS, ANN)
    assert desk.assignments["c1"].state == "queued"


@pytest.mark.parametrize("command", ["close", "give_back"])
def test_nobody_awaits_an_answer_when_the_conversation_is_over_or_the_bots(command: str) -> None:
    desk = a_desk(an_agent("ann", load=1), assignments=(held(team_id="sales"),), teams=[a_team("sales", "ann")])
    getattr(desk, command)("c1", 6, *IDS, *([BOT] if command == "give_back" else []))
    assert desk.assignments["c1"].awaiting_since is None
    assert desk.assignments["c1"].team_id is None


def test_it_leaves_the_line_when_the_visitor_does() -> None:
    visitor = Actor("visitor", "contact", "Teal Otter")
    desk = a_desk(an_agent("ann", load=2), assignments=(a_waiting("c1", 1, promised=40),), clock=ticking_from(61))
    desk.leave("c1", visitor)
    drain(desk)
    made = desk.told["c1"].decision
    assert made is not None
    assert (desk.told["c1"].outcome, made.action, made.rule, made.actor) == ("left", "left", "visitor_left", visitor)
    assert (made.waited_seconds, made.estimated_wait_seconds) == (60, 40)
    assert desk.assignments["c1"].state == "unassigned"


def test_it_stays_as_it_is_when_the_visitor_leaves_and_does_not_wait() -> None:
    desk = a_desk(an_agent("ann", load=1), assignments=(held(),))
    desk.leave("c1", BOT)
    assert (desk.assignments["c1"], desk.told) == (held(), {})


@pytest.mark.parametrize(("seen", "state"), [(10, "unassigned"), (9, "unassigned"), (11, "queued")])
def test_it_leaves_the_line_when_its_visitor_was_not_seen_since(seen: float, state: str) -> None:
    desk = a_desk(assignments=(a_waiting("c1", 1, visitor_seen_at=moment(seen)),))
    desk.leave_absent("c1", moment(10))
    assert desk.assignments["c1"].state == state
    assert ("c1" in desk.told) == (state == "unassigned")
    if state == "unassigned":
        assert actions(desk) == [("left", "visitor_absent")]


def test_how_long_it_was_had_is_noted_when_an_agent_is_free_of_it() -> None:
    desk = a_desk(an_agent("ann", load=1), an_agent("bob"), assignments=(held(), a_waiting("c2", 1)), clock=ticking_from(90))
    desk.assign("c1", *IDS, "bob", BOT)
    desk.unassign("c2", BOT)
    assert desk.handled == [90]


def test_the_estimate_is_recorded_beside_the_wait_when_one_in_line_gets_an_agent() -> None:
    desk = a_desk(an_agent("ann", capacity=1), clock=ticking_from(101))
    desk.request("fresh", 1, a_wish(101))
    drain(desk, [a_waiting("c1", 1, promised=70)])
    made = desk.told["c1"].decision
    assert made is not None
    assert (made.waited_seconds, made.estimated_wait_seconds) == (100, 70)
    assert desk.assignments["c1"].promised is None


def test_no_wait_is_recorded_when_it_never_stood_in_line() -> None:
    desk = a_desk(an_agent("ann"))
    desk.request("c1", 1, a_wish())
    drain(desk)
    made = desk.told["c1"].decision
    assert made is not None
    assert (made.waited_seconds, made.estimated_wait_seconds) == (None, None)
