from datetime import timedelta
from typing import Any

import pytest

from services.common.times import from_wire, now, to_wire
from services.messaging import domain, handovers
from services.messaging.flows.engine import AssignmentWanted
from tests.unit.messaging.conversations import (
    ANN,
    BEN,
    CHANNEL,
    CLOSED,
    CONTACT,
    FLOW,
    assignment,
    at_handover,
    begin_conversation,
    begun,
    committed,
    data,
    flow,
    follow_assignment,
    return_to_bot,
    taken,
    types,
    visitor_writes,
)

ASKING = flow(a={"type": "assign", "text": "Somebody is coming."})
# Outside business hours, or when nobody is there, the bot asks when to write.
OFFICE = flow(
    a={"type": "assign", "text": "Somebody is coming.", "team": "sales", "priority": "high", "unavailable": "b"},
    b={"type": "question", "kind": "text", "text": "When may we write?", "field": "when", "next": "a"},
)
ROBOT = {"kind": "bot", "id": "t1", "name": "Robot", "role": None}


def test_assignee_shows_when_the_assignment_service_decided() -> None:
    turn = follow_assignment(at_handover(), assignment("assigned", ANN), 3, FLOW)
    assert (turn.conversation["handler"], turn.conversation["assignee"]["id"]) == ("agent", "ann")
    assert types(turn) == ["conversation_assigned"]


def test_owner_of_the_truth_wins_when_it_decided_otherwise() -> None:
    hers = committed(domain.agent_writes(at_handover(), ANN, "Hi", "a1"))
    turn = follow_assignment(hers, assignment("assigned", BEN), 2, FLOW)
    assert turn.conversation["assignee"]["id"] == "ben"


@pytest.mark.parametrize(("outcome", "told"), [("assigned", ["conversation_archived"]), ("closed", []), ("unassigned", [])])
def test_archiving_is_said_again_when_somebody_was_given_it_meanwhile(outcome: str, told: list[str]) -> None:
    archived = committed(domain.archive(at_handover(), ANN))
    turn = follow_assignment(archived, assignment(outcome, ANN if outcome == "assigned" else None), 7, FLOW)
    assert types(turn) == told
    assert turn.conversation["status"] == "archived"


def test_place_in_the_queue_shows_when_nobody_is_eligible() -> None:
    turn = follow_assignment(at_handover(), assignment("queued", position=3), 1, FLOW)
    assert turn.conversation["queue"] == {"position": 3, "estimated_wait_seconds": None}
    assert types(turn) == ["conversation_updated"]


def test_nothing_is_told_when_the_assignment_changed_nothing_visible() -> None:
    conversation = committed(follow_assignment(at_handover(), assignment("queued", position=3), 1, FLOW))
    turn = follow_assignment(conversation, assignment("queued", position=3), 2, FLOW)
    assert types(turn) == []
    assert turn.changes["assignment_version"] == 2


def test_flow_goes_on_at_its_branch_when_nobody_is_available() -> None:
    sorry = flow(a={"type": "assign", "unavailable": "sorry"}, sorry={"type": "message", "text": "Nobody is here.", "next": None})
    turn = follow_assignment(begun(sorry), assignment("unavailable"), 1, sorry)
    assert [message["text"] for message in turn.messages] == ["Nobody is here."]
    assert turn.conversation["handler"] == "bot"


def test_bot_repeats_its_question_when_it_gets_the_conversation_back() -> None:
    turn = return_to_bot(taken(), FLOW, ANN)
    assert [message["text"] for message in turn.messages] == ["What is your name?"]
    assert "conversation_returned" in types(turn)
    assert (turn.conversation["handler"], turn.conversation["assignee"]) == ("bot", None)


def test_present_agent_is_released_by_the_request_when_the_flow_asks_for_one_at_once() -> None:
    turn = return_to_bot(committed(domain.agent_writes(begun(ASKING), ANN, "Hi", "a1")), ASKING, ANN)
    assert data(turn, "assignment_requested")["release"] is True
    assert "conversation_returned" not in types(turn)


