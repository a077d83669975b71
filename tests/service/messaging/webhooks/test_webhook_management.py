"""Webhooks made, changed and deleted; whom they may lead to; their log, its replay and pings."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from services.common.times import now
from services.messaging.store import MessagingStore
from services.messaging.webhooks import delivery_store, domain, told
from tests.service.conftest import PATIENCE
from tests.service.messaging.conftest import ADMIN, Messaging
from tests.service.messaging.webhooks.conftest import World
from tests.support.parts import calling
from tests.support.receiver import answering
from tests.support.waiting import wait_until

Wire = dict[str, Any]

AGENT = {"kind": "agent", "id": "ann", "name": "Ann", "role": "agent"}
NEW = {"url": "https://hooks.example/x", "events": ["message.created"], "actor": ADMIN}


def refused(world: World, method: str, **arguments: Any) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        world.call(method, **arguments)
    return caught.value


def test_webhook_shows_its_secret_once(world: World) -> None:
    made = world.call("create_webhook", **NEW | {"description": " CRM ", "events": ["ticket.created", "message.created"]})
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "id": made["id"],
        "url": "https://hooks.example/x",
        "description": "CRM",
        "events": ["message.created", "ticket.created"],
        "channel_ids": None,
        "enabled": True,
        "failing_since": None,
        "disabled_reason": None,
        "created_at": made["created_at"],
        "version": 1,
    }
    assert world.call("get_webhook", webhook_id=made["id"]) == made
    assert world.call("list_webhooks")["items"] == [made]


def test_creation_is_answered_again_when_its_key_is(world: World) -> None:
    key = new_id()
    first, second = (world.call("create_webhook", **NEW, idempotency_key=key) for _ in range(2))
    assert first == second
    assert (
        refused(world, "create_webhook", **NEW | {"description": "x"}, idempotency_key=key).error_code == "IDEMPOTENCY_KEY_REUSED"
    )


def test_webhooks_are_listed_in_pages_oldest_first(world: World) -> None:
    made = [world.call("create_webhook", **NEW)["id"] for _ in range(3)]
    first = world.call("list_webhooks", limit=2)
    rest = world.call("list_webhooks", limit=2, cursor=first["next_cursor"])
    assert [each["id"] for each in first["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None


def test_webhook_is_changed_and_deleted(world: World, messaging: Messaging) -> None:
    webhook_id = world.call("create_webhook", **NEW)["id"]
    changes = {
        "url": "https://other.example/",
        "events": ["contact.created"],
        "channel_ids": [messaging.channel_id],
        "enabled": False,
    }
    changed = world.call("update_webhook", webhook_id=webhook_id, changes=changes, actor=ADMIN)
    assert {name: changed[name] for name in changes} == changes
    assert (changed["version"], changed["disabled_reason"]) == (2, None)
    assert world.call("update_webhook", webhook_id=webhook_id, changes=changes, actor=ADMIN)["version"] == 2
    assert world.call("delete_webhook", webhook_id=webhook_id, actor=ADMIN) == {"id": webhook_id}
    assert world.call("list_webhooks")["items"] == []
    for method in ("get_webhook", "list_deliveries"):
        assert refused(world, method, webhook_id=webhook_id).error_code == "WEBHOOK_NOT_FOUND"
    for method in ("delete_webhook", "rotate_webhook_secret", "ping_webhook", "replay_deliveries"):
        assert refused(world, method, webhook_id=webhook_id, actor=ADMIN).error_code == "WEBHOOK_NOT_FOUND"


def test_webhooks_are_managed_by_admins_alone(world: World) -> None:
    webhook_id = world.call("create_webhook", **NEW)["id"]
    assert refused(world, "create_webhook", **NEW | {"actor": AGENT}).error_code == "FORBIDDEN"
    assert refused(world, "update_webhook", webhook_id=webhook_id, changes={}, actor=AGENT).error_code == "FORBIDDEN"
    for method in ("delete_webhook", "rotate_webhook_secret", "ping_webhook", "replay_deliveries"):
        assert refused(world, method, webhook_id=webhook_id, actor=AGENT).error_code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"url": "http://hooks.example/"}, "url"),
        ({"url": "ftp://hooks.example/"}, "url"),
        ({"url": "https://user:secret@hooks.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "https://[fd00:ec2::254]/"}, "url"),
        ({"url": "https://0xa000001/"}, "url"),
        ({"url": ""}, "url"),
        ({"events": []}, "events"),
        ({"events": ["message.posted"]}, "events.0"),
        ({"channel_ids": []}, "channel_ids"),
        ({"channel_ids": ["unknown"]}, "channel_ids"),
        ({"description": "x" * 501}, "description"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_creation_is_refused_with_the_place_of_the_fault(world: World, values: dict[str, Any], place: str) -> None:
    error = refused(world, "create_webhook", **NEW | values)
    assert (error.error_code, list(error.data["errors"])) == ("VALIDATION_FAILED", [place])
    assert world.call("list_webhooks")["items"] == []


def test_change_is_refused_when_it_leads_to_a_private_address(world: World) -> None:
    webhook_id = world.call("create_webhook", **NEW)["id"]
    error = refused(world, "update_webhook", webhook_id=webhook_id, changes={"url": "https://192.168.0.1/"}, actor=ADMIN)
    assert error.data["errors"] == {"url": ["The address 192.168.0.1 is not a public one."]}
    assert world.call("get_webhook", webhook_id=webhook_id)["version"] == 1


def test_fifty_webhooks_are_enough(world: World) -> None:
    here = NEW | {"url": world.receiver.url()}  # looked up nowhere
    for _ in range(50):
        world.call("create_webhook", **here)
    error = refused(world, "create_webhook", **here)
    assert (error.error_code, error.text) == ("CONFLICT", "There are 50 webhooks already; delete one first.")


def test_fifty_webhooks_are_made_when_many_are_at_once(world: World) -> None:
    here: Wire = NEW | {"url": world.receiver.url()}
    for _ in range(46):
        world.call("create_webhook", **here)

    def make(_: int) -> str:
        with calling(world.stack.settings) as client:
            try:
                client.call("messaging", "create_webhook", timeout=PATIENCE, **here)
            except RemoteError as error:
                return error.error_code
            return "made"

    with ThreadPoolExecutor(12) as pool:
        answers = Counter(pool.map(make, range(12)))
    assert answers == {"made": 4, "CONFLICT": 8}
    assert len(world.call("list_webhooks", limit=100)["items"]) == 50


def test_ping_is_delivered_beside_everything_else(world: World) -> None:
    hook = world.hook()
    delivery = hook.call("ping_webhook", actor=ADMIN)
    assert (delivery["type"], delivery["state"], delivery["webhook_id"]) == ("ping", "waiting", hook.id)
    [request] = hook.wait_for(1)
    assert request.id == delivery["id"]
    assert request.json["type"] == "ping"
    assert request.is_signed_with(hook.secret)
    hook.wait_log("delivered", 1)


def test_delivery_tells_what_was_sent_and_what_came_of_it(world: World, messaging: Messaging, quiet: str) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, answering(500, b"no database"), answering(202))
    contact_id, conversation = messaging.begin(quiet)
    message = messaging.say(contact_id, "Hello")
    [delivery] = hook.wait_log("delivered", 1)
    shown = hook.call("get_delivery", delivery_id=delivery["id"])
    payload = shown.pop("payload")
    assert shown == delivery
    assert (payload["type"], payload["data"]) == ("message.created", message)
    assert delivery == {
        "id": hook.received()[0].id,
        "webhook_id": hook.id,
        "type": "message.created",
        "conversation_id": conversation["id"],
        "contact_id": contact_id,
        "state": "delivered",
        "attempts": 2,
        "last_attempt_at": delivery["last_attempt_at"],
        "next_attempt_at": None,
        "last_status": 202,
        "last_error": None,
        "created_at": delivery["created_at"],
        "delivered_at": delivery["delivered_at"],
    }
    assert delivery["created_at"] <= delivery["last_attempt_at"] == delivery["delivered_at"]
    assert refused(world, "get_delivery", webhook_id=hook.id, delivery_id="unknown").error_code == "DELIVERY_NOT_FOUND"
    other = world.hook()
    assert refused(world, "get_delivery", webhook_id=other.id, delivery_id=delivery["id"]).error_code == "DELIVERY_NOT_FOUND"


def test_log_is_listed_in_pages_newest_first(world: World) -> None:
    hook = world.hook()
    made = [hook.call("ping_webhook", actor=ADMIN)["id"] for _ in range(5)]
    first = hook.call("list_deliveries", limit=3)
    rest = hook.call("list_deliveries", limit=3, cursor=first["next_cursor"])
    listed = [each["id"] for each in first["items"] + rest["items"]]
    assert sorted(listed) == sorted(made)
    times = [each["created_at"] for each in first["items"] + rest["items"]]
    assert times == sorted(times, reverse=True)
    hook.wait_log("delivered", 5)
    assert hook.log(state="waiting") == []


def test_failed_deliveries_are_replayed_oldest_first_under_their_ids(world: World, messaging: Messaging, quiet: str) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, answering(500))
    contact_id, _ = messaging.begin(quiet)
    for text in ("one", "two", "three"):
        messaging.say(contact_id, text)
    failed = hook.wait_log("failed", 3)
    assert {(each["attempts"], each["last_status"], each["last_error"]) for each in failed} == {(4, 500, "Answered 500.")}
    assert hook.texts() == ["one", "two", "three"]
    world.receiver.react(hook.path, answering(200))
    heard = len(hook.received())
    assert hook.call("replay_deliveries", actor=ADMIN) == {"replayed": 3}
    again = hook.wait_for(heard + 3)[heard:]
    assert [each.json["data"]["text"] for each in again] == ["one", "two", "three"]
    assert {each.id for each in again} == {each["id"] for each in failed}
    assert {each["attempts"] for each in hook.wait_log("delivered", 3)} == {1}
    assert hook.call("replay_deliveries", actor=ADMIN) == {"replayed": 0}


def test_delivered_ones_are_replayed_when_they_are_named(world: World, messaging: Messaging, quiet: str) -> None:
    hook = world.hook()
    contact_id, _ = messaging.begin(quiet)
    for text in ("one", "two"):
        messaging.say(contact_id, text)
    second, first = hook.wait_log("delivered", 2)
    assert hook.call("replay_deliveries", actor=ADMIN, delivery_ids=[second["id"]]) == {"replayed": 1}
    assert [each.json["data"]["text"] for each in hook.wait_for(3)] == ["one", "two", "two"]
    hook.wait_log("delivered", 2)
    since = second["created_at"]
    assert hook.call("replay_deliveries", actor=ADMIN, state="delivered", since=since)["replayed"] in {1, 2}
    error = refused(world, "replay_deliveries", webhook_id=hook.id, actor=ADMIN, delivery_ids=[first["id"], "unknown"])
    assert (error.error_code, error.text) == ("DELIVERY_NOT_FOUND", "The webhook has no delivery unknown.")


def test_delivered_ones_are_replayed_once_each_when_there_are_many(world: World, store: MessagingStore) -> None:
    """More than are taken at a time; those taken first are delivered again before the last are."""
    hook = world.hook()
    webhook = {"_id": hook.id}
    moment = now()
    pings = [told.Told("ping", f"ping-{number}", moment, {}, None, None, 0) for number in range(30)]
    ended = domain.end("delivered", moment)
    store.webhooks.deliveries.add([told.make_delivery(webhook, ping, moment) | ended for ping in pings])
    send_again = store.webhooks.deliveries._send_again

    def send_again_and_wait(batch: list[Wire]) -> int:
        count = send_again(batch)
        wait_until(lambda: hook.log(state="waiting") == [], what="a batch delivered")
        return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery_store, "REPLAYED_AT_ONCE", 10)
        patch.setattr(store.webhooks.deliveries, "_send_again", send_again_and_wait)
        assert store.webhooks.deliveries.replay({"webhook_id": hook.id, "state": "delivered"}, 5_000) == 30
    assert Counter(Counter(each.id for each in hook.received()).values()) == {1: 30}


def test_log_keeps_what_waits_longer_than_what_has_ended(
    world: World, messaging: Messaging, quiet: str, store: MessagingStore
) -> None:
    hook = world.hook()
    world.receiver.react(hook.path, answering(500, retry_after="3600"))
    world.converse(messaging, quiet, "one")
    waiting = wait_until(lambda: store.database.webhook_deliveries.find_one({"webhook_id": hook.id}), what="one waiting")
    assert waiting is not None
    assert waiting["kept_until"] - now() > timedelta(days=29)
    index = store.database.webhook_deliveries.index_information()
    assert [(each["key"], each["expireAfterSeconds"]) for each in index.values() if "expireAfterSeconds" in each] == [
        ([("kept_until", 1)], 0)
    ]
    hook.change(enabled=False)
    hook.wait_log("failed", 1)
    failed = store.database.webhook_deliveries.find_one({"webhook_id": hook.id})
    assert failed is not None
    assert timedelta(days=6) < failed["kept_until"] - now() <= timedelta(days=7)


def test_old_and_new_secret_sign_when_it_was_rotated(world: World) -> None:
    hook = world.hook()
    unheard = hook.call("rotate_webhook_secret", actor=ADMIN)
    rotated = hook.call("rotate_webhook_secret", actor=ADMIN)
    assert len({rotated["secret"], unheard["secret"], hook.secret}) == 3
    assert rotated["version"] == 3
    hook.call("ping_webhook", actor=ADMIN)
    [request] = hook.wait_for(1)
    assert request.is_signed_with(hook.secret)
    assert request.is_signed_with(rotated["secret"])
    assert not request.is_signed_with("whsec_AAAA")
