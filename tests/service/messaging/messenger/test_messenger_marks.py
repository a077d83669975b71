"""What Facebook tells of messages that were sent: echoes, and how far the visitor's device has received and the visitor has read."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from services.common.times import now
from services.messaging.messenger import send_store
from services.messaging.store import MessagingStore
from tests.service.messaging.messenger.conftest import Channel, Visitor
from tests.support.facebook_page import AWAY, LATE, NOT_AVAILABLE, Fault, Sent, milliseconds
from tests.support.waiting import wait_until


@pytest.fixture
def visitor(quiet: Channel) -> Visitor:
    """Somebody who has written to a page without a bot."""
    visitor = quiet.new_visitor()
    visitor.writes("Hi")
    visitor.wait_for(1)
    return visitor


def sent_answer(visitor: Visitor, text: str = "Hello") -> tuple[dict[str, Any], Sent]:
    """An agent's answer that Facebook has taken."""
    answered = visitor.answer(text)
    visitor.wait_for_state(answered["seq"], "sent")
    return answered, visitor.page.sent[-1]


def state_of(visitor: Visitor, message: dict[str, Any]) -> str:
    return str(visitor.messages()[message["seq"] - 1]["delivery"]["state"])


def test_echo_of_ours_changes_nothing(quiet: Channel, visitor: Visitor) -> None:
    answered, sent = sent_answer(visitor)
    without_metadata = quiet.page.echo(sent)
    del without_metadata["message"]["metadata"]
    without_metadata["message"]["mid"] = sent.mid
    quiet.deliver(quiet.page.echo(sent))
    quiet.deliver(without_metadata)
    wait_until(quiet.is_idle)
    assert len(visitor.messages()) == 2
    assert state_of(visitor, answered) == "sent"


def test_answer_given_on_facebook_is_kept_and_takes_nothing_over(channel: Channel) -> None:
    visitor, page = channel.new_visitor(), channel.page
    visitor.writes("Hello?", "Mia Lund", "mia@example.com", "quote")
    visitor.wait_for(9)
    assert visitor.conversation()["awaiting_answer_since"] is not None
    page.wait_for(visitor.psid, 5)
    echo, calls = page.written_on_facebook(visitor.psid, "This is Ben, on Facebook."), len(page.sent)
    for _ in range(2):
        channel.deliver(echo)
    said = visitor.wait_for(10)[9]
    assert (said["text"], said["author"]) == ("This is Ben, on Facebook.", {"kind": "agent", "id": None, "name": "Facebook"})
    assert said["delivery"]["state"] == "sent"
    conversation = visitor.conversation()
    assert (conversation["handler"], conversation["assignee"], conversation["awaiting_answer_since"]) == ("queue", None, None)
    assert conversation["unread_count"] == 0
    wait_until(channel.is_idle)
    assert len(visitor.messages()) == 10
    assert len(page.sent) == calls


def test_answer_given_on_facebook_is_left_aside_when_there_is_no_conversation(quiet: Channel) -> None:
    psid = quiet.page.new_person()
    quiet.deliver(quiet.page.written_on_facebook(psid, "Hello, stranger"))
    wait_until(quiet.is_idle)
    assert quiet.stored() == 1
    assert Visitor(quiet, psid).thread() is None


@pytest.mark.parametrize("mids", [True, False])
def test_message_is_delivered_by_its_id_or_the_watermark(quiet: Channel, visitor: Visitor, mids: bool) -> None:
    answered, sent = sent_answer(visitor)
    quiet.deliver(quiet.page.delivered(sent, mids=mids))
    delivery = visitor.wait_for_state(answered["seq"], "delivered")
    assert delivery["reason"] is None


def test_message_is_delivered_by_its_id_when_facebooks_clock_is_behind(quiet: Channel, visitor: Visitor) -> None:
    answered, sent = sent_answer(visitor)
    event = quiet.page.delivered(sent)
    event["delivery"]["watermark"] -= 60_000
    quiet.deliver(event)
    visitor.wait_for_state(answered["seq"], "delivered")


def test_watermark_speaks_for_all_before_it_and_none_after(quiet: Channel, visitor: Visitor) -> None:
    answers = [sent_answer(visitor, text) for text in ("one", "two", "three")]
    quiet.deliver(*(quiet.page.echo(sent) for _, sent in answers))
    quiet.deliver(quiet.page.read(visitor.psid, answers[1][1].at))
    visitor.wait_for_state(answers[1][0]["seq"], "read")
    assert [state_of(visitor, answered) for answered, _ in answers] == ["read", "read", "sent"]


def test_state_does_not_go_back_when_marks_come_out_of_order(quiet: Channel, visitor: Visitor) -> None:
    answered, sent = sent_answer(visitor)
    quiet.deliver(quiet.page.read(visitor.psid, sent.at))
    visitor.wait_for_state(answered["seq"], "read")
    quiet.deliver(quiet.page.delivered(sent), quiet.page.echo(sent), quiet.page.read(visitor.psid, sent.at - 5_000))
    wait_until(quiet.is_idle)
    assert state_of(visitor, answered) == "read"