@pytest.mark.parametrize("late", [assignment("queued", position=1, heard=1), assignment("unavailable", heard=1)])
def test_bot_keeps_the_conversation_when_an_older_decision_arrives_late(late: dict[str, Any]) -> None:
    returned = committed(return_to_bot(taken(), FLOW, ANN))
    turn = follow_assignment(returned, late, 3, FLOW)
    assert (turn.conversation["handler"], turn.conversation["flow"]) == ("bot", returned["flow"])
    assert types(turn) == []
    said_again = assignment("unassigned", heard=returned["desk_version"])
    assert follow_assignment(committed(turn), said_again, 4, FLOW).conversation["handler"] == "bot"


def test_wish_of_the_block_reaches_the_desk_when_the_flow_asks() -> None:
    turn = begin_conversation(CHANNEL, CONTACT, OFFICE)
    wish = data(turn, "assignment_requested")
    assert (wish["team_id"], wish["priority"], wish["agents"], wish["unavailable"]) == ("sales", "high", None, "b")


def test_wish_reaches_the_desk_when_an_agent_is_asked_for_from_outside() -> None:
    turn = handovers.request_assignment(begun(None), ROBOT, AssignmentWanted("random", None, "sales", "low"))
    wish = data(turn, "assignment_requested")
    assert (wish["strategy"], wish["team_id"], wish["priority"], wish["unavailable"]) == ("random", "sales", "low", "wait")
    assert turn.conversation["awaiting_answer_since"] == turn.at
    again = handovers.request_assignment(committed(turn), ROBOT, AssignmentWanted())
    assert types(again) == []


def test_estimate_shows_when_the_assignment_service_has_one() -> None:
    turn = follow_assignment(at_handover(), assignment("queued", position=3, estimated_wait_seconds=240), 1, FLOW)
    assert turn.conversation["queue"] == {"position": 3, "estimated_wait_seconds": 240}
    better = follow_assignment(committed(turn), assignment("queued", position=3, estimated_wait_seconds=60), 2, FLOW)
    assert types(better) == ["conversation_updated"]


