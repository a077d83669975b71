from typing import Any

import pytest

from services.common.errors import Conflict, Invalid
from services.messaging import domain, views
from services.messaging.bot import FALLBACK_TEXT
from tests.unit.messaging.conversations import (
    ANN,
    BEN,
    CHANNEL,
    CLOSED,
    CONTACT,
    FLOW,
    at_handover,
    at_topic,
    begin_conversation,
    begun,
    committed,
    data,
    flow,
    taken,
    types,
    visitor_writes,
)

ADA = {"kind": "agent", "id": "ada", "name": "Ada", "role": "admin"}
BOT = {"kind": "bot", "id": "t1", "name": "Robot", "role": None}


def test_conversation_is_announced_before_its_messages_when_it_begins() -> None:
    turn = begin_conversation(CHANNEL, CONTACT, FLOW)
    assert types(turn) == ["conversation_started", "message_posted", "message_posted"]
    assert [message["seq"] for message in turn.messages] == [1, 2]


def test_bot_answers_in_the_same_turn_when_the_visitor_writes() -> None:
    turn = visitor_writes(begun(), FLOW, "Ann", None, "m1")
    assert [(m["seq"], m["author"]["kind"]) for m in turn.messages] == [(3, "visitor"), (4, "bot")]
    assert types(turn) == ["message_posted", "visitor_engaged", "message_posted", "field_collected"]
    assert turn.conversation["unread_count"] == 1


def test_visitor_is_engaged_once_when_it_writes_again() -> None:
    conversation = committed(visitor_writes(begun(), FLOW, "Ann", None, "m1"))
    assert "visitor_engaged" not in types(visitor_writes(conversation, FLOW, "x", None, "m2"))


def test_agent_is_asked_for_when_the_flow_reaches_its_assign_block() -> None:
    turn = visitor_writes(at_topic(), FLOW, None, "quote", "m9")
    assert turn.messages[0]["text"] == "A quote"
    assert turn.conversation["handler"] == "queue"
    assert types(turn)[-2:] == ["assignment_requested", "conversation_updated"]


def test_bot_stays_silent_when_an_agent_has_the_conversation() -> None:
    conversation = taken()
    turn = visitor_writes(conversation, FLOW, "Hello", None, "m1")
    assert [message["author"]["kind"] for message in turn.messages] == ["visitor"]


def test_agent_takes_the_conversation_when_nobody_has_it() -> None:
    turn = domain.agent_writes(at_handover(), ANN, "Hi", "a1")
    assert (turn.conversation["handler"], turn.conversation["assignee"]) == ("agent", {"id": "ann", "name": "Ann"})
    assert types(turn) == ["message_posted", "conversation_taken", "conversation_assigned"]
    assert turn.conversation["unread_count"] == 0


def test_assignee_stays_when_another_agent_writes() -> None:
    conversation = taken()
    turn = domain.agent_writes(conversation, BEN, "Hi too", "b1")
    assert turn.conversation["assignee"]["id"] == "ann"
    assert types(turn) == ["message_posted"]


def test_writing_is_refused_when_the_conversation_is_archived() -> None:
    archived = committed(domain.archive(begun(), ADA))
    with pytest.raises(Conflict) as refused:
        domain.agent_writes(archived, ANN, "Hi", "a1")
    assert refused.value.error_code == "CONVERSATION_ARCHIVED"


def test_nothing_happens_when_an_archived_conversation_is_archived_again() -> None:
    turn = domain.archive(committed(domain.archive(begun(), ADA)), BEN)
    assert (turn.changes, types(turn)) == ({}, [])


def test_human_is_asked_for_when_the_flow_cannot_go_on() -> None:
    conversation = begun()
    conversation["flow"]["at"] = "removed"
    turn = visitor_writes(conversation, FLOW, "Hello", None, "m1")
    assert turn.conversation["handler"] == "queue"
    assert turn.messages[-1]["text"] == FALLBACK_TEXT


def test_conversation_waits_for_anyone_when_it_is_reopened() -> None:
    turn = domain.reopen(committed(domain.archive(at_handover(), ADA)))
    assert (turn.conversation["status"], turn.conversation["handler"], turn.conversation["assignee"]) == ("open", "agent", None)


def test_read_marker_moves_forward_only_when_asked_back() -> None:
    conversation = committed(domain.mark_read(at_handover(), "agent", 5, 0))
    assert domain.mark_read(conversation, "agent", 3, 9).changes == {}
    assert domain.mark_read(conversation, "agent", 10**6, 0).conversation["read_seq"] == conversation["last_seq"]


def test_repeat_is_refused_when_it_says_something_else() -> None:
    message = visitor_writes(begun(), FLOW, "Ann", None, "m1").messages[0]
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


def test_archived_conversation_says_who_archived_it_until_it_is_open_again() -> None:
    archived = committed(domain.archive(taken(), ADA))
    assert archived["archived_by"] == {"kind": "agent", "id": "ada", "name": "Ada"}
    assert domain.reopen(archived).conversation["archived_by"] is None


def test_bot_archives_when_its_flow_ends_with_goodbye() -> None:
    turn = visitor_writes(at_topic(), FLOW, None, "looking", "m9")
    assert (turn.conversation["status"], turn.conversation["awaiting_answer_since"]) == ("archived", None)
    assert turn.conversation["archived_by"] == {"kind": "bot", "id": None, "name": "Shop"}
    assert types(turn)[-1] == "conversation_archived"


