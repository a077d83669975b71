from dataclasses import replace

from services.assignment.agents import Agent, Assignee, Snapshot
from services.assignment.desk import Desk
from services.assignment.domain import Actor, Assignment, Decision
from tests.unit.assignment.builders import ALICE, BOT, a_desk, a_waiting, a_wish, an_agent, drain, moment


def held(name: str, agent: str, heard: int = 5) -> Assignment:
    return Assignment(name, "channel", "contact", "assigned", Assignee(agent, agent.title()), heard=heard)


def outcome(desk: Desk, name: str) -> tuple[str, str | None]:
    """The told outcome and whom the assignment names."""
    agent = desk.assignments[name].agent
    return desk.told[name].outcome, agent.id if agent else None


def decision(desk: Desk, name: str) -> Decision:
    found = desk.told[name].decision
    assert found is not None
    return found


def test_a_request_gets_the_least_busy_when_agents_are_eligible() -> None:
    desk = a_desk(an_agent("ann", load=1), an_agent("bob"))
    desk.request("c1", 1, a_wish())
    drain(desk)
    assert outcome(desk, "c1") == ("assigned", "bob")
    assert desk.agents["bob"].load == 1
    made = decision(desk, "c1")
    assert (made.action, made.rule, made.actor, made.assignee) == ("assigned", "least_busy", BOT, Assignee("bob", "Bob"))
    assert [(c.agent_id, c.rank, c.load) for c in made.candidates] == [("bob", 1, 0), ("ann", 2, 1)]
    assert made.ordering == ("load", "last_assigned_at", "agent_id")


def test_a_request_waits_when_nobody_is_eligible() -> None:
    desk = a_desk(an_agent("ann", load=2))
    desk.request("c1", 1, a_wish(3))
    drain(desk)
    assert outcome(desk, "c1") == ("queued", None)
    assert desk.assignments["c1"].requested_at == moment(3)
    assert decision(desk, "c1").reason == "Nobody of 1 can be chosen: 1 at capacity."


def test_a_request_is_told_unavailable_when_it_would_not_wait() -> None:
    desk = a_desk(an_agent("ann", available=False))
    desk.request("c1", 1, a_wish(unavailable="leave_a_message"))
    drain(desk)
    assert outcome(desk, "c1") == ("unavailable", None)
    assert desk.assignments["c1"].state == "unassigned"
    assert desk.assignments["c1"].place is None
    assert decision(desk, "c1").action == "unassigned"


def test_a_request_is_served_when_it_would_not_wait_and_someone_is_there() -> None:
    desk = a_desk(an_agent("ann"))
    desk.request("c1", 1, a_wish(unavailable="leave_a_message"))
    drain(desk)
    assert outcome(desk, "c1") == ("assigned", "ann")


def test_nobody_overtakes_when_the_line_is_served_in_the_same_turn() -> None:
    desk = a_desk(an_agent("ann", capacity=1))
    desk.request("late", 1, a_wish(9))
    drain(desk, [a_waiting("early", 1)])
    assert outcome(desk, "early") == ("assigned", "ann")
    assert outcome(desk, "late") == ("queued", None)


def test_one_who_would_not_wait_yields_to_the_line_when_one_agent_is_free() -> None:
    desk = a_desk(an_agent("ann", capacity=1))
    desk.request("late", 1, a_wish(9, unavailable="bye"))
    drain(desk, [a_waiting("early", 1)])
    assert outcome(desk, "late") == ("unavailable", None)


def test_an_earlier_request_that_comes_late_goes_first_when_an_agent_is_free() -> None:
    desk = a_desk(an_agent("ann", capacity=1))
    desk.request("early", 1, a_wish(1))
    drain(desk, [a_waiting("late", 9)])
    assert outcome(desk, "early") == ("assigned", "ann")
    assert desk.assignments["late"].state == "queued"


def test_one_who_waits_for_a_named_agent_does_not_hold_up_others_when_that_agent_is_away() -> None:
    desk = a_desk(an_agent("ann"), an_agent("bob", connected=False))
    drain(desk, [a_waiting("for_bob", 1, allowed=("bob",)), a_waiting("for_anyone", 2)])
    assert "for_bob" not in desk.told
    assert outcome(desk, "for_anyone") == ("assigned", "ann")


def test_the_newest_state_counts_when_the_loaded_line_still_shows_the_conversation() -> None:
    waiting = a_waiting("c1", 1)
    desk = a_desk(an_agent("ann"), assignments=(waiting,))
    desk.close("c1", 2, "channel", "contact")
    drain(desk, [waiting])
    assert outcome(desk, "c1") == ("closed", None)


