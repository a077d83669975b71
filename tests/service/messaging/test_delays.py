"""Flows that are silent for a time and go on by themselves, whatever happens to the processes meanwhile."""

import signal
from datetime import timedelta
from typing import Any

import pytest

from services.common.times import from_wire, now
from services.messaging.store import MessagingStore
from tests.service.messaging.conftest import ADMIN, Messaging, wait_for_replicas
from tests.support.events import Collector
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def slow(seconds: int) -> dict[str, Any]:
    question = {"type": "question", "kind": "text", "text": "Still there?", "field": "there", "next": None}
    delay = {"type": "delay", "seconds": seconds, "next": "c"}
    return {"start": "a", "blocks": {"a": {"type": "message", "text": "One moment.", "next": "b"}, "b": delay, "c": question}}


def said(messaging: Messaging, conversation_id: str) -> list[str]:
    return [message["text"] for message in messaging.messages(conversation_id)]


def bring_forward(store: MessagingStore, conversation_id: str, seconds: float = 0) -> None:
    """As if the delay had been so much shorter that it ends now, or in some seconds."""
    due = now() + timedelta(seconds=seconds)
    store.database.conversations.update_one({"_id": conversation_id, "wake_at": {"$ne": None}}, {"$set": {"wake_at": due}})


def test_flow_goes_on_by_itself_when_its_delay_is_over(messaging: Messaging, collector: Collector) -> None:
    contact_id, conversation = messaging.begin(messaging.new_channel(slow(5)))
    assert conversation["bot"]["block"] == "b"
    assert from_wire(conversation["bot"]["resumes_at"]) - from_wire(conversation["created_at"]) == timedelta(seconds=5)
    messaging.say(contact_id, "Hello?")
    wait_until(lambda: said(messaging, conversation["id"]) == ["One moment.", "Hello?", "Still there?"], 30)
    resumed = messaging.conversation(conversation["id"])
    assert resumed["bot"] == {"flow_version": 1, "block": "c", "resumes_at": None}
    told = collector.wait_for("conversation_updated", lambda e: e["contact_id"] == contact_id)
    assert told["data"]["bot"] == resumed["bot"]
    messaging.say(contact_id, "Yes")
    collected = collector.wait_for("field_collected", lambda e: e["contact_id"] == contact_id)
    assert collected["data"]["value"] == "Yes"


@pytest.mark.usefixtures("second_replica")
def test_each_flow_goes_on_once_when_two_replicas_look_and_the_visitors_write(
    messaging: Messaging, store: MessagingStore
) -> None:
    channel_id = messaging.new_channel(slow(3600))
    begun = [messaging.begin(channel_id) for _ in range(30)]
    store.database.conversations.update_many(
        {"channel.id": channel_id}, {"$set": {"wake_at": now() + timedelta(milliseconds=700)}}
    )
    for contact_id, _ in begun:
        messaging.say(contact_id, "Hello?")
    for _, conversation in begun:
        wait_until(lambda found=conversation: "Still there?" in said(messaging, found["id"]), 30)  # type: ignore[misc]
    for _, conversation in begun:
        assert said(messaging, conversation["id"]).count("Still there?") == 1
        assert [message["seq"] for message in messaging.messages(conversation["id"])] == [1, 2, 3]


def test_delay_is_kept_and_ends_once_when_every_process_is_killed_meanwhile(
    messaging: Messaging, stack: Stack, store: MessagingStore
) -> None:
    channel_id = messaging.new_channel(slow(3600))
    overdue, due, last = (messaging.begin(channel_id)[1]["id"] for _ in range(3))
    stack.services["messaging"].send_signal(signal.SIGKILL)
    wait_until(lambda: not stack.services["messaging"].running)
    bring_forward(store, overdue)
    replicas = [stack.start_service("messaging", instance=name) for name in ("messaging", "messaging-again")]
    try:
        wait_for_replicas(stack, replicas[1])
        bring_forward(store, due, seconds=0.3)
        wait_until(lambda: "Still there?" in said(messaging, overdue))
        wait_until(lambda: "Still there?" in said(messaging, due))
        bring_forward(store, last)  # when it has gone on, a round has passed in which the others were looked for
        wait_until(lambda: "Still there?" in said(messaging, last))
        for conversation_id in (overdue, due, last):
            assert said(messaging, conversation_id) == ["One moment.", "Still there?"]
            assert messaging.conversation(conversation_id)["bot"]["resumes_at"] is None
    finally:
        replicas[1].stop()


def test_nothing_goes_on_when_an_agent_took_the_conversation_or_archived_it(messaging: Messaging, store: MessagingStore) -> None:
    channel_id = messaging.new_channel(slow(3600))
    taken, archived, due = (messaging.begin(channel_id)[1]["id"] for _ in range(3))
    messaging.answer(taken, "I am here")
    messaging.archive(archived)
    for conversation_id in (taken, archived, due):
        bring_forward(store, conversation_id)
    wait_until(lambda: "Still there?" in said(messaging, due))
    assert said(messaging, taken) == ["One moment.", "I am here"]
    assert said(messaging, archived) == ["One moment."]
    messaging.call("return_to_bot", conversation_id=taken, actor=ADMIN)
    assert said(messaging, taken)[-1] == "Still there?"


def test_others_go_on_when_one_flow_cannot_be_read(messaging: Messaging, store: MessagingStore) -> None:
    channel_id = messaging.new_channel(slow(3600))
    broken, sound = (messaging.begin(channel_id)[1]["id"] for _ in range(2))
    store.database.conversations.update_one({"_id": broken}, {"$set": {"flow.id": "gone"}})
    for conversation_id in (broken, sound):
        bring_forward(store, conversation_id)
    wait_until(lambda: "Still there?" in said(messaging, sound))
    wait_until(lambda: from_wire(messaging.conversation(broken)["bot"]["resumes_at"]) > now() + timedelta(seconds=30))


def test_round_reads_only_those_that_are_due(store: MessagingStore) -> None:
    query = {"wake_at": {"$type": "date", "$lte": now()}}
    plan = store.database.conversations.find(query, {"_id": 1}).sort("wake_at", 1).explain()["queryPlanner"]["winningPlan"]
    assert "flow_due" in str(plan)
    assert "SORT" not in str(plan)
