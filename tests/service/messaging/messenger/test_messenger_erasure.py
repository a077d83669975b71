"""A Messenger visitor who is erased: what was delivered before is not posted afterwards, what comes later is somebody new's."""

from datetime import timedelta
from typing import Any

import pytest

from services.common.lane_store import Lane
from services.common.times import now
from services.messaging.messenger.inbox import Inbox
from services.messaging.store import MessagingStore
from tests.service.messaging.messenger.conftest import ADMIN, Channel, Visitor, World
from tests.support.facebook_page import AWAY
from tests.support.waiting import wait_until

Document = dict[str, Any]


@pytest.fixture
def visitor(quiet: Channel) -> Visitor:
    """Somebody who has written to a page without a bot."""
    visitor = quiet.new_visitor()
    visitor.writes("Hi")
    visitor.wait_for(1)
    wait_until(quiet.is_idle)
    return visitor


def thread_id(visitor: Visitor) -> str:
    found = visitor.thread()
    assert found is not None
    return str(found["_id"])


def hold(store: MessagingStore, lane_id: str) -> Lane:
    """Work on a thread's lane in the services' place, as a replica that was killed meanwhile."""
    inbox = store.messenger.inbox
    wait_until(lambda: inbox._lanes.find_one({"_id": lane_id}) is None, what="the lane at rest")

    def take() -> list[Lane]:
        inbox._open({lane_id: "nobody"})
        lane = inbox._lease(lane_id)
        return [lane] if lane is not None else []

    [lane] = wait_until(take, what="the lane in hand")
    far = now() + timedelta(minutes=10)
    inbox._lanes.update_one({"_id": lane_id}, {"$set": {"leased_until": far, "due": far}})
    return lane


def erase(world: World, visitor: Visitor) -> str:
    contact_id = visitor.contact_id()
    world.call("erase_contact", "contacts", contact_id=contact_id, actor=ADMIN)
    wait_until(lambda: visitor.thread() is None, what="the thread gone")
    return contact_id


def inbox_of(world: World, channel: Channel) -> list[Document]:
    return list(world.stack.mongo("messaging").messenger_inbox.find({"group": channel.id}))


def test_what_was_delivered_before_the_erasure_is_not_posted_after_it(
    world: World, quiet: Channel, visitor: Visitor, store: MessagingStore
) -> None:
    lane_id = thread_id(visitor)
    lane = hold(store, lane_id)
    visitor.writes("old words", "older words")
    quiet.deliver(visitor.page.written_on_facebook(visitor.psid, "old answer"))
    assert quiet.stored() == 4
    first = erase(world, visitor)
    store.messenger.inbox.release(lane)
    visitor.writes("new words")
    wait_until(quiet.is_idle)
    assert visitor.contact_id() != first
    assert [message["text"] for message in visitor.wait_for(1)] == ["new words"]
    outcomes = [item["outcome"] for item in sorted(inbox_of(world, quiet), key=lambda item: item["added_at"])]
    assert outcomes == ["posted", "erased", "erased", "erased", "posted"]
    assert not [words for words in ("old", visitor.psid) if words in str(inbox_of(world, quiet))]


@pytest.mark.parametrize("posted", [False, True])
def test_item_in_work_is_given_up_when_its_visitor_is_erased_meanwhile(
    world: World, quiet: Channel, visitor: Visitor, store: MessagingStore, posted: bool
) -> None:
    """Also the one that was posted by a replica which was killed before it could note so."""
    lane = hold(store, thread_id(visitor))
    visitor.writes("old words")
    item = store.messenger.inbox.find_first(lane)
    assert item is not None
    said: list[str] = []
    inbox = Inbox(store.messenger, lambda contact_id, text, *_: said.append(contact_id), lambda *_: False)
    if posted:
        inbox.take(item, {"_id": quiet.id})
        store.messenger.inbox.items.update_one({"_id": item["_id"]}, {"$set": item})
    before = len(said)
    erase(world, visitor)
    assert inbox.take(item, {"_id": quiet.id}) is None
    assert len(said) == before
    assert visitor.thread() is None
    visitor.writes("new words")
    again = store.messenger.inbox.find_first(lane)
    assert again is not None
    inbox.take(again, {"_id": quiet.id})
    inbox.take(item, {"_id": quiet.id})
    assert said[before:] == [visitor.contact_id()]
    store.messenger.inbox.release(lane)