def test_returned_ones_come_first_then_priority_then_time_then_id_when_the_line_is_served() -> None:
    line = [
        a_waiting("low", 0, priority="low"),
        a_waiting("c", 1),
        a_waiting("b", 1),
        a_waiting("high", 8, priority="high"),
        a_waiting("a", 2),
        a_waiting("returned later", 9, returned=True, priority="high"),
        a_waiting("returned", 7, returned=True, priority="low"),
    ]
    desk = a_desk(an_agent("ann", capacity=6))
    drain(desk, line)
    served = sorted(desk.told, key=lambda name: decision(desk, name).at)
    assert served == ["returned", "returned later", "high", "b", "c", "a"]


def test_the_place_is_kept_when_one_in_line_asks_again() -> None:
    desk = a_desk(an_agent("ann", load=2), an_agent("bob"), assignments=(a_waiting("c1", 1, allowed=("ann",)),))
    desk.request("c1", 2, a_wish(8, allowed=("bob",)))
    drain(desk)
    assert outcome(desk, "c1") == ("assigned", "bob")
    desk = a_desk(an_agent("ann", load=2), assignments=(a_waiting("c1", 1),))
    desk.request("c1", 2, a_wish(8))
    drain(desk)
    assert desk.assignments["c1"].requested_at == moment(1)
    assert desk.told["c1"].outcome == "queued"
    assert desk.told["c1"].decision is None


def test_the_owner_is_told_again_when_an_assigned_conversation_asks() -> None:
    desk = a_desk(an_agent("ann", load=1), an_agent("bob"), assignments=(held("c1", "ann"),))
    desk.request("c1", 6, a_wish())
    drain(desk)
    assert outcome(desk, "c1") == ("assigned", "ann")
    assert desk.told["c1"].decision is None
    assert desk.agents["ann"].load == 1


def test_the_choice_is_made_anew_when_a_request_releases_the_agent() -> None:
    desk = a_desk(an_agent("ann", load=2), an_agent("bob"), assignments=(held("c1", "ann"),))
    desk.request("c1", 6, a_wish(release=True))
    drain(desk)
    assert outcome(desk, "c1") == ("assigned", "bob")
    assert {agent.id: agent.load for agent in desk.agents.values()} == {"ann": 1, "bob": 1}
    desk = a_desk(an_agent("ann", load=1, available=False), assignments=(held("c1", "ann"),))
    desk.request("c1", 6, a_wish(release=True))
    drain(desk)
    assert outcome(desk, "c1") == ("queued", None)
    assert desk.agents["ann"].load == 0


def test_nothing_happens_when_an_event_is_not_newer_than_what_was_heard() -> None:
    for version in (4, 5):
        desk = a_desk(an_agent("ann", load=1), an_agent("bob"), assignments=(held("c1", "ann", heard=5),))
        before = dict(desk.assignments), dict(desk.agents)
        desk.close("c1", version, "channel", "contact")
        desk.take("c1", version, "channel", "contact", Assignee("bob", "Bob"))
        desk.give_back("c1", version, "channel", "contact", BOT)
        desk.request("c1", version, a_wish())
        drain(desk)
        assert (desk.assignments, desk.agents, desk.told) == (*before, {})


def test_archiving_frees_the_agent_when_it_had_one() -> None:
    desk = a_desk(an_agent("ann", capacity=1, load=1), assignments=(held("c1", "ann"),))
    desk.close("c1", 6, "channel", "contact")
    drain(desk, [a_waiting("next", 1)])
    assert outcome(desk, "c1") == ("closed", None)
    assert (decision(desk, "c1").action, decision(desk, "c1").rule) == ("closed", "archive")
    assert outcome(desk, "next") == ("assigned", "ann")
    assert desk.agents["ann"].load == 1


def test_a_late_request_is_ignored_when_the_unknown_conversation_was_archived_first() -> None:
    desk = a_desk(an_agent("ann"))
    desk.close("c1", 9, "channel", "contact")
    desk.request("c1", 8, a_wish())
    drain(desk)
    assert desk.assignments["c1"].state == "closed"
    assert desk.told == {}


def test_a_newer_request_reopens_when_the_assignment_was_closed() -> None:
    desk = a_desk(an_agent("ann"))
    desk.close("c1", 9, "channel", "contact")
    desk.request("c1", 10, a_wish())
    drain(desk)
    assert outcome(desk, "c1") == ("assigned", "ann")


def test_the_writer_gets_it_beyond_capacity_when_nobody_had_it() -> None:
    desk = a_desk(an_agent("ann", capacity=1, load=1), assignments=(a_waiting("c1", 1),))
    desk.take("c1", 2, "channel", "contact", Assignee("ann", "Ann"))
    drain(desk)
    assert outcome(desk, "c1") == ("assigned", "ann")
    assert desk.agents["ann"].load == 2
    assert (decision(desk, "c1").rule, decision(desk, "c1").actor) == ("take", Actor("agent", "ann", "Ann"))


