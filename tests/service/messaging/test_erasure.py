"""A visitor whose data is taken away, as the contacts service tells."""

from datetime import timedelta
from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.times import now, to_wire
from services.messaging.store import MessagingStore
from tests.service.messaging.conftest import ADMIN, Messaging
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def erase(announcer: Announcer, messaging: Messaging, contact_id: str, *, version: int = 9, times: int = 1) -> None:
    data = {"id": contact_id, "channel_id": messaging.channel_id, "at": to_wire(now())}
    entity = ("contact", contact_id, version)
    announcer.publish("contacts", "contact_erased", data, entity=entity, contact_id=contact_id, times=times)


def is_empty(messaging: Messaging, conversation_id: str) -> bool:
    return all(message["text"] == "" for message in messaging.messages(conversation_id))


def stored(stack: Stack, contact_id: str) -> str:
    """Everything that messaging's database holds of a contact, as text."""
    database = stack.mongo("messaging")
    conversations = list(database.conversations.find({"contact.id": contact_id}))
    messages = list(database.messages.find({"conversation_id": {"$in": [found["_id"] for found in conversations]}}))
    return str([conversations, messages, list(database.contacts.find({"_id": contact_id}))])


def test_nothing_personal_is_left_when_a_contact_with_two_conversations_is_erased(
    messaging: Messaging, announcer: Announcer, collector: Collector, stack: Stack, dead_letters: DeadLetters
) -> None:
    dead_letters.take("messaging")
    contact_id, first = messaging.begin(name="Vera Quill")
    messaging.hand_over(contact_id)
    messaging.answer(first["id"], "Dear Vera Quill")
    messaging.archive(first["id"])
    second = messaging.say(contact_id, "Vera Quill again")["conversation_id"]
    before = {found: messaging.conversation(found) for found in (first["id"], second)}
    erase(announcer, messaging, contact_id, times=3)
    for conversation_id, was in before.items():
        wait_until(lambda found=conversation_id: is_empty(messaging, found))  # type: ignore[misc]
        after = messaging.conversation(conversation_id)
        assert (after["status"], after["contact"]) == ("archived", {"id": contact_id, "name": "Erased visitor"})
        assert after["last_message"]["preview"] == ""
        assert (after["last_seq"], after["created_at"]) == (was["last_seq"], was["created_at"])
        said = messaging.messages(conversation_id)
        assert [message["seq"] for message in said] == list(range(1, was["last_seq"] + 1))
        assert all(message["choices"] is None for message in said)
        assert {message["author"]["name"] for message in said if message["author"]["kind"] == "visitor"} <= {"Erased visitor"}
    assert messaging.conversation(second)["archived_by"] == {"kind": "system", "id": None, "name": None}
    collector.wait_for("conversation_archived", lambda e: e["data"]["id"] == second and "Vera" not in str(e["data"]))
    wait_until(lambda: "outbox': [{" not in stored(stack, contact_id))
    assert not [word for word in ("Vera", "Quill", "ann@example.org", "quote") if word in stored(stack, contact_id)]
    listed = messaging.call("list_conversations", folder="archived", q="Vera Quill")["items"]
    assert contact_id not in {found["contact"]["id"] for found in listed}
    assert dead_letters.take("messaging") == []


def test_erased_contact_can_neither_write_nor_begin_nor_be_reopened(
    messaging: Messaging, announcer: Announcer, stack: Stack
) -> None:
    contact_id, conversation = messaging.begin()
    erase(announcer, messaging, contact_id)
    wait_until(lambda: messaging.conversation(conversation["id"])["status"] == "archived")
    contact = {"id": contact_id, "name": "Teal Otter", "version": 99}
    acts: list[Any] = [
        lambda: messaging.say(contact_id, "Hello"),
        lambda: messaging.call("start_conversation", channel_id=messaging.channel_id, contact=contact),
        lambda: messaging.call("set_status", conversation_id=conversation["id"], status="open", actor=ADMIN),
    ]
    for act in acts:
        with pytest.raises(DomainError) as refused:
            act()
        assert refused.value.error_code == "CONTACT_NOT_FOUND"
    assert messaging.archive(conversation["id"])["status"] == "archived"
    assert stack.mongo("messaging").contacts.find_one({"_id": contact_id}, {"look_again_at": 0}) == {
        "_id": contact_id,
        "erased": True,
        "contact_version": 9,
    }


