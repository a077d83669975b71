from typing import Any

import pytest

from services.common.errors import Conflict, Invalid
from services.messaging import domain
from services.messaging.flows.check import load_flow
from services.messaging.turn import Turn
from tests.unit.messaging.flows import ACME

FLOW, _ = load_flow(ACME)
ANN = {"kind": "agent", "id": "ann", "name": "Ann", "role": "agent"}
BEN = {"kind": "agent", "id": "ben", "name": "Ben", "role": "agent"}
CHANNEL = {"_id": "shop", "name": "Shop", "kind": "web", "flow_id": "f1"}
CONTACT = {"_id": "c1", "name": "Teal Otter"}


def committed(turn: Turn) -> dict[str, Any]:
    turn.finish()
    return turn.conversation | {"version": turn.conversation["version"] + 1}


def begun() -> dict[str, Any]:
    return committed(domain.begin_conversation(CHANNEL, CONTACT, FLOW))


def at_handover() -> dict[str, Any]:
    conversation = begun()
    for number, text in enumerate(["Ann Visitor", "ann@example.org", "quote"]):
        conversation = committed(domain.visitor_writes(conversation, FLOW, text, None, f"m{number}"))
    return conversation


def types(turn: Turn) -> list[str]:
    return [event.type for event in turn.finish()]


def assignment(outcome: str, agent: dict[str, Any] | None = None, position: int | None = None, heard: int = 99) -> dict[str, Any]:
    assignee = agent and {"id": agent["id"], "name": agent["name"]}
    return {"outcome": outcome, "assignee": assignee, "queue_position": position, "conversation_version": heard}


def test_conversation_is_announced_before_its_messages_when_it_begins() -> None:
    turn = domain.begin_conversation(CHANNEL, CONTACT, FLOW)
    assert types(turn) == ["conversation_started", "message_posted", "message_posted"]
    assert [message["seq"] for message in turn.messages] == [1, 2]


def test_bot_answers_in_the_same_turn_when_the_visitor_writes() -> None:
    turn = domain.visitor_writes(begun(), FLOW, "Ann", None, "m1")
    assert [(m["seq"], m["author"]["kind"]) for m in turn.messages] == [(3, "visitor"), (4, "bot")]
    assert types(turn) == ["message_posted", "visitor_engaged", "message_posted", "field_collected"]
    assert turn.conversation["unread_count"] == 1


def test_visitor_is_engaged_once_when_it_writes_again() -> None:
    conversation = committed(domain.visitor_writes(begun(), FLOW, "Ann", None, "m1"))
    assert "visitor_engaged" not in types(domain.visitor_writes(conversation, FLOW, "x", None, "m2"))


def test_agent_is_asked_for_when_the_flow_reaches_its_assign_block() -> None:
    conversation = begun()
    for number, text in enumerate(["Ann Visitor", "ann@example.org"]):
        conversation = committed(domain.visitor_writes(conversation, FLOW, text, None, f"m{number}"))
    turn = domain.visitor_writes(conversation, FLOW, None, "quote", "m9")
    assert turn.messages[0]["text"] == "A quote"
    assert turn.conversation["handler"] == "queue"
    assert types(turn)[-2:] == ["assignment_requested", "conversation_updated"]


def test_bot_stays_silent_when_an_agent_has_the_conversation() -> None:
    conversation = committed(domain.agent_writes(begun(), ANN, "Hi", "a1"))
    turn = domain.visitor_writes(conversation, FLOW, "Hello", None, "m1")
    assert [message["author"]["kind"] for message in turn.messages] == ["visitor"]


def test_agent_takes_the_conversation_when_nobody_has_it() -> None:
    turn = domain.agent_writes(at_handover(), ANN, "Hi", "a1")
    assert (turn.conversation["handler"], turn.conversation["assignee"]) == ("agent", {"id": "ann", "name": "Ann"})
    assert types(turn) == ["message_posted", "conversation_taken", "conversation_assigned"]
    assert turn.conversation["unread_count"] == 0


def test_assignee_stays_when_another_agent_writes() -> None:
    conversation = committed(domain.agent_writes(begun(), ANN, "Hi", "a1"))
    turn = domain.agent_writes(conversation, BEN, "Hi too", "b1")
    assert turn.conversation["assignee"]["id"] == "ann"
    assert types(turn) == ["message_posted"]


def test_writing_is_refused_when_the_conversation_is_archived() -> None:
    archived = committed(domain.archive(begun()))
    with pytest.raises(Conflict) as refused:
        domain.agent_writes(archived, ANN, "Hi", "a1")
    assert refused.value.error_code == "CONVERSATION_ARCHIVED"


def test_nothing_happens_when_an_archived_conversation_is_archived_again() -> None:
    turn = domain.archive(committed(domain.archive(begun())))
    assert (turn.changes, types(turn)) == ({}, [])


def test_assignee_shows_when_the_assignment_service_decided() -> None:
    turn = domain.follow_assignment(at_handover(), assignment("assigned", ANN), 3, FLOW)
    assert (turn.conversation["handler"], turn.conversation["assignee"]["id"]) == ("agent", "ann")
    assert types(turn) == ["conversation_assigned"]


def test_owner_of_the_truth_wins_when_it_decided_otherwise() -> None:
    taken = committed(domain.agent_writes(at_handover(), ANN, "Hi", "a1"))
    turn = domain.follow_assignment(taken, assignment("assigned", BEN), 2, FLOW)
    assert turn.conversation["assignee"]["id"] == "ben"


