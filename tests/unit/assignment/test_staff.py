"""What the desk hears of agents and teams, in whatever order it comes."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.assignment.agents import Agent, Snapshot, circle_of
from services.assignment.desk import Desk
from services.assignment.domain import Assignment
from services.assignment.reassignment import Terms, find_overdue
from tests.unit.assignment.builders import a_desk, a_team, a_waiting, a_wish, an_agent, drain, moment

NEWS = Snapshot("ann", "Ann", "agent", True, "available", 2, True, 2)


def gone_since(desk: Desk) -> datetime | None:
    return desk.agents["ann"].disconnected_since


def test_since_when_an_agent_is_gone_counts_from_when_it_was_heard_to_leave() -> None:
    desk = a_desk(an_agent("ann"), clock=(moment(seconds) for seconds in (50, 60)).__next__)
    desk.learn(replace(NEWS, connected=False))
    assert gone_since(desk) == moment(50)
    desk.learn(replace(NEWS, connected=False, name="Anna", version=3))
    assert gone_since(desk) == moment(50)
    desk.learn(replace(NEWS, version=4))
    assert gone_since(desk) is None
    desk.learn(replace(NEWS, connected=False, version=5))
    assert gone_since(desk) == moment(60)


def test_an_agent_is_gone_when_the_account_is_deactivated_even_if_it_was_away_before() -> None:
    desk = a_desk(an_agent("ann", connected=False, gone_since=moment(-100)))
    desk.learn(replace(NEWS, connected=False, active=False))
    assert desk.agents["ann"].disconnected_since is not None
    assert desk.agents["ann"].disconnected_since > moment(0)


def test_what_was_given_before_the_leaving_was_heard_of_is_not_given_to_one_known_to_be_away() -> None:
    desk = a_desk(an_agent("ann"))
    desk.request("c1", 1, a_wish(-60))
    drain(desk)
    desk.learn(replace(NEWS, connected=False))  # which happened before the request was
    gone, held = desk.agents["ann"], desk.assignments["c1"]
    assert gone.disconnected_since is not None
    assert find_overdue(held, gone, Terms(), gone.disconnected_since + timedelta(seconds=60)) is not None


def test_nothing_is_said_of_its_leaving_when_an_agent_was_never_seen_connected() -> None:
    desk = a_desk()
    desk.learn(replace(NEWS, connected=False))
    assert desk.agents["ann"].disconnected_since is None


@pytest.mark.parametrize(
    ("before", "news", "shift"),
    [
        (an_agent("ann", connected=False, shift=3), NEWS, 4),
        (an_agent("ann", available=False, shift=3), NEWS, 4),
        (an_agent("ann", shift=3), replace(NEWS, capacity=9), 3),
        (an_agent("ann", shift=3), replace(NEWS, availability="busy"), 3),
        (an_agent("ann", available=False, shift=3), replace(NEWS, active=False), 3),
        (an_agent("ann", available=False, shift=3), replace(NEWS, version=1), 3),
    ],
)
def test_a_shift_begins_when_an_agent_comes_to_be_present(before: Agent, news: Snapshot, shift: int) -> None:
    desk = a_desk(before)
    desk.learn(news)
    assert desk.agents["ann"].shift == shift


def test_reachability_has_its_own_guard_when_events_come_in_any_order() -> None:
    desk = a_desk()
    desk.learn_reachability("ann", 5, reachable=True)
    desk.learn(replace(NEWS, version=4))
    desk.learn_reachability("ann", 4, reachable=False)
    desk.learn_reachability("ann", 5, reachable=False)
    assert (desk.agents["ann"].reachable, desk.agents["ann"].name) == (True, "Ann")


def test_the_line_is_served_when_an_agent_comes_out_of_its_grace() -> None:
    desk = a_desk(an_agent("ann", reachable=False))
    drain(desk, [a_waiting("c1", 1)])
    assert desk.told == {}
    desk.learn_reachability("ann", 2, reachable=True)
    drain(desk, [a_waiting("c1", 1)])
    assert desk.told["c1"].outcome == "assigned"


def test_the_newest_word_counts_when_teams_are_told_of_out_of_order() -> None:
    desk = a_desk(teams=[a_team("sales", "ann", version=3)])
    desk.learn_team(a_team("sales", "bob", version=2))
    assert desk.teams["sales"].members == {"ann"}
    desk.learn_team(a_team("sales", version=5, deleted=True))
    desk.learn_team(a_team("sales", "bob", version=4))
    assert desk.teams["sales"].deleted


@pytest.mark.parametrize(
    ("team", "asked"),
    [
        ("sales", {"ann": None, "bob": "not_in_team"}),
        ("nobody", {"ann": "not_in_team", "bob": "not_in_team"}),
        ("unheard", {"ann": "not_in_team", "bob": "not_in_team"}),
        ("deleted", {"ann": None, "bob": None}),
    ],
)
def test_a_teams_members_are_asked_and_everybody_when_it_was_deleted(team: str, asked: dict[str, str | None]) -> None:
    teams = [a_team("sales", "ann"), a_team("nobody"), a_team("deleted", deleted=True)]
    desk = a_desk(an_agent("ann"), an_agent("bob"), teams=teams)
    circle = desk.circle(Assignment("c1", "channel", "contact", team_id=team))
    assert {name: circle.exclusion(name) for name in asked} == asked


def test_a_request_waits_and_is_served_when_its_team_is_heard_of_later() -> None:
    desk = a_desk(an_agent("ann"))
    desk.request("c1", 1, a_wish(team="sales"))
    drain(desk)
    made = desk.told["c1"].decision
    assert made is not None
    assert made.reason == "Nobody of 1 can be chosen: 1 not in team. Its team is not known here yet."
    desk.learn_team(a_team("sales", "ann"))
    drain(desk)
    assert desk.told["c1"].outcome == "assigned"


def test_the_reason_says_so_when_the_team_was_deleted() -> None:
    desk = a_desk(an_agent("ann"), teams=[a_team("sales", deleted=True)])
    desk.request("c1", 1, a_wish(team="sales"))
    drain(desk)
    made = desk.told["c1"].decision
    assert made is not None
    assert made.reason.endswith("Its team was deleted, so everybody may be asked.")


def test_teams_are_open_when_one_of_the_eligible_belongs_to_them() -> None:
    desk = a_desk(
        an_agent("ann"),
        an_agent("bob", connected=False),
        teams=[a_team("sales", "ann", "bob"), a_team("support", "bob"), a_team("gone", deleted=True)],
    )
    assert desk.open_teams(desk.eligible()) == ["sales", "gone"]


def test_both_restrict_when_agents_and_a_team_are_wished() -> None:
    circle = circle_of(("ann", "bob"), "sales", (), {"sales": a_team("sales", "bob", "cyd")})
    assert [circle.exclusion(name) for name in ("ann", "bob", "cyd")] == ["not_in_team", None, "not_asked"]


def test_loads_are_corrected_when_they_were_wrong() -> None:
    desk = a_desk(an_agent("ann", load=2), an_agent("bob"))
    desk.recount({"bob": 1})
    assert [(c.agent_id, c.recorded, c.actual) for c in desk.corrections] == [("ann", 2, 0), ("bob", 0, 1)]
