"""Facebook's door: its forms pass as they come."""

from typing import Any

import pytest

from gateway import limits
from services.common.errors import RemoteError
from tests.unit.gateway.kit import World

PATH = "/v1/webhooks/messenger/page"
SIGNED = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
CHALLENGE = "hub.mode=subscribe&hub.verify_token=mine&hub.challenge=1158201444"


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "messaging.verify_messenger_webhook": lambda **asked: {"challenge": asked["challenge"]},
        "messaging.receive_messenger_webhook": {"accepted": 2},
    }
    return world


def receive(world: World, body: bytes, **headers: str) -> Any:
    return world.send("POST", PATH, body, headers=SIGNED | headers)


def test_challenge_is_answered_as_plain_text(world: World) -> None:
    response = world.send("GET", f"{PATH}?{CHALLENGE}")
    assert (response.status_code, response.text, response.mimetype) == (200, "1158201444", "text/plain")
    assert world.rpc.asked("messaging.verify_messenger_webhook") == {
        "channel_id": "page",
        "mode": "subscribe",
        "verify_token": "mine",
        "challenge": "1158201444",
    }


def test_challenge_is_refused_when_the_token_is_another(world: World) -> None:
    world.rpc.answers["messaging.verify_messenger_webhook"] = RemoteError("No.", code="FORBIDDEN")
    world.problem(403, "FORBIDDEN", world.send("GET", f"{PATH}?{CHALLENGE}"))


@pytest.mark.parametrize(
    "query", ["", "hub.mode=subscribe&hub.verify_token=mine", "hub.mode=%00&hub.verify_token=m&hub.challenge=1"]
)
def test_challenge_is_refused_when_it_is_none(world: World, query: str) -> None:
    world.problem(422, "VALIDATION_FAILED", world.send("GET", f"{PATH}?{query}"))


def test_query_may_hold_more_than_is_named(world: World) -> None:
    assert world.send("GET", f"{PATH}?{CHALLENGE}&from=facebook").status_code == 200
    assert world.send("POST", f"{PATH}?from=facebook", b"{}", headers=SIGNED).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
@pytest.mark.parametrize("body", ['{"object": "page",\n "entry": []}', '{"text":"\\u00e9 é 🦦"}', "not JSON", "\ufeff{}", ""])
def test_body_is_passed_on_as_it_came_whatever_it_is(world: World, body: str, content_type: str) -> None:
    response = receive(world, body.encode(), **{"Content-Type": content_type})
    assert (response.status_code, response.text, response.mimetype) == (200, "EVENT_RECEIVED", "text/plain")
    assert world.rpc.asked("messaging.receive_messenger_webhook") == {
        "channel_id": "page",
        "body": body,
        "signature": SIGNED["X-Hub-Signature-256"],
    }


def test_body_without_a_signature_is_messagings_to_refuse(world: World) -> None:
    world.rpc.answers["messaging.receive_messenger_webhook"] = RemoteError("No.", code="SIGNATURE_INVALID")
    world.problem(403, "SIGNATURE_INVALID", world.send("POST", PATH, b"{}"))
    assert world.rpc.asked("messaging.receive_messenger_webhook")["signature"] is None


def test_body_may_be_larger_than_others_up_to_a_megabyte(world: World) -> None:
    assert receive(world, b" " * 1_000_000).status_code == 200
    world.problem(413, "BODY_TOO_LARGE", receive(world, b" " * 1_000_001))


def test_body_is_refused_when_it_is_not_utf_8(world: World) -> None:
    world.problem(400, "MALFORMED_REQUEST", receive(world, b"\xff\xfe"))
    assert world.rpc.calls == []


def test_facebook_has_an_allowance_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(FOYER_RATE_LIMITS="on")
    world.rpc.answers["messaging.receive_messenger_webhook"] = {"accepted": 0}
    assert {receive(world, b"{}").status_code for _ in range(1_300)} == {200}
    assert world.send("GET", "/v1/agents/me").status_code == 401
    assert limits.MESSENGER.endswith("/minute")