@pytest.mark.parametrize("with_echo", [True, False])
def test_marks_count_when_they_overtake_the_answer(quiet: Channel, visitor: Visitor, with_echo: bool) -> None:
    page, answer_now = quiet.page, threading.Event()
    page.fail(Fault(LATE, gate=answer_now))
    answered = visitor.answer("one")
    (sent,) = page.wait_for(visitor.psid, 1)
    events = [page.delivered(sent), page.read(visitor.psid, sent.at)]
    quiet.deliver(*([page.echo(sent)] if with_echo else []), *events)
    wait_until(quiet.is_idle)
    assert state_of(visitor, answered) == "queued"
    answer_now.set()
    visitor.wait_for_state(answered["seq"], "read")
    assert page.sent_to(visitor.psid) == ["one"]


def test_delivery_by_id_counts_when_it_overtakes_the_answer(quiet: Channel, visitor: Visitor) -> None:
    page, answer_now = quiet.page, threading.Event()
    page.fail(Fault(LATE, gate=answer_now))
    answered = visitor.answer("one")
    (sent,) = page.wait_for(visitor.psid, 1)
    event = page.delivered(sent)
    event["delivery"]["watermark"] -= 60_000
    quiet.deliver(event)
    wait_until(quiet.is_idle)
    answer_now.set()
    visitor.wait_for_state(answered["seq"], "delivered")


def test_long_message_is_read_when_its_last_part_is(quiet: Channel, visitor: Visitor) -> None:
    page = quiet.page
    answered = visitor.answer("word " * 900)
    visitor.wait_for_state(answered["seq"], "sent")
    parts = page.wait_for(visitor.psid, 3)
    quiet.deliver(*(page.echo(part) for part in parts), page.delivered(parts[0]))
    wait_until(quiet.is_idle)
    assert state_of(visitor, answered) == "sent"
    quiet.deliver(page.read(visitor.psid, parts[-1].at))
    visitor.wait_for_state(answered["seq"], "read")


def test_late_echo_of_one_part_says_nothing_of_the_next(quiet: Channel, visitor: Visitor) -> None:
    page = quiet.page
    page.fail(Fault(LATE), Fault(accepted=True))
    answered = visitor.answer("word " * 600)
    first, second = page.wait_for(visitor.psid, 2)
    wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    quiet.deliver(page.echo(first))
    wait_until(quiet.is_idle)
    quiet.deliver(page.echo(second))
    visitor.wait_for_state(answered["seq"], "sent")
    assert [sent.metadata for sent in page.sent] == [answered["id"], f"{answered['id']}.1"]


def test_marks_of_one_visitor_say_nothing_of_another(quiet: Channel, visitor: Visitor) -> None:
    other = quiet.new_visitor()
    other.writes("Hi")
    other.wait_for(1)
    answered, _ = sent_answer(other)
    mine, sent = sent_answer(visitor)
    quiet.deliver(quiet.page.read(visitor.psid, milliseconds() + 1000), quiet.page.delivered(sent))
    visitor.wait_for_state(mine["seq"], "read")
    assert state_of(other, answered) == "sent"


def test_echo_that_names_another_visitors_message_is_an_answer_given_on_facebook(quiet: Channel, visitor: Visitor) -> None:
    quiet.page.fail(NOT_AVAILABLE)
    answered = visitor.answer("Hello")
    visitor.wait_for_state(answered["seq"], "failed")
    other = quiet.new_visitor()
    other.writes("Hi")
    other.wait_for(1)
    echo = quiet.page.written_on_facebook(other.psid, "By another app")
    echo["message"]["metadata"] = answered["id"]
    quiet.deliver(echo)
    assert other.wait_for(2)[1]["text"] == "By another app"
    assert state_of(visitor, answered) == "failed"


def test_mark_speaks_for_more_messages_than_are_looked_at_together(
    quiet: Channel, visitor: Visitor, store: MessagingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [visitor.answer(str(number)) for number in range(7)]
    visitor.wait_for_state(answers[-1]["seq"], "sent")
    thread = visitor.thread()
    assert thread is not None
    monkeypatch.setattr(send_store, "MARKED_AT_ONCE", 3)
    until = quiet.page.sent[5].at
    store.messenger.sends.apply_marks(thread | {"read_until": until, "delivered_until": milliseconds()})
    states = [state_of(visitor, answered) for answered in answers]
    assert states[:6] == ["read"] * 6
    assert states[6] in {"delivered", "read"}


def test_message_that_was_given_up_is_sent_after_all_when_its_echo_comes(
    quiet: Channel, visitor: Visitor, store: MessagingStore
) -> None:
    page = quiet.page
    page.fail(Fault(accepted=True))
    answered = visitor.answer("one")
    (sent,) = page.wait_for(visitor.psid, 1)
    wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    page.lasting = AWAY
    old = {"queued_at": now() - timedelta(hours=7), "attempted_at": now() - timedelta(seconds=11)}
    store.database.messenger_sends.update_one({"_id": answered["id"]}, {"$set": old})
    store.messenger.sends.lanes.wake(answered["conversation_id"])
    visitor.wait_for_state(answered["seq"], "failed")
    quiet.deliver(page.echo(sent), page.read(visitor.psid, sent.at))
    visitor.wait_for_state(answered["seq"], "read")
