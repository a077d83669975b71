"""Facebook's door: its forms pass as they come."""

from collections import Counter
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


@pytest.mark.parametrize("signature", ["", "sha256=", "0" * 64, "sha1=" + "0" * 64, "sha256=" + "0" * 63, "sha256=" + "0" * 65, "sha256=" + "g" * 64])  # fmt: skip
def test_body_is_refused_here_when_it_bears_no_signature(world: World, signature: str) -> None:
    headers = {"X-Hub-Signature-256": signature} if signature else {}
    world.problem(403, "SIGNATURE_INVALID", world.send("POST", PATH, b"x" * 100_000, headers=headers))
    assert world.rpc.calls == []


def test_body_with_a_false_signature_is_messagings_to_refuse(world: World) -> None:
    world.rpc.answers["messaging.receive_messenger_webhook"] = RemoteError("No.", code="SIGNATURE_INVALID")
    world.problem(403, "SIGNATURE_INVALID", receive(world, b"{}"))


def test_body_may_be_larger_than_others_up_to_a_megabyte(world: World) -> None:
    assert receive(world, b" " * 1_000_000).status_code == 200
    world.problem(413, "BODY_TOO_LARGE", receive(world, b" " * 1_000_001))


def test_body_is_refused_when_it_is_not_utf_8(world: World) -> None:
    world.problem(400, "MALFORMED_REQUEST", receive(world, b"\xff\xfe"))
    assert world.rpc.calls == []


class Caller:
    """Calls with all limits on, from an address; counts the answers by status."""

    def __init__(self, world: World, address: str = "9.9.9.9") -> None:
        self.world = world
        self.headers = {"X-Forwarded-For": address}

    def deliver(self, times: int, page: str = "page", **headers: str) -> Counter[int]:
        path = f"/v1/webhooks/messenger/{page}"
        sent = SIGNED | self.headers | headers
        return Counter(self.world.send("POST", path, b"{}", headers=sent).status_code for _ in range(times))

    def ask(self, times: int, page: str = "page") -> Counter[int]:
        path = f"/v1/webhooks/messenger/{page}?{CHALLENGE}"
        return Counter(self.world.send("GET", path, headers=self.headers).status_code for _ in range(times))


@pytest.fixture
def limited(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    limited = World(FOYER_RATE_LIMITS="on", TRUSTED_PROXIES="127.0.0.1")
    limited.rpc.answers |= world.rpc.answers
    monkeypatch.setattr(limits, "MESSENGER", "50/minute")
    monkeypatch.setattr(limits, "MESSENGER_ALL_PAGES", "80/minute")
    monkeypatch.setattr(limits, "MESSENGER_REFUSED", "30/minute")
    return limited


def test_a_pages_deliveries_are_limited_by_address(limited: World) -> None:
    assert Caller(limited).deliver(60) == {200: 50, 429: 10}
    assert Caller(limited, "8.8.8.8").deliver(1) == {200: 1}
    assert len(limited.rpc.calls) == 51


def test_invented_pages_give_an_address_no_new_allowance(limited: World) -> None:
    caller = Caller(limited)
    answers = sum((caller.deliver(10, f"page{number}") for number in range(10)), Counter())
    assert answers == {200: 80, 429: 20}


@pytest.mark.parametrize("code", ["SIGNATURE_INVALID", "CHANNEL_NOT_FOUND"])
def test_refused_deliveries_are_limited_more_tightly(limited: World, code: str) -> None:
    caller = Caller(limited)
    limited.rpc.answers["messaging.receive_messenger_webhook"] = RemoteError("No.", code=code)
    answers = sum((caller.deliver(4, f"page{number}") for number in range(10)), Counter())
    assert answers == {404 if code == "CHANNEL_NOT_FOUND" else 403: 30, 429: 10}
    assert len(limited.rpc.calls) == 30


def test_unsigned_deliveries_are_limited(limited: World) -> None:
    assert Caller(limited).deliver(40, **{"X-Hub-Signature-256": "none"}) == {403: 30, 429: 10}


def test_verify_tokens_can_not_be_guessed_at_any_rate(limited: World) -> None:
    caller = Caller(limited)
    assert caller.ask(15) + caller.ask(15, "other") == {200: 20, 429: 10}
    assert Caller(limited, "8.8.8.8").ask(1) == {200: 1}
    assert caller.deliver(1) == {200: 1}


def test_facebooks_rate_passes_and_is_not_counted_as_anybodys() -> None:
    world = World(FOYER_RATE_LIMITS="on", TRUSTED_PROXIES="127.0.0.1")
    world.rpc.answers["messaging.receive_messenger_webhook"] = {"accepted": 0}
    caller = Caller(world)
    assert caller.deliver(1_300) == {200: 1_300}
    assert world.send("GET", "/v1/agents/me", headers=caller.headers).status_code == 401
    amounts = [int(limit.partition("/")[0]) for limit in (limits.MESSENGER_REFUSED, limits.MESSENGER, limits.MESSENGER_ALL_PAGES)]
    assert amounts[1] > 100 * 60
    assert amounts == sorted(amounts)
