"""What receivers hear: what they asked for, signed, in order, again and again until they heard it."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from services.common.times import now, to_wire
from services.messaging.store import MessagingStore
from tests.service.messaging.conftest import ADMIN, Messaging
from tests.service.messaging.webhooks.conftest import ALL, World
from tests.support import receiver as reactions
from tests.support.events import Announcer
from tests.support.receiver import Reaction, answering
from tests.support.waiting import wait_until

Wire = dict[str, Any]


def test_conversation_is_told_in_order_and_signed(world: World, messaging: Messaging) -> None:
    hook = world.hook(*ALL)
    contact_id, conversation = messaging.begin()
    messaging.hand_over(contact_id)
    messaging.answer(conversation["id"], "Good morning")
    messaging.archive(conversation["id"])
    posted = messaging.messages(conversation["id"])
    wait_until(lambda: any(each.json["type"] == "conversation.archived" for each in hook.received()), what="the archiving told")
    heard = hook.received()
    assert all(each.is_signed_with(hook.secret) for each in heard)
    assert len({each.id for each in heard}) == len(heard)
    assert [each.json["data"] for each in heard if each.json["type"] == "message.created"] == posted
    conversations = [each.json for each in heard if each.json["type"] != "message.created"]
    assert conversations[0]["type"] == "conversation.created"
    assert conversations[-1]["type"] == "conversation.archived"
    assert conversations[-1]["data"] == messaging.conversation(conversation["id"])
    versions = [each["data"]["version"] for each in conversations]
    assert versions == sorted(versions)
    [request] = [each for each in heard if each.json["data"] == posted[0]]
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Foyer/")
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 30
    assert request.json["timestamp"] >= posted[0]["created_at"]


def test_webhook_hears_of_its_events_and_channels_alone(world: World, messaging: Messaging, quiet: str) -> None:
    other = messaging.new_channel(flow=None)
    everywhere, here = world.hook(), world.hook(channel_ids=[quiet])
    beginnings = world.hook("conversation.created", channel_ids=[quiet])
    world.converse(messaging, other, "there")
    world.converse(messaging, quiet, "here")
    everywhere.wait_for(2)
    here.wait_for(1)
    beginnings.wait_for(1)
    assert sorted(everywhere.texts()) == ["here", "there"]
    assert here.texts() == ["here"]
    assert [each.json["type"] for each in beginnings.received()] == ["conversation.created"]


def test_delivery_is_repeated_and_the_next_waits_until_it_was_heard(world: World, messaging: Messaging, quiet: str) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, answering(503), reactions.hanging_up, answering(500), answering(200))
    world.converse(messaging, quiet, "one", "two")
    hook.wait_log("delivered", 2)
    heard = [each.json["data"]["text"] for each in hook.received()]
    assert heard == ["one", "one", "one", "one", "two"]
    assert len({each.id for each in hook.received()}) == 2
    assert len({each.body for each in hook.received()}) == 2
    assert all(each.is_signed_with(hook.secret) for each in hook.received())
    assert hook.resource()["failing_since"] is None


def test_lane_goes_on_when_a_delivery_is_given_up(world: World, messaging: Messaging, quiet: str) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, *[answering(500)] * 4, answering(200))
    world.converse(messaging, quiet, "one", "two")
    [failed] = hook.wait_log("failed", 1)
    [delivered] = hook.wait_log("delivered", 1)
    assert (failed["attempts"], failed["last_status"], failed["next_attempt_at"]) == (4, 500, None)
    assert (delivered["attempts"], delivered["last_status"]) == (1, 200)
    assert hook.texts() == ["one", "two"]


def test_lane_goes_on_when_a_delivery_fails_within_foyer_each_time(
    world: World, messaging: Messaging, quiet: str, store: MessagingStore
) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, answering(500, retry_after="3600"))
    world.converse(messaging, quiet, "one", "two")
    wait_until(lambda: len(hook.log()) == 2 and hook.received(), what="an attempt")
    world.receiver.react(hook.path, answering(200))
    first = store.database.webhook_deliveries.find_one_and_update(
        {"webhook_id": hook.id}, {"$set": {"body": 5}}, sort=[("position", 1)]
    )
    assert first is not None
    store.webhooks.deliveries.wake(hook.id)
    [failed] = hook.wait_log("failed", 1)
    assert (failed["id"], failed["attempts"]) == (first["_id"], 4)
    assert failed["last_error"] == "An attempt failed within Foyer (AttributeError)."
    hook.wait_log("delivered", 1)
    assert hook.texts() == ["one", "two"]


def test_attempts_are_those_that_the_receiver_was_asked(
    world: World, messaging: Messaging, quiet: str, store: MessagingStore
) -> None:
    """Claimed again and again, as by replicas that were killed, a delivery has all its attempts before it."""
    hook = world.hook()
    world.receiver.react(hook.path, reactions.silent, answering(500))
    world.converse(messaging, quiet, "one")
    wait_until(hook.received, what="an attempt under way")
    store.database.webhook_deliveries.update_one({"webhook_id": hook.id}, {"$inc": {"attempts": 50}})
    [failed] = hook.wait_log("failed", 1)
    assert failed["attempts"] == len(hook.received()) == 4


def test_longer_wait_is_heeded_when_the_receiver_asks_for_it(world: World, messaging: Messaging, quiet: str) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, answering(429, retry_after="1"), answering(200))
    began = time.monotonic()
    world.converse(messaging, quiet, "one")
    hook.wait_log("delivered", 1)
    assert time.monotonic() - began >= 1
    assert hook.texts() == ["one"]


@pytest.mark.parametrize(
    "reaction", [reactions.lying, reactions.flooding, reactions.dripping, answering(204), answering(200, b"x" * 100_000)]
)
def test_delivery_counts_as_heard_when_its_status_says_so(
    world: World, messaging: Messaging, quiet: str, reaction: Reaction
) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, reaction)
    world.converse(messaging, quiet, "one")
    [delivery] = hook.wait_log("delivered", 1)
    assert delivery["attempts"] == 1


@pytest.mark.parametrize(
    ("reaction", "status", "error"),
    [
        (reactions.silent, None, "No answer within 3 s."),
        (reactions.with_huge_headers, None, "Not an HTTP answer"),
        (reactions.babbling, None, "Not an HTTP answer"),
        (answering(302, location="https://elsewhere.example/"), 302, "Answered 302: redirects are not followed."),
        (answering(404, b"no such hook"), 404, "Answered 404: no such hook"),
    ],
)
def test_delivery_fails_with_the_reason_when_no_answer_is_a_good_one(
    world: World, messaging: Messaging, quiet: str, reaction: Reaction, status: int | None, error: str
) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, reaction)
    world.converse(messaging, quiet, "one")
    [failed] = hook.wait_log("failed", 1)
    assert (failed["attempts"], failed["last_status"]) == (4, status)
    assert failed["last_error"].startswith(error)
    assert len(hook.received()) == 4


def test_webhook_is_disabled_at_once_when_its_receiver_is_gone(
    world: World, messaging: Messaging, quiet: str, store: MessagingStore
) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, answering(410))
    world.converse(messaging, quiet, "one", "two", "three")
    hook.wait_log("failed", 1)
    wait_until(lambda: hook.log(state="waiting") == [], what="nothing waiting")
    failed = hook.log(state="failed")
    assert [each["last_status"] for each in failed if each["last_status"]] == [410]
    assert {each["last_error"] for each in failed} <= {"Answered 410.", "disabled"}
    webhook = hook.resource()
    assert (webhook["enabled"], webhook["disabled_reason"]) == (False, "The receiver answered 410 Gone.")
    with pytest.raises(RemoteError, match="enable it first"):
        hook.call("ping_webhook", actor=ADMIN)
    unheard = world.converse(messaging, quiet, "four")
    told = {"_id": unheard["id"], "outbox": []}
    wait_until(lambda: store.database.conversations.find_one(told), what="all told that is to be told")
    wait_until(lambda: hook.log(state="waiting") == [], what="an end of what was kept for a webhook that seemed enabled")
    world.receiver.react(hook.path, answering(200))
    enabled = hook.change(enabled=True)
    assert (enabled["enabled"], enabled["disabled_reason"]) == (True, None)
    world.converse(messaging, quiet, "five")
    hook.wait_log("delivered", 1)
    assert [each.json["data"]["text"] for each in hook.received()] == ["one", "five"]


def test_webhook_is_disabled_when_nothing_was_heard_for_three_days(
    world: World, messaging: Messaging, quiet: str, store: MessagingStore
) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, answering(500))
    since = now() - timedelta(days=3)
    store.database.webhooks.update_one({"_id": hook.id}, {"$set": {"failing_since": since}})
    world.converse(messaging, quiet, "one")
    hook.wait_log("failed", 1)
    wait_until(lambda: not hook.resource()["enabled"], what="disabled")
    assert hook.resource()["disabled_reason"] == "Nothing was delivered for three days."
    assert hook.resource()["failing_since"] == to_wire(since)


def test_what_waits_fails_when_the_webhook_is_disabled_or_deleted(world: World, messaging: Messaging, quiet: str) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, reactions.silent, answering(500, retry_after="3600"))
    world.converse(messaging, quiet, "one", "two")
    wait_until(lambda: hook.received(), what="an attempt under way")
    hook.change(enabled=False)
    failed = hook.wait_log("failed", 2)
    assert "disabled" in {each["last_error"] for each in failed}
    assert all(each["next_attempt_at"] is None for each in failed)


def test_delivery_is_refused_when_the_name_leads_to_a_private_address_by_then(
    world: World, messaging: Messaging, quiet: str, store: MessagingStore
) -> None:
    hook = world.hook()
    store.database.webhooks.update_one({"_id": hook.id}, {"$set": {"url": "https://10.1.2.3/"}})
    world.converse(messaging, quiet, "one")
    [failed] = hook.wait_log("failed", 1)
    assert failed["last_error"] == "Refused: The address 10.1.2.3 is not a public one."


def contact(contact_id: str, channel_id: str, **values: Any) -> Wire:
    nobody: Wire = {"email": None, "phone": None, "fields": {}, "blocked": False, "country": None, "url": None}
    return nobody | {"id": contact_id, "name": "Mia", "name_source": "bot", "channel_id": channel_id} | values


def announce(announcer: Announcer, kind: str, version: int, data: Mapping[str, Any]) -> None:
    about = str(data.get("contact_id") or data["id"])
    announcer.publish("contacts", kind, dict(data), entity=("contact", data["id"], version), contact_id=about)


def test_contacts_and_tickets_are_told_with_their_channel(world: World, announcer: Announcer, quiet: str) -> None:
    hook = world.hook("contact.created", "contact.updated", "ticket.created", channel_ids=[quiet])
    contact_id = new_id()
    announce(announcer, "contact_created", 1, contact(contact_id, quiet))
    announce(announcer, "contact_created", 1, contact(new_id(), "another"))
    hook.wait_for(1)
    announce(announcer, "contact_updated", 2, contact(contact_id, quiet, name="Mia Lund"))
    hook.wait_for(2)
    ticket = {"id": new_id(), "contact_id": contact_id, "channel_id": quiet, "subject": "Refund"}
    announce(announcer, "ticket_created", 1, ticket)
    announce(announcer, "ticket_updated", 2, ticket)
    heard = [each.json for each in hook.wait_for(3)]
    assert [each["type"] for each in heard] == ["contact.created", "contact.updated", "ticket.created"]
    assert heard[1]["data"]["name"] == "Mia Lund"
    assert heard[2]["data"] == ticket
    assert {each["contact_id"] for each in hook.log()} == {contact_id}


def test_nothing_personal_is_left_and_the_deletion_is_told_when_a_contact_is_erased(
    world: World, messaging: Messaging, announcer: Announcer, quiet: str, store: MessagingStore
) -> None:
    hook = world.hook("message.created", "contact.created", "contact.updated", "contact.deleted", "conversation.archived")
    world.receiver.react(hook.path, answering(200), answering(500, retry_after="3600"))
    contact_id, _ = messaging.begin(quiet)
    announce(announcer, "contact_created", 1, contact(contact_id, quiet))
    hook.wait_log("delivered", 1)
    messaging.say(contact_id, "My secret")
    wait_until(lambda: hook.log(state="waiting"), what="one waiting")
    wait_until(lambda: len(hook.received()) == 2, what="an attempt")
    world.receiver.react(hook.path, answering(200))
    gone = {"id": contact_id, "channel_id": quiet, "at": to_wire(now())}
    announce(announcer, "contact_erased", 9, gone)
    wait_until(lambda: [each for each in hook.received() if each.json["type"] == "contact.deleted"], what="the deletion told")
    announce(announcer, "contact_updated", 8, contact(contact_id, quiet, name="Late"))
    announce(announcer, "contact_created", 1, contact(new_id(), quiet, name="Another"))
    wait_until(lambda: any(b"Another" in each.body for each in hook.received()), what="a later event told")
    assert [each.json["data"] for each in hook.received() if each.json["type"] == "contact.deleted"] == [gone]
    [erased] = [each for each in hook.wait_log("failed", 1) if each["type"] == "message.created"]
    assert erased["last_error"] == "erased"
    assert hook.call("get_delivery", delivery_id=erased["id"])["payload"] is None
    kept = store.database.webhook_deliveries.find({"webhook_id": hook.id, "body": {"$ne": None}})
    assert {each["type"] for each in kept if each["contact_id"] == contact_id} <= {"contact.deleted", "conversation.archived"}
    assert not any("Late" in each.body.decode() for each in hook.received())
    assert hook.call("replay_deliveries", actor=ADMIN, delivery_ids=[erased["id"]]) == {"replayed": 0}


def test_nothing_is_collected_twice_when_the_relay_repeats_itself(
    world: World, messaging: Messaging, quiet: str, store: MessagingStore
) -> None:
    hook = world.hook(*ALL, "message.updated")
    conversation = world.converse(messaging, quiet, "one")
    wait_until(lambda: len(hook.log(state="delivered")) == 2)
    before = hook.log()
    kept = store.database.webhook_deliveries.find_one({"webhook_id": hook.id, "type": "message.created"})
    assert kept is not None
    entry = {
        "id": new_id(),
        "type": "message_updated",
        "entity": {"kind": "message", "id": "m", "version": 1},
        "contact_id": conversation["contact"]["id"],
        "at": now(),
        "request_id": None,
        "data": {"id": "m", "conversation_id": conversation["id"], "text": "one"},
    }
    for _ in range(2):
        store.settle("messenger_sends", [entry, entry | {"id": entry["id"] + "2"}])
    wait_until(lambda: len(hook.log(state="delivered")) == 4)
    assert len(hook.log()) == len(before) + 2
    updates = list(store.database.webhook_deliveries.find({"webhook_id": hook.id, "type": "message.updated"}).sort("position", 1))
    assert [each["position"] for each in updates] == [kept["position"] + 1, kept["position"] + 2]
