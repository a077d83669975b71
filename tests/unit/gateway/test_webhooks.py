from typing import Any

import pytest

from gateway.schemas.webhooks import DeliveryWithPayloadSchema, WebhookSecretSchema
from services.common.errors import RemoteError
from tests.unit.gateway.kit import ADMIN, World

AT = "2026-11-24T07:31:47.120Z"
WEBHOOK = {
    "id": "w1",
    "url": "https://crm.example/foyer",
    "description": "",
    "events": ["message.created"],
    "channel_ids": None,
    "enabled": True,
    "failing_since": None,
    "disabled_reason": None,
    "created_at": AT,
    "version": 1,
}
DELIVERY = {
    "id": "d1",
    "webhook_id": "w1",
    "type": "message.created",
    "conversation_id": "v1",
    "contact_id": "c1",
    "state": "failed",
    "attempts": 7,
    "last_attempt_at": AT,
    "next_attempt_at": None,
    "last_status": 503,
    "last_error": "Answered 503.",
    "created_at": AT,
    "delivered_at": None,
}
WITH_SECRET = WEBHOOK | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
WITH_PAYLOAD = DELIVERY | {"payload": {"type": "message.created", "timestamp": AT, "data": {}}}
ACTOR = {"kind": "agent", "id": "root", "name": "Root", "role": "admin"}
NEW = {"url": "https://crm.example/foyer", "events": ["message.created"]}


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "messaging.create_webhook": WITH_SECRET,
        "messaging.rotate_webhook_secret": WITH_SECRET,
        "messaging.get_webhook": WEBHOOK,
        "messaging.update_webhook": WEBHOOK,
        "messaging.list_webhooks": {"items": [WEBHOOK], "next_cursor": None},
        "messaging.delete_webhook": {"id": "w1"},
        "messaging.ping_webhook": DELIVERY | {"type": "ping", "state": "waiting"},
        "messaging.list_deliveries": {"items": [DELIVERY], "next_cursor": None},
        "messaging.get_delivery": WITH_PAYLOAD,
        "messaging.replay_deliveries": {"replayed": 3},
    }
    return world


def send(world: World, method: str, path: str = "", body: Any = None, **options: Any) -> Any:
    return world.send(method, f"/v1/webhooks{path}", body, token=world.agent_token(ADMIN), **options)


def test_webhook_is_made_and_its_secret_shown_once(world: World) -> None:
    response = send(world, "POST", body=NEW | {"channel_ids": ["shop"]}, headers={"Idempotency-Key": "k-1"})
    assert (response.status_code, response.headers["Location"]) == (201, "/v1/webhooks/w1")
    assert response.headers["Cache-Control"] == "no-store"
    assert WebhookSecretSchema().validate(response.get_json()) == {}
    assert world.rpc.asked("messaging.create_webhook") == NEW | {
        "channel_ids": ["shop"],
        "idempotency_key": "k-1",
        "actor": ACTOR,
    }
    assert "secret" not in send(world, "GET", "/w1").get_json()


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"url": "ftp://crm.example/"}, "url"),
        ({"url": "crm.example"}, "url"),
        ({"url": "https://crm.example/a b"}, "url"),
        ({"url": "https://" + "x" * 2_000}, "url"),
        ({"events": []}, "events"),
        ({"events": ["message.deleted"]}, "events.0"),
        ({"channel_ids": []}, "channel_ids"),
        ({"channel_ids": ["a b"]}, "channel_ids.0"),
        ({"description": "x" * 501}, "description"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_webhook_is_refused_when_it_is_malformed(world: World, wrong: dict[str, Any], place: str) -> None:
    for response in (send(world, "POST", body=NEW | wrong), send(world, "PATCH", "/w1", wrong)):
        assert set(world.problem(422, "VALIDATION_FAILED", response)["errors"]) == {place}
    assert not [name for name, _ in world.rpc.calls if name.startswith("messaging.")]


def test_target_that_messaging_refuses_is_named_as_in_the_body(world: World) -> None:
    errors = {"changes.url": ["A private address."]}
    world.rpc.answers["messaging.update_webhook"] = RemoteError("No.", code="VALIDATION_FAILED", data={"errors": errors})
    problem = world.problem(422, "VALIDATION_FAILED", send(world, "PATCH", "/w1", {"url": "https://10.0.0.1/"}))
    assert problem["errors"] == {"url": ["A private address."]}


def test_webhook_is_changed_given_a_new_secret_and_deleted(world: World) -> None:
    assert send(world, "PATCH", "/w1", {"enabled": False, "channel_ids": None}).status_code == 200
    assert world.rpc.asked("messaging.update_webhook")["changes"] == {"enabled": False, "channel_ids": None}
    assert send(world, "POST", "/w1/secret").get_json() == WITH_SECRET
    assert send(world, "DELETE", "/w1").status_code == 204
    assert world.rpc.asked("messaging.delete_webhook") == {"webhook_id": "w1", "actor": ACTOR}


def test_trial_is_a_delivery(world: World) -> None:
    response = send(world, "POST", "/w1/ping")
    assert (response.status_code, response.headers["Location"]) == (201, "/v1/webhooks/w1/deliveries/d1")


def test_log_is_filtered_and_shows_a_payload(world: World) -> None:
    assert send(world, "GET", "/w1/deliveries?state=failed&limit=5").get_json()["items"] == [DELIVERY]
    assert world.rpc.asked("messaging.list_deliveries") == {"webhook_id": "w1", "state": "failed", "limit": 5}
    shown = send(world, "GET", "/w1/deliveries/d1").get_json()
    assert DeliveryWithPayloadSchema().validate(shown) == {}
    world.problem(422, "VALIDATION_FAILED", send(world, "GET", "/w1/deliveries?state=lost"))


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (None, {"state": "failed"}),
        ({"delivery_ids": ["d1", "d2"]}, {"state": "failed", "delivery_ids": ["d1", "d2"]}),
        ({"state": "delivered", "since": "2026-11-24T07:31:47Z"}, {"state": "delivered", "since": "2026-11-24T07:31:47Z"}),
    ],
)
def test_deliveries_are_sent_again(world: World, body: Any, asked: dict[str, Any]) -> None:
    assert send(world, "POST", "/w1/replay", body).get_json() == {"replayed": 3}
    assert world.rpc.asked("messaging.replay_deliveries") == asked | {"webhook_id": "w1", "actor": ACTOR}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"delivery_ids": []}, "delivery_ids"),
        ({"delivery_ids": ["d1"] * 501}, "delivery_ids"),
        ({"state": "waiting"}, "state"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-24"}, "since"),
    ],
)
def test_replay_is_refused_when_it_is_malformed(world: World, body: dict[str, Any], place: str) -> None:
    assert set(world.problem(422, "VALIDATION_FAILED", send(world, "POST", "/w1/replay", body))["errors"]) == {place}


@pytest.mark.parametrize("code", ["WEBHOOK_NOT_FOUND", "DELIVERY_NOT_FOUND"])
def test_what_is_not_there_is_not_found(world: World, code: str) -> None:
    world.rpc.answers["messaging.get_delivery"] = RemoteError("None.", code=code)
    world.problem(404, code, send(world, "GET", "/w1/deliveries/d2"))