def left(conversation: dict[str, Any], played: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return committed(follow_assignment(conversation, assignment("left", **more), 7, played))


def test_bot_has_the_conversation_at_the_same_place_when_the_visitor_stopped_waiting() -> None:
    queued = committed(follow_assignment(at_handover(), assignment("queued", position=3), 1, FLOW))
    turn = follow_assignment(queued, assignment("left"), 2, FLOW)
    after = turn.conversation
    assert (after["handler"], after["assignee"], after["queue"], after["flow"]["at"]) == ("bot", None, None, "handover")
    assert types(turn) == ["conversation_updated"]


def test_agent_is_asked_for_once_a_message_when_the_visitor_is_back() -> None:
    conversation = left(at_handover(), FLOW)
    turn = visitor_writes(conversation, FLOW, "Hello?", None, "m8")
    assert [message["text"] for message in turn.messages] == ["Hello?", "A colleague will be right with you."]
    assert types(turn) == ["message_posted", "message_posted", "assignment_requested", "conversation_updated"]
    assert turn.conversation["desk_version"] == conversation["version"] + 1
    assert types(visitor_writes(committed(turn), FLOW, "Anyone?", None, "m9")) == ["message_posted"]
    again = left(committed(turn), FLOW)
    assert "assignment_requested" in types(visitor_writes(again, FLOW, "Me again", None, "m10"))


def test_leaving_is_not_shown_when_it_was_decided_before_the_visitor_asked_again() -> None:
    asked = committed(visitor_writes(left(at_handover(), FLOW), FLOW, "Hello?", None, "m8"))
    turn = follow_assignment(asked, assignment("left", heard=asked["desk_version"] - 1), 8, FLOW)
    assert (turn.conversation["handler"], types(turn)) == ("queue", [])


def test_other_way_is_taken_when_the_visitor_is_back_outside_business_hours() -> None:
    conversation = left(begun(OFFICE), OFFICE)
    turn = visitor_writes(conversation, OFFICE, "Hello?", None, "m1", facts=CLOSED)
    assert [message["text"] for message in turn.messages] == ["Hello?", "When may we write?"]
    assert (turn.conversation["handler"], turn.conversation["flow"]["at"]) == ("bot", "b")
    assert "assignment_requested" not in types(turn)


ABSENT = {"rule": "visitor_absent"}


def test_agent_is_asked_for_again_when_a_visitor_believed_absent_wrote_before_that_was_heard_of() -> None:
    waiting = at_handover()
    written = committed(visitor_writes(waiting, FLOW, "I am still here", None, "m8"))
    just_now, later = (to_wire(now() + timedelta(seconds=after)) for after in (1, 60))
    turn = follow_assignment(written, assignment("left", changed_at=just_now, decision=ABSENT), 2, FLOW)
    assert types(turn) == ["message_posted", "assignment_requested", "conversation_updated"]
    assert (turn.conversation["handler"], turn.conversation["desk_version"]) == ("queue", written["version"] + 1)
    assert left(written, FLOW, changed_at=later, decision=ABSENT)["handler"] == "bot"
    assert left(waiting, FLOW, changed_at=later, decision=ABSENT)["handler"] == "bot"
    assert left(written, FLOW, changed_at=just_now, decision={"rule": "visitor_left"})["handler"] == "bot"


def test_question_is_asked_again_when_who_gave_too_many_wrong_answers_wrote_before_leaving_was_heard_of() -> None:
    asking = flow(a={"type": "question", "kind": "email", "text": "Your e-mail?", "field": "email", "retries": 1, "next": None})
    conversation = begun(asking)
    for number, text in enumerate(["no", "no!", "Are you there?"]):
        conversation = committed(visitor_writes(conversation, asking, text, None, f"m{number}"))
    assert (conversation["handler"], conversation["flow"]["tries"]) == ("queue", 2)
    turn = follow_assignment(conversation, assignment("left", decision=ABSENT), 2, asking)
    assert [message["text"] for message in turn.messages] == ["Your e-mail?"]
    assert (turn.conversation["handler"], turn.conversation["flow"]["tries"]) == ("bot", 0)
    silent = conversation | {"last_message": conversation["last_message"] | {"author": {"kind": "bot"}}}
    assert follow_assignment(silent, assignment("left", decision=ABSENT), 2, asking).messages == []


def test_flow_goes_on_behind_its_delay_when_the_visitor_wrote_before_leaving_was_heard_of() -> None:
    slow = flow(a={"type": "delay", "seconds": 60, "next": "b"}, b={"type": "message", "text": "Back again.", "next": None})
    asked = committed(handovers.request_assignment(begun(slow), ROBOT, AssignmentWanted()))
    written = committed(visitor_writes(asked, slow, "Hello?", None, "m1"))
    turn = follow_assignment(written, assignment("left", decision=ABSENT), 2, slow)
    assert [message["text"] for message in turn.messages] == ["Back again."]


@pytest.mark.parametrize("decision", [{"rule": "visitor_left"}, ABSENT])
def test_agent_is_asked_for_again_when_who_left_is_back_and_no_flow_goes_on(decision: dict[str, Any]) -> None:
    asked = committed(handovers.request_assignment(begun(None), ROBOT, AssignmentWanted(priority="high")))
    conversation = left(asked, None, decision=decision, changed_at=to_wire(now()))
    turn = visitor_writes(conversation, None, "Hello again", None, "m1")
    assert types(turn) == ["message_posted", "visitor_engaged", "assignment_requested", "conversation_updated"]
    wanted = data(turn, "assignment_requested")
    assert (wanted["strategy"], wanted["requested_by"]["kind"]) == ("least_busy", "visitor")
    assert types(visitor_writes(committed(turn), None, "Anyone?", None, "m2")) == ["message_posted"]


def test_nobody_is_asked_for_when_a_visitor_who_never_stood_in_line_writes_without_a_flow() -> None:
    assert "assignment_requested" not in types(visitor_writes(begun(None), None, "Hello", None, "m1"))
    hers = committed(domain.agent_writes(left(at_handover(), FLOW), ANN, "Hi", "a1"))
    returned = committed(return_to_bot(hers, None, ANN))
    assert "assignment_requested" not in types(visitor_writes(returned, None, "Hello", None, "m1"))


def test_waiting_is_told_when_the_visitor_writes_in_line_after_an_answer() -> None:
    queued = committed(follow_assignment(at_handover(), assignment("queued", position=1), 1, FLOW))
    silent = queued | {"awaiting_answer_since": None}  # an agent had it, answered, and lost it
    assert types(visitor_writes(silent, FLOW, "And now?", None, "m9")) == ["message_posted", "answer_awaited"]
    assert types(visitor_writes(queued, FLOW, "And now?", None, "m9")) == ["message_posted"]


def test_archiving_alone_is_told_when_the_flow_closes_what_was_handed_back() -> None:
    closing = flow(a={"type": "assign", "unavailable": "b"}, b={"type": "close", "text": "Bye."})
    hers = committed(domain.agent_writes(begun(closing), ANN, "Hi", "a1"))
    turn = return_to_bot(hers, closing, ANN, facts=CLOSED)
    assert types(turn) == ["message_posted", "conversation_archived"]


def test_question_is_asked_once_more_when_the_visitor_left_the_line_in_the_middle_of_the_flow() -> None:
    asked = committed(handovers.request_assignment(begun(), ROBOT, AssignmentWanted()))
    turn = visitor_writes(left(asked, FLOW), FLOW, "Ann", None, "m1")
    assert [message["text"] for message in turn.messages] == ["Ann", "And your e-mail, Ann?"]


def test_leaving_changes_nothing_when_the_conversation_is_archived() -> None:
    archived = committed(domain.archive(at_handover(), ANN))
    turn = follow_assignment(archived, assignment("left"), 7, FLOW)
    assert (turn.conversation["handler"], types(turn)) == (archived["handler"], [])


def test_bot_goes_its_other_way_when_it_gets_the_conversation_back_outside_business_hours() -> None:
    hers = committed(domain.agent_writes(begun(OFFICE), ANN, "Hi", "a1"))
    turn = return_to_bot(hers, OFFICE, ANN, facts=CLOSED)
    assert [message["text"] for message in turn.messages] == ["When may we write?"]
    assert "conversation_returned" in types(turn)
    assert "assignment_requested" not in types(turn)


def test_second_desk_is_skipped_outside_business_hours_when_the_first_had_nobody() -> None:
    desks = flow(
        a={"type": "assign", "unavailable": "b"},
        b={"type": "assign", "team": "night", "unavailable": "c"},
        c={"type": "message", "text": "Nobody is here.", "next": None},
    )
    closed = follow_assignment(begun(desks), assignment("unavailable"), 1, desks, facts=CLOSED)
    assert [message["text"] for message in closed.messages] == ["Nobody is here."]
    opened = follow_assignment(begun(desks), assignment("unavailable"), 1, desks)
    assert data(opened, "assignment_requested")["team_id"] == "night"


def test_visitor_goes_on_waiting_when_the_conversation_returns_to_the_line() -> None:
    conversation = committed(visitor_writes(taken(), FLOW, "Hello?", None, "m1"))
    turn = follow_assignment(conversation, assignment("queued", position=1), 4, FLOW)
    assert (turn.conversation["handler"], turn.conversation["assignee"]) == ("queue", None)
    assert turn.conversation["awaiting_answer_since"] == conversation["awaiting_answer_since"]


def test_desk_hears_that_the_visitor_waits_when_the_agent_was_given_it_by_hand() -> None:
    waiting = committed(visitor_writes(begun(None), None, "Hello?", None, "m1"))
    turn = follow_assignment(waiting, assignment("assigned", ANN), 1, None)
    assert types(turn) == ["answer_awaited", "conversation_assigned"]
    assert from_wire(data(turn, "answer_awaited")["since"]) == waiting["awaiting_answer_since"]
    assert "desk_version" not in turn.changes
    assert types(follow_assignment(committed(turn), assignment("assigned", ANN), 2, None)) == []


def test_desk_needs_no_word_of_who_waits_when_it_was_asked_or_nobody_waits() -> None:
    assert types(follow_assignment(at_handover(), assignment("assigned", ANN), 1, FLOW)) == ["conversation_assigned"]
    assert types(follow_assignment(begun(), assignment("assigned", ANN), 1, FLOW)) == ["conversation_assigned"]