def test_late_echo_of_what_was_said_before_is_not_kept_with_the_new_contact(
    world: World, quiet: Channel, visitor: Visitor, store: MessagingStore
) -> None:
    answered = visitor.answer("old answer")
    visitor.wait_for_state(answered["seq"], "sent")
    erase(world, visitor)
    wait_until(lambda: (store.messenger.sends.find(answered["id"]) or {}).get("erased"))
    visitor.writes("new words")
    visitor.wait_for(1)
    quiet.deliver(visitor.page.echo(visitor.page.sent[-1]))
    wait_until(quiet.is_idle)
    assert [message["text"] for message in visitor.messages()] == ["new words"]
    send = store.messenger.sends.find(answered["id"])
    assert send is not None
    assert send["parts"] == []


def test_no_words_are_told_after_the_erasure_from_the_outbox_of_a_send(
    quiet: Channel, visitor: Visitor, store: MessagingStore
) -> None:
    quiet.page.lasting = AWAY
    answered = visitor.answer("old answer")
    wait_until(lambda: (store.messenger.sends.find(answered["id"]) or {}).get("failures"))
    # As a relay that fell behind: no sweep takes it yet.
    entry = {"id": "e", "type": "message_updated", "at": now() + timedelta(hours=1), "data": {"text": "old answer"}}
    store.database.messenger_sends.update_one({"_id": answered["id"]}, {"$set": {"outbox": [entry]}})
    version = (store.messenger.sends.find(answered["id"]) or {})["version"]
    store.erase_messages(answered["conversation_id"], "Erased visitor")
    store.messenger.forget_contact(visitor.contact_id())
    left = store.messenger.sends.find(answered["id"])
    assert left is not None
    assert "old answer" not in str(left["outbox"])
    assert (left["version"] > version, left["waiting"], left["delivery"]["reason"]["code"]) == (True, False, "ERASED")
    quiet.page.lasting = None


def test_erasing_again_goes_on_behind_a_contact_that_cannot_be_erased_now(
    world: World, quiet: Channel, visitor: Visitor, store: MessagingStore
) -> None:
    conversation_id = visitor.conversation()["id"]
    first, second = erase(world, visitor), erase_another(world, quiet)
    wait_until(lambda: (store.find_contact(first) or {}).get("erased") and (store.find_contact(second) or {}).get("erased"))
    wait_until(lambda: not (store.find_conversation(conversation_id) or {})["outbox"])
    entry = {"id": "e", "type": "conversation_updated", "at": now() + timedelta(hours=1), "data": {}}
    name = {"contact.name": "Vera", "outbox": [entry]}
    store.database.conversations.update_one({"_id": conversation_id}, {"$set": name})
    due = now() - timedelta(seconds=5)
    store.database.contacts.update_one({"_id": second}, {"$set": {"look_again_at": due}})
    store.database.contacts.update_one({"_id": first}, {"$set": {"look_again_at": due - timedelta(seconds=5)}})
    wait_until(lambda: "look_again_at" not in (store.find_contact(second) or {}), what="the second looked at")
    assert (store.find_contact(first) or {})["look_again_at"] > now()
    store.database.conversations.update_one({"_id": conversation_id}, {"$set": {"outbox": []}})


def erase_another(world: World, channel: Channel) -> str:
    other = channel.new_visitor()
    other.writes("Hi")
    other.wait_for(1)
    wait_until(channel.is_idle)
    return erase(world, other)
