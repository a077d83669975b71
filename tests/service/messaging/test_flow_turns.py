"""The bot's turns as they are committed: once for each message, whole, and never at the visitor's expense."""

import threading
from typing import Any

import pytest

from services.common.ids import new_id
from services.messaging.bot import FALLBACK_TEXT
from services.messaging.store import MessagingStore
from tests.service.messaging.conftest import Messaging
from tests.support.events import Collector
from tests.support.waiting import wait_until

STEPS = 6


def questions() -> dict[str, Any]:
    """One after the other, each with a field of its own."""
    blocks = {
        f"q{number}": {
            "type": "question",
            "kind": "text",
            "text": f"Question {number}?",
            "field": f"answer{number}",
            "next": f"q{number + 1}" if number < STEPS else None,
        }
        for number in range(1, STEPS + 1)
    }
    return {"start": "q1", "blocks": blocks}


@pytest.mark.usefixtures("second_replica")
def test_flow_moves_once_a_message_when_each_is_delivered_many_times_at_once(messaging: Messaging, collector: Collector) -> None:
    contact_id, conversation = messaging.begin(messaging.new_channel(questions()))
    for number in range(1, STEPS):
        deliveries = [
            threading.Thread(target=messaging.say, args=(contact_id, f"Answer {number}"), kwargs={"key": f"key-{number}"})
            for _ in range(5)
        ]
        for delivery in deliveries:
            delivery.start()
        for delivery in deliveries:
            delivery.join()
        messaging.say(contact_id, f"Answer {number}", key=f"key-{number}")
        assert messaging.conversation(conversation["id"])["bot"]["block"] == f"q{number + 1}"
    said = [message["text"] for message in messaging.messages(conversation["id"])]
    expected = [text for number in range(1, STEPS) for text in (f"Question {number}?", f"Answer {number}")]
    assert said == [*expected, f"Question {STEPS}?"]

    def tell() -> dict[str, Any]:
        """By the event, which may be told more than once."""
        found = collector.found("field_collected", lambda e: e["contact_id"] == contact_id)
        return {event["id"]: event["data"] for event in found}

    wait_until(lambda: len(tell()) >= STEPS - 1, what="all answers told")
    told = tell()
    assert sorted((data["field"], data["value"]) for data in told.values()) == [
        (f"answer{number}", f"Answer {number}") for number in range(1, STEPS)
    ]


def test_human_takes_over_when_a_kept_flow_fails_in_the_middle(messaging: Messaging, store: MessagingStore) -> None:
    channel_id, broken = messaging.new_channel(questions()), new_id()
    kept = store.database.flows.find_one({"channel_id": channel_id})
    assert kept is not None
    kept["flow"]["blocks"]["q2"] = {"type": "condition", "cases": "broken"}
    store.database.flows.insert_one(kept | {"_id": broken, "version": 2})
    store.database.channels.update_one({"_id": channel_id}, {"$set": {"flow_id": broken}})
    contact_id, conversation = messaging.begin(channel_id)
    messaging.say(contact_id, "Answer 1")
    said = [message["text"] for message in messaging.messages(conversation["id"])]
    assert said == ["Question 1?", "Answer 1", FALLBACK_TEXT]
    assert messaging.conversation(conversation["id"])["handler"] == "queue"


def test_wish_for_a_ticket_is_told_once_with_the_visitors_words(messaging: Messaging, collector: Collector) -> None:
    blocks = {
        "a": {"type": "question", "kind": "text", "text": "What happened?", "field": "what", "next": "b"},
        "b": {"type": "ticket", "subject": "Complaint", "description": "{what|nothing}", "next": "c"},
        "c": {"type": "set", "field": "what", "value": None, "next": None},
    }
    contact_id, conversation = messaging.begin(messaging.new_channel({"start": "a", "blocks": blocks}))
    for _ in range(2):
        messaging.say(contact_id, "It broke", key="once")
    wanted = collector.wait_for("ticket_wanted", lambda e: e["contact_id"] == contact_id)
    assert (wanted["data"]["subject"], wanted["data"]["description"]) == ("Complaint", "It broke")
    assert (wanted["entity"]["kind"], wanted["entity"]["id"]) == ("conversation", conversation["id"])
    cleared = collector.wait_for("field_collected", lambda e: e["contact_id"] == contact_id and e["data"]["value"] is None)
    assert cleared["data"]["field"] == "what"
    found = collector.found("ticket_wanted", lambda e: e["contact_id"] == contact_id)
    assert len({event["id"] for event in found}) == 1


def test_human_is_asked_for_when_the_answers_were_wrong_too_often(messaging: Messaging, collector: Collector) -> None:
    question = {"type": "question", "kind": "email", "text": "Your e-mail?", "field": "email", "next": None, "retries": 2}
    contact_id, conversation = messaging.begin(messaging.new_channel({"start": "a", "blocks": {"a": question}}))
    for text in ("no", "no!", "no!!"):
        messaging.say(contact_id, text)
    shown = messaging.conversation(conversation["id"])
    assert (shown["handler"], shown["bot"]["block"]) == ("queue", "a")
    collector.wait_for("assignment_requested", lambda e: e["contact_id"] == contact_id)


def test_visitor_opens_the_conversation_when_it_is_met_outside_the_web(
    messaging: Messaging, store: MessagingStore, collector: Collector
) -> None:
    channel_id, contact_id = messaging.new_channel(questions(), kind="messenger"), new_id()
    store.follow_contact(contact_id, 1, {"name": "Teal Otter", "channel_id": channel_id, "blocked": False, "fields": {}})
    for _ in range(2):
        first = messaging.say(contact_id, "Hello?", key="once")
    messaging.say(contact_id, "Answer 1")
    conversation_id = first["conversation_id"]
    said = messaging.messages(conversation_id)
    assert [message["text"] for message in said] == ["Hello?", "Question 1?", "Answer 1", "Question 2?"]
    assert [(message["delivery"] or {}).get("state") for message in said][::2] == [None, None]
    assert all(message["delivery"]["state"] in {"queued", "failed"} for message in said[1::2])
    collector.wait_for("visitor_engaged", lambda e: e["contact_id"] == contact_id)
    messaging.archive(conversation_id)
    again = messaging.say(contact_id, "Me again")
    assert (again["seq"], again["conversation_id"] == conversation_id) == (1, False)


def test_one_conversation_is_opened_when_a_visitor_from_outside_writes_twice_at_once(
    messaging: Messaging, store: MessagingStore
) -> None:
    channel_id, contact_id = messaging.new_channel(questions(), kind="messenger"), new_id()
    store.follow_contact(contact_id, 1, {"name": "Teal Otter", "channel_id": channel_id, "blocked": False, "fields": {}})
    writers = [threading.Thread(target=messaging.say, args=(contact_id, str(number))) for number in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    (conversation,) = store.database.conversations.find({"contact.id": contact_id})
    said = messaging.messages(conversation["_id"])
    assert [message["author"]["kind"] for message in said] == ["visitor", "bot"] * 5
    assert conversation["flow"]["at"] == "q5"