@pytest.mark.parametrize(("outcome", "told"), [("assigned", ["conversation_archived"]), ("closed", []), ("unassigned", [])])
def test_archiving_is_said_again_when_somebody_was_given_it_meanwhile(outcome: str, told: list[str]) -> None:
    archived = committed(domain.archive(at_handover()))
    turn = domain.follow_assignment(archived, assignment(outcome, ANN if outcome == "assigned" else None), 7, FLOW)
    assert types(turn) == told
    assert turn.conversation["status"] == "archived"


def test_place_in_the_queue_shows_when_nobody_is_eligible() -> None:
    turn = domain.follow_assignment(at_handover(), assignment("queued", position=3), 1, FLOW)
    assert turn.conversation["queue"] == {"position": 3, "estimated_wait_seconds": None}
    assert types(turn) == ["conversation_updated"]


def test_nothing_is_told_when_the_assignment_changed_nothing_visible() -> None:
    conversation = committed(domain.follow_assignment(at_handover(), assignment("queued", position=3), 1, FLOW))
    turn = domain.follow_assignment(conversation, assignment("queued", position=3), 2, FLOW)
    assert types(turn) == []
    assert turn.changes["assignment_version"] == 2


def test_flow_goes_on_at_its_branch_when_nobody_is_available() -> None:
    flow, problems = load_flow(
        {
            "start": "a",
            "blocks": {
                "a": {"type": "assign", "unavailable": "sorry"},
                "sorry": {"type": "message", "text": "Nobody is here.", "next": None},
            },
        }
    )
    assert problems == {}
    conversation = committed(domain.begin_conversation(CHANNEL, CONTACT, flow))
    turn = domain.follow_assignment(conversation, assignment("unavailable"), 1, flow)
    assert [message["text"] for message in turn.messages] == ["Nobody is here."]
    assert turn.conversation["handler"] == "bot"


def test_bot_repeats_its_question_when_it_gets_the_conversation_back() -> None:
    taken = committed(domain.agent_writes(begun(), ANN, "Hi", "a1"))
    turn = domain.return_to_bot(taken, FLOW, ANN)
    assert [message["text"] for message in turn.messages] == ["What is your name?"]
    assert "conversation_returned" in types(turn)
    assert (turn.conversation["handler"], turn.conversation["assignee"]) == ("bot", None)


def test_present_agent_is_released_by_the_request_when_the_flow_asks_for_one_at_once() -> None:
    flow, _ = load_flow({"start": "a", "blocks": {"a": {"type": "assign"}}})
    taken = committed(domain.agent_writes(committed(domain.begin_conversation(CHANNEL, CONTACT, flow)), ANN, "Hi", "a1"))
    turn = domain.return_to_bot(taken, flow, ANN)
    events = {event.type: event.data for event in turn.finish()}
    assert events["assignment_requested"]["release"] is True
    assert "conversation_returned" not in events


def test_human_is_asked_for_when_the_flow_cannot_go_on() -> None:
    conversation = begun()
    conversation["flow"]["at"] = "removed"
    turn = domain.visitor_writes(conversation, FLOW, "Hello", None, "m1")
    assert turn.conversation["handler"] == "queue"
    assert turn.messages[-1]["text"] == domain.FALLBACK_TEXT


def test_conversation_waits_for_anyone_when_it_is_reopened() -> None:
    turn = domain.reopen(committed(domain.archive(at_handover())))
    assert (turn.conversation["status"], turn.conversation["handler"], turn.conversation["assignee"]) == ("open", "agent", None)


def test_read_marker_moves_forward_only_when_asked_back() -> None:
    conversation = committed(domain.mark_read(at_handover(), "agent", 5, 0))
    assert domain.mark_read(conversation, "agent", 3, 9).changes == {}
    assert domain.mark_read(conversation, "agent", 10**6, 0).conversation["read_seq"] == conversation["last_seq"]


def test_repeat_is_refused_when_it_says_something_else() -> None:
    message = domain.visitor_writes(begun(), FLOW, "Ann", None, "m1").messages[0]
    assert domain.check_repeat(message, "visitor", "c1", "Ann") is message
    with pytest.raises(Invalid):
        domain.check_repeat(message, "visitor", "c1", "Ben")
    with pytest.raises(Invalid):
        domain.check_repeat(message, "agent", "ann", "Ann")


def test_name_follows_when_the_contact_has_another() -> None:
    turn = domain.rename_contact(begun(), "Ann")
    assert turn.conversation["contact"]["name"] == "Ann"
    assert types(turn) == ["conversation_updated"]
    assert domain.rename_contact(begun(), "Teal Otter").changes == {}


@pytest.mark.parametrize("late", [assignment("queued", position=1, heard=1), assignment("unavailable", heard=1)])
def test_bot_keeps_the_conversation_when_an_older_decision_arrives_late(late: dict[str, Any]) -> None:
    taken = committed(domain.agent_writes(begun(), ANN, "Hi", "a1"))
    returned = committed(domain.return_to_bot(taken, FLOW, ANN))
    turn = domain.follow_assignment(returned, late, 3, FLOW)
    assert (turn.conversation["handler"], turn.conversation["flow"]) == ("bot", returned["flow"])
    assert types(turn) == []
    said_again = assignment("unassigned", heard=returned["desk_version"])
    assert domain.follow_assignment(committed(turn), said_again, 4, FLOW).conversation["handler"] == "bot"