def test_the_writer_is_remembered_and_not_chosen_when_presence_never_told_of_them() -> None:
    desk = a_desk()
    desk.take("c1", 2, "channel", "contact", Assignee("new", "New"))
    desk.request("c2", 1, a_wish())
    drain(desk)
    assert desk.agents["new"].load == 1
    assert outcome(desk, "c2") == ("queued", None)


def test_the_owner_keeps_it_when_another_wrote() -> None:
    desk = a_desk(an_agent("ann", load=1), an_agent("bob"), assignments=(held("c1", "ann"),))
    desk.take("c1", 6, "channel", "contact", Assignee("bob", "Bob"))
    assert outcome(desk, "c1") == ("assigned", "ann")
    assert desk.told["c1"].decision is None
    assert desk.agents["bob"].load == 0


def test_it_leaves_the_line_when_handed_back_to_the_bot() -> None:
    desk = a_desk(assignments=(a_waiting("c1", 1),))
    desk.give_back("c1", 2, "channel", "contact", ALICE)
    drain(desk)
    assert outcome(desk, "c1") == ("unassigned", None)
    assert desk.assignments["c1"].place is None
    assert (decision(desk, "c1").action, decision(desk, "c1").rule) == ("returned", "return")


def test_anyone_can_be_given_it_when_by_hand() -> None:
    desk = a_desk(an_agent("bob", capacity=1, load=1, connected=False, available=False))
    desk.assign("c1", "channel", "contact", "bob", ALICE)
    assert outcome(desk, "c1") == ("assigned", "bob")
    assert desk.agents["bob"].load == 2
    assert decision(desk, "c1").reason == "Assigned to Bob by Alice."


def test_both_loads_follow_and_the_line_moves_when_it_is_transferred() -> None:
    desk = a_desk(an_agent("ann", capacity=1, load=1), an_agent("bob"), assignments=(held("c1", "ann"),))
    desk.assign("c1", "channel", "contact", "bob", ALICE)
    drain(desk, [a_waiting("next", 1, allowed=("ann",))])
    assert outcome(desk, "c1") == ("assigned", "bob")
    assert decision(desk, "c1").reason == "Moved from Ann to Bob by Alice."
    assert outcome(desk, "next") == ("assigned", "ann")
    assert {agent.id: agent.load for agent in desk.agents.values()} == {"ann": 1, "bob": 1}


def test_nothing_changes_when_the_same_agent_is_assigned_again() -> None:
    desk = a_desk(an_agent("ann", load=1), assignments=(held("c1", "ann"),))
    desk.assign("c1", "channel", "contact", "ann", ALICE)
    assert desk.told == {}
    assert desk.agents["ann"].load == 1


def test_it_neither_waits_nor_is_held_when_unassigned_by_hand() -> None:
    desk = a_desk(an_agent("ann", load=1), assignments=(held("c1", "ann"),))
    desk.unassign("c1", ALICE)
    drain(desk)
    assert outcome(desk, "c1") == ("unassigned", None)
    assert desk.agents["ann"].load == 0
    desk.told.clear()
    desk.unassign("c1", ALICE)
    assert desk.told == {}


def test_only_the_newest_word_counts_when_presence_speaks_out_of_order() -> None:
    desk = a_desk()
    news = Snapshot("ann", "Ann", "agent", True, "available", 3, True, 4)
    desk.learn(news)
    desk.learn(replace(news, availability="busy", version=3))
    desk.learn(replace(news, availability="busy", version=4))
    assert desk.agents["ann"] == Agent("ann", "Ann", "agent", True, "available", 3, True, 4, shift=1)


def test_loads_are_corrected_and_the_line_is_served_when_they_were_wrong() -> None:
    desk = a_desk(an_agent("ann", capacity=2, load=2), an_agent("bob", load=0))
    desk.recount({"bob": 1})
    drain(desk, [a_waiting("c1", 1), a_waiting("c2", 2)])
    assert [(c.agent_id, c.recorded, c.actual) for c in desk.corrections] == [("ann", 2, 0), ("bob", 0, 1)]
    assert outcome(desk, "c1") == ("assigned", "ann")
    assert outcome(desk, "c2") == ("assigned", "bob")
    assert {agent.id: agent.load for agent in desk.agents.values()} == {"ann": 1, "bob": 2}


def test_agents_take_turns_when_requests_follow_each_other() -> None:
    desk = a_desk(*(an_agent(name, capacity=9) for name in ("ann", "bob", "cyd")))
    given = []
    for number in range(6):
        desk.request(f"c{number}", 1, a_wish(number, strategy="round_robin"))
        drain(desk)
        given.append(outcome(desk, f"c{number}")[1])
    assert given == ["ann", "bob", "cyd"] * 2