def test_contact_stays_erased_when_older_news_of_it_comes_later(messaging: Messaging, announcer: Announcer, stack: Stack) -> None:
    contact_id, conversation = messaging.begin()
    erase(announcer, messaging, contact_id, version=5)
    news: dict[str, Any] = {"id": contact_id, "channel_id": messaging.channel_id, "name": "Vera", "name_source": "human"}
    news |= {"email": None, "phone": None, "fields": {}, "blocked": False, "country": None, "url": None}
    for version in (4, 6):
        announcer.publish("contacts", "contact_updated", news, entity=("contact", contact_id, version), contact_id=contact_id)
    wait_until(lambda: messaging.conversation(conversation["id"])["status"] == "archived")
    wait_until(lambda: "Vera" not in stored(stack, contact_id))
    assert messaging.conversation(conversation["id"])["contact"]["name"] == "Erased visitor"


def test_erasure_waits_for_messages_that_are_not_filed_yet(
    messaging: Messaging, announcer: Announcer, store: MessagingStore, stack: Stack
) -> None:
    contact_id, conversation = messaging.begin()
    messaging.say(contact_id, "Vera Quill")
    conversations = store.database.conversations
    wait_until(lambda: not (conversations.find_one({"_id": conversation["id"]}) or {})["outbox"])
    # As a relay that fell behind: the message is kept nowhere but in the outbox, and no sweep takes it yet.
    message = store.database.messages.find_one_and_delete({"conversation_id": conversation["id"], "text": "Vera Quill"})
    assert message is not None
    entry: dict[str, Any] = {
        "id": new_id(),
        "type": "message_posted",
        "entity": {"kind": "message", "id": message["_id"], "version": 2},
        "contact_id": contact_id,
        "at": now() + timedelta(hours=1),
        "request_id": None,
        "data": {"id": message["_id"], **{name: value for name, value in message.items() if name != "_id"}},
    }
    conversations.update_one({"_id": conversation["id"]}, {"$set": {"outbox": [entry]}})
    erase(announcer, messaging, contact_id)
    wait_until(lambda: (store.find_contact(contact_id) or {}).get("erased"))
    assert messaging.conversation(conversation["id"])["status"] == "open"
    store.settle("conversations", [entry])
    assert messaging.conversation(conversation["id"])["status"] == "open"
    store.mark_sent("conversations", {conversation["id"]: [entry["id"]]})
    wait_until(lambda: messaging.conversation(conversation["id"])["status"] == "archived")
    wait_until(lambda: is_empty(messaging, conversation["id"]))
    assert store.database.messages.count_documents({"_id": message["_id"], "text": ""}) == 1
    assert "Vera" not in stored(stack, contact_id)


def test_what_a_call_wrote_that_had_begun_before_is_emptied_when_it_is_looked_at_again(
    messaging: Messaging, announcer: Announcer, store: MessagingStore
) -> None:
    contact_id, conversation = messaging.begin()
    erase(announcer, messaging, contact_id)
    wait_until(lambda: is_empty(messaging, conversation["id"]))
    contacts, conversations = store.database.contacts, store.database.conversations
    wait_until(lambda: not (conversations.find_one({"_id": conversation["id"]}) or {})["outbox"])
    late = {"contact": {"id": contact_id, "name": "Vera Quill"}, "last_message.preview": "I am Vera"}
    conversations.update_one({"_id": conversation["id"]}, {"$set": late})
    store.database.messages.update_one({"conversation_id": conversation["id"]}, {"$set": {"text": "I am Vera"}})
    contacts.update_one({"_id": contact_id}, {"$set": {"look_again_at": now()}})
    wait_until(lambda: "look_again_at" not in (store.find_contact(contact_id) or {}), 30)
    assert messaging.conversation(conversation["id"])["contact"]["name"] == "Erased visitor"
    assert is_empty(messaging, conversation["id"])