def test_other_way_is_taken_when_a_conversation_begins_outside_business_hours() -> None:
    out_of_office = flow(
        a={"type": "assign", "text": "Somebody is coming.", "unavailable": "b"},
        b={"type": "message", "text": "We are closed.", "next": None},
    )
    turn = begin_conversation(CHANNEL, CONTACT, out_of_office, facts=CLOSED)
    assert [message["text"] for message in turn.messages] == ["We are closed."]
    assert types(turn) == ["conversation_started", "message_posted"]
    assert "assignment_requested" in types(begin_conversation(CHANNEL, CONTACT, out_of_office))


def test_conversation_begins_open_when_its_flow_would_close_it_at_once_outside_business_hours() -> None:
    closing = flow(a={"type": "assign", "unavailable": "b"}, b={"type": "close", "text": "We are closed."})
    conversation = begun(closing, facts=CLOSED)
    assert (conversation["status"], conversation["handler"], conversation["flow"]["at"]) == ("open", "bot", None)
    written = visitor_writes(conversation, closing, "Hello?", None, "m1", facts=CLOSED)
    assert written.conversation["awaiting_answer_since"] == written.at


def test_visitor_waits_for_an_answer_until_the_bot_has_given_it() -> None:
    turn = visitor_writes(begun(), FLOW, "Ann", None, "m1")
    assert turn.conversation["awaiting_answer_since"] is None
    unanswered = committed(visitor_writes(begun(None), None, "Hello?", None, "m1"))
    later = visitor_writes(unanswered, None, "Anyone?", None, "m2")
    assert unanswered["awaiting_answer_since"] is not None
    assert later.conversation["awaiting_answer_since"] == unanswered["awaiting_answer_since"]
    assert domain.bot_writes(unanswered, BOT, "Hi", None, "b1").conversation["awaiting_answer_since"] is None


def test_visitor_waits_for_an_agent_when_the_flow_has_asked_for_one() -> None:
    conversation = at_handover()
    assert conversation["awaiting_answer_since"] == conversation["last_message"]["created_at"]
    later = committed(visitor_writes(conversation, FLOW, "Hello?", None, "m8"))
    assert later["awaiting_answer_since"] == conversation["awaiting_answer_since"]
    soothed = domain.bot_writes(later, BOT, "A moment.", None, "b1")
    assert soothed.conversation["awaiting_answer_since"] == conversation["awaiting_answer_since"]
    assert domain.agent_writes(later, ANN, "Hi", "a1").conversation["awaiting_answer_since"] is None


def test_desk_hears_once_that_an_agent_is_awaited_when_the_visitor_writes_again_and_again() -> None:
    turn = visitor_writes(taken(), FLOW, "Hello?", None, "m1")
    assert types(turn) == ["message_posted", "visitor_engaged", "answer_awaited"]
    assert data(turn, "answer_awaited") == {
        "conversation_id": turn.conversation["_id"],
        "channel_id": "shop",
        "contact_id": "c1",
        "since": turn.messages[0]["created_at"],
    }
    assert turn.conversation["desk_version"] == taken()["desk_version"]
    assert types(visitor_writes(committed(turn), FLOW, "Anyone?", None, "m2")) == ["message_posted"]


@pytest.mark.parametrize("writer", [ANN, BEN])
def test_desk_hears_of_the_answer_when_an_agent_gives_it_to_who_waits(writer: dict[str, Any]) -> None:
    conversation = committed(visitor_writes(taken(), FLOW, "Hello?", None, "m1"))
    turn = domain.agent_writes(conversation, writer, "Here I am", "a2")
    assert types(turn) == ["message_posted", "answer_given"]
    assert data(turn, "answer_given")["agent"] == {"id": writer["id"], "name": writer["name"]}
    assert "desk_version" not in turn.changes
    assert types(domain.agent_writes(committed(turn), writer, "And more", "a3")) == ["message_posted"]


def test_desk_hears_only_of_the_taking_when_the_answer_takes_the_conversation() -> None:
    turn = domain.agent_writes(at_handover(), ANN, "Hi", "a1")
    assert types(turn) == ["message_posted", "conversation_taken", "conversation_assigned"]


def test_visitor_waits_on_when_a_bot_writes_into_an_agents_conversation() -> None:
    conversation = committed(visitor_writes(taken(), FLOW, "Hello?", None, "m1"))
    turn = domain.bot_writes(conversation, BOT, "Ann is typing slowly.", None, "b1")
    assert turn.conversation["awaiting_answer_since"] is not None
    assert types(turn) == ["message_posted"]


def test_nobody_waits_any_more_when_the_conversation_is_archived() -> None:
    archived = committed(domain.archive(at_handover(), ADA))
    assert archived["awaiting_answer_since"] is None
    assert domain.reopen(archived).conversation["awaiting_answer_since"] is None


def test_conversation_of_a_time_without_waiting_is_written_on_when_it_lacks_the_field() -> None:
    conversation = taken()
    for name in ("awaiting_answer_since", "archived_by"):
        del conversation[name]
    assert views.conversation(conversation)["awaiting_answer_since"] is None
    assert views.conversation(conversation)["archived_by"] is None
    assert types(domain.agent_writes(dict(conversation), ANN, "Hi", "a2")) == ["message_posted"]
    assert "answer_awaited" in types(visitor_writes(conversation, FLOW, "Hello?", None, "m1"))
