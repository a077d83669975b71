"""What the bot's blocks make of a turn: silence for a time, tickets, wrong answers, and flows that fail."""

from datetime import timedelta
from typing import Any

import pytest

from services.common.errors import Unavailable
from services.messaging import domain, handovers, views
from services.messaging.bot import FALLBACK_TEXT
from services.messaging.flows.engine import AssignmentWanted
from services.messaging.flows.facts import KnownFacts
from tests.unit.messaging.conversations import (
    ANN,
    CHANNEL,
    CONTACT,
    MESSENGER,
    OPEN,
    begin_conversation,
    begun,
    committed,
    data,
    flow,
    follow_assignment,
    return_to_bot,
    types,
    visitor_writes,
)
from tests.unit.messaging.conversations import assignment as decided

# A greeting, a minute of silence, a question.
SLOW = flow(
    a={"type": "message", "text": "One moment.", "next": "b"},
    b={"type": "delay", "seconds": 60, "next": "c"},
    c={"type": "question", "kind": "text", "text": "Still there?", "field": "there", "next": None},
)
ROBOT = {"kind": "bot", "id": "t1", "name": "Robot", "role": None}
IN_BERLIN = {"on": "country", "is": "one_of", "value": ["DE"]}


class Unreadable(KnownFacts):
    """Facts that raise what reading them raised."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def country(self) -> str | None:
        raise self.error


def greeting_by_country(**more: Any) -> dict[str, Any]:
    return flow(
        a={"type": "condition", "cases": [{"if": IN_BERLIN, "next": "b"}], "else": "c"},
        b={"type": "message", "text": "Guten Tag.", "next": None},
        c={"type": "message", "text": "Hello.", "next": None},
        **more,
    )


def texts(turn: Any) -> list[str]:
    return [message["text"] for message in turn.messages]


def due(conversation: dict[str, Any]) -> dict[str, Any]:
    """The time of silence is over."""
    return conversation | {"wake_at": conversation["created_at"] - timedelta(seconds=1)}


def test_flow_is_to_go_on_later_when_it_reaches_a_delay() -> None:
    turn = begin_conversation(CHANNEL, CONTACT, SLOW)
    assert texts(turn) == ["One moment."]
    assert turn.conversation["wake_at"] == turn.at + timedelta(seconds=60)
    assert data(turn, "conversation_started")["bot"] == {
        "flow_version": 3,
        "block": "b",
        "resumes_at": views.conversation(turn.conversation)["bot"]["resumes_at"],
    }


def test_flow_goes_on_behind_its_delay_when_the_time_is_over() -> None:
    turn = handovers.resume(due(begun(SLOW)), SLOW, facts=OPEN)
    assert texts(turn) == ["Still there?"]
    assert (turn.conversation["wake_at"], turn.conversation["flow"]["at"]) == (None, "c")
    assert types(turn) == ["message_posted", "conversation_updated"]


def test_nothing_is_resumed_when_it_is_too_early_or_was_done_before() -> None:
    early = handovers.resume(begun(SLOW), SLOW, facts=OPEN)
    assert (early.changes, types(early)) == ({}, [])
    resumed = committed(handovers.resume(due(begun(SLOW)), SLOW, facts=OPEN))
    again = handovers.resume(resumed, SLOW, facts=OPEN)
    assert (again.changes, types(again)) == ({}, [])


def test_message_waits_when_the_visitor_writes_during_a_delay() -> None:
    turn = visitor_writes(begun(SLOW), SLOW, "Hello?", None, "m1")
    assert texts(turn) == ["Hello?"]
    assert turn.conversation["flow"]["at"] == "b"
    assert turn.conversation["wake_at"] is not None
    answered = visitor_writes(committed(handovers.resume(due(committed(turn)), SLOW, facts=OPEN)), SLOW, "Yes", None, "m2")
    assert data(answered, "field_collected") == data(answered, "field_collected") | {"field": "there", "value": "Yes"}


@pytest.mark.parametrize(
    "act",
    [
        lambda found: domain.agent_writes(found, ANN, "Hi", "a1"),
        lambda found: domain.archive(found, ANN),
        lambda found: handovers.request_assignment(found, ROBOT, AssignmentWanted()),
        lambda found: follow_assignment(found, decided("assigned", ANN), 1, SLOW),
    ],
)
def test_delay_is_over_for_good_when_the_bot_has_it_no_more(act: Any) -> None:
    turn = act(begun(SLOW))
    assert turn.changes["wake_at"] is None
    assert views.conversation(turn.conversation)["bot"]["resumes_at"] is None


def test_flow_goes_on_behind_its_delay_when_the_bot_gets_the_conversation_back() -> None:
    hers = committed(domain.agent_writes(begun(SLOW), ANN, "Hi", "a1"))
    assert texts(return_to_bot(hers, SLOW, ANN)) == ["Still there?"]


def test_flow_goes_on_behind_its_delay_when_a_visitor_who_left_the_line_writes_again() -> None:
    asked = committed(handovers.request_assignment(begun(SLOW), ROBOT, AssignmentWanted()))
    left = committed(follow_assignment(asked, decided("left"), 1, SLOW))
    assert texts(visitor_writes(left, SLOW, "Hello?", None, "m1")) == ["Hello?", "Still there?"]


def test_delay_runs_on_when_an_external_bot_writes() -> None:
    conversation = begun(SLOW)
    turn = domain.bot_writes(conversation, ROBOT, "Just so you know.", None, "b1")
    assert turn.conversation["wake_at"] == conversation["wake_at"]


def test_conversation_of_a_time_without_delays_is_written_on_when_it_lacks_the_fields() -> None:
    conversation = begun()
    del conversation["wake_at"], conversation["flow"]["tries"], conversation["flow"]["version"]
    assert views.conversation(conversation)["bot"] == {"flow_version": None, "block": "name", "resumes_at": None}
    turn = visitor_writes(conversation, flow_of_names(), "Ann", None, "m1")
    assert "wake_at" not in turn.changes


def flow_of_names() -> dict[str, Any]:
    return flow(
        a={"type": "goto", "next": "name"},
        name={"type": "question", "kind": "name", "text": "Your name?", "field": "name", "next": None},
    )


def test_ticket_is_wanted_with_its_words_when_the_flow_says_so() -> None:
    complaint = flow(
        a={"type": "question", "kind": "text", "text": "What happened?", "field": "what", "next": "b"},
        b={"type": "ticket", "subject": "Complaint: {what}", "description": None, "next": "c"},
        c={"type": "set", "field": "what", "value": None, "next": None},
    )
    turn = visitor_writes(begun(complaint), complaint, "It broke", None, "m1")
    ids = {"conversation_id": turn.conversation["_id"], "channel_id": "shop", "contact_id": "c1"}
    assert data(turn, "ticket_wanted") == ids | {"subject": "Complaint: It broke", "description": None}
    assert data(turn, "field_collected") == ids | {"field": "what", "value": None}
    assert turn.conversation["flow"]["fields"] == {}


def asking(**more: Any) -> dict[str, Any]:
    question = {"type": "question", "kind": "email", "text": "Your e-mail?", "field": "email", "next": None, "retries": 1}
    return flow(a=question | more, **({"b": {"type": "message", "text": "Never mind.", "next": None}} if more else {}))


def test_human_is_asked_for_when_the_answers_were_wrong_too_often() -> None:
    question = asking()
    first = visitor_writes(begun(question), question, "no", None, "m1")
    assert (first.conversation["flow"]["tries"], first.conversation["handler"]) == (1, "bot")
    second = visitor_writes(committed(first), question, "no!", None, "m2")
    assert texts(second) == ["no!", FALLBACK_TEXT]
    assert (second.conversation["handler"], second.conversation["flow"]["at"]) == ("queue", "a")
    assert "assignment_requested" in types(second)
    back = return_to_bot(committed(domain.agent_writes(committed(second), ANN, "Hi", "a1")), question, ANN)
    assert (texts(back), back.conversation["flow"]["tries"]) == (["Your e-mail?"], 0)


def test_other_block_follows_when_the_answers_were_wrong_too_often_and_it_is_named() -> None:
    question = asking(otherwise="b")
    first = committed(visitor_writes(begun(question), question, "no", None, "m1"))
    turn = visitor_writes(first, question, "no!", None, "m2")
    assert (texts(turn), turn.conversation["handler"]) == (["no!", "Never mind."], "bot")


def test_country_decides_when_a_condition_asks_for_it() -> None:
    greeting = greeting_by_country()
    german = begin_conversation(CHANNEL, CONTACT, greeting, facts=KnownFacts(country="DE"))
    assert texts(german) == ["Guten Tag."]
    assert texts(begin_conversation(CHANNEL, CONTACT, greeting)) == ["Hello."]


def test_human_takes_over_when_anything_fails_in_a_flow() -> None:
    turn = begin_conversation(CHANNEL, CONTACT, greeting_by_country(), facts=Unreadable(ZeroDivisionError("a fault")))
    assert texts(turn) == [FALLBACK_TEXT]
    assert turn.conversation["handler"] == "queue"
    assert types(turn) == ["conversation_started", "message_posted", "assignment_requested"]


def chatty(texts: int, length: int) -> dict[str, Any]:
    last = texts - 1
    said = {f"m{n}": {"type": "message", "text": "{x}" * 5, "next": f"m{n + 1}" if n < last else None} for n in range(texts)}
    return flow(a={"type": "set", "field": "x", "value": "\U0001f600" * length, "next": "m0"}, **said)


@pytest.mark.parametrize(("texts", "length"), [(101, 1), (498, 2_000), (7, 2_000)])
def test_human_takes_over_when_a_turn_would_be_too_large_to_be_kept(texts: int, length: int) -> None:
    turn = begin_conversation(CHANNEL, CONTACT, chatty(texts, length))
    assert [message["text"] for message in turn.messages] == [FALLBACK_TEXT]
    assert (turn.conversation["handler"], turn.conversation["flow"]["fields"]) == ("queue", {})


@pytest.mark.parametrize(("texts", "length"), [(100, 1), (6, 2_000)])
def test_bot_says_all_when_a_turn_is_as_large_as_may_be(texts: int, length: int) -> None:
    assert len(begin_conversation(CHANNEL, CONTACT, chatty(texts, length)).messages) == texts


def test_human_takes_over_when_the_tickets_or_values_of_a_turn_are_too_large() -> None:
    long = "\U0001f600" * 2_000
    tickets = {f"t{n}": {"type": "ticket", "subject": "x", "description": long, "next": f"t{n + 1}"} for n in range(33)}
    values = {f"s{n}": {"type": "set", "field": f"f{n}", "value": long, "next": f"s{n + 1}"} for n in range(33)}
    end = {"type": "goto", "next": None}
    for blocks in (
        {"a": {"type": "goto", "next": "t0"}} | tickets | {"t33": end},
        values | {"a": {"type": "goto", "next": "s0"}, "s33": end},
    ):
        turn = begin_conversation(CHANNEL, CONTACT, flow(**blocks))
        assert [message["text"] for message in turn.messages] == [FALLBACK_TEXT]
        assert types(turn) == ["conversation_started", "message_posted", "assignment_requested"]


def test_flow_is_not_blamed_when_its_facts_cannot_be_read_now() -> None:
    with pytest.raises(Unavailable):
        begin_conversation(CHANNEL, CONTACT, greeting_by_country(), facts=Unreadable(Unavailable("down")))


def test_first_message_is_the_visitors_and_answers_nothing_when_it_opens_the_conversation() -> None:
    names = flow_of_names()
    turn = domain.visitor_begins(MESSENGER, CONTACT, names, "Ann", "fb:1", facts=OPEN)
    assert [(message["seq"], message["author"]["kind"]) for message in turn.messages] == [(1, "visitor"), (2, "bot")]
    assert turn.messages[0]["client_message_id"] == "fb:1"
    assert types(turn) == ["conversation_started", "message_posted", "visitor_engaged", "message_posted"]
    assert (turn.conversation["flow"]["at"], turn.conversation["flow"]["fields"]) == ("name", {})
    assert (turn.conversation["unread_count"], turn.conversation["awaiting_answer_since"]) == (1, None)


def test_beginning_and_end_are_told_when_the_flow_closes_what_a_visitor_began() -> None:
    away = flow(a={"type": "assign", "unavailable": "b"}, b={"type": "close", "text": "We are closed."})
    turn = domain.visitor_begins(MESSENGER, CONTACT, away, "Hello?", "fb:1", facts=KnownFacts(open=False))
    assert turn.conversation["status"] == "archived"
    assert types(turn) == ["conversation_started", "message_posted", "visitor_engaged", "message_posted", "conversation_archived"]


def test_visitor_waits_for_an_answer_when_no_flow_gives_one_to_the_message_that_opens() -> None:
    turn = domain.visitor_begins(MESSENGER, CONTACT, None, "Hello?", "fb:1", facts=OPEN)
    assert turn.conversation["awaiting_answer_since"] == turn.at


def test_messages_are_queued_when_their_visitor_is_reached_from_outside() -> None:
    conversation = committed(domain.visitor_begins(MESSENGER, CONTACT, SLOW, "Hi", "fb:1", facts=OPEN))
    turn = domain.agent_writes(conversation, ANN, "Hello", "a1")
    queued = {"state": "queued", "at": turn.messages[0]["created_at"], "reason": None}
    assert turn.messages[0]["delivery"] == queued
    theirs = visitor_writes(committed(turn), None, "Thanks", None, "fb:2")
    assert theirs.messages[0]["delivery"] is None
    assert domain.agent_writes(begun(), ANN, "Hello", "a1").messages[0]["delivery"] is None
