import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.topology import SERVICES
from tests.unit.gateway.kit import ADMIN, AGENT, CHANNEL, MESSAGE, World


def test_sign_in_answers_a_token_that_works(world: World) -> None:
    world.rpc.answers |= {
        "presence.authenticate": {"agent": AGENT, "session_id": "s", "refresh_token": "r"},
        "presence.get_agent": AGENT,
    }
    response = world.send(
        "POST", "/v1/auth/token", {"email": "ada@example.com", "password": "x"}, headers={"User-Agent": "Browser"}
    )
    session: dict[str, Any] = response.get_json()
    assert (session["expires_in"], session["refresh_token"], session["agent"]["id"]) == (900, "r", "ada")
    assert response.headers["Cache-Control"] == "no-store"
    assert world.send("GET", "/v1/agents/me", token=session["access_token"]).json == AGENT
    assert world.rpc.asked("presence.authenticate") == {
        "email": "ada@example.com",
        "password": "x",
        "user_agent": "Browser",
        "ip": "127.0.0.1",
    }


def test_creation_passes_the_key_and_says_where_the_resource_is(world: World) -> None:
    world.rpc.answers["messaging.create_channel"] = CHANNEL
    body = {"kind": "web", "name": "Shop"}
    response = world.send("POST", "/v1/channels", body, token=world.agent_token(ADMIN), headers={"Idempotency-Key": "k-1"})
    assert (response.status_code, response.headers["Location"]) == (201, "/v1/channels/shop")
    assert world.rpc.asked("messaging.create_channel") == {
        "kind": "web",
        "name": "Shop",
        "allowed_origins": [],
        "idempotency_key": "k-1",
        "actor": {"kind": "agent", "id": "root", "name": "Root", "role": "admin"},
    }


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a b"])
def test_creation_is_refused_when_the_key_is_unusable(world: World, key: str) -> None:
    body = {"kind": "web", "name": "Shop"}
    response = world.send("POST", "/v1/channels", body, token=world.agent_token(ADMIN), headers={"Idempotency-Key": key})
    assert set(world.problem(422, "VALIDATION_FAILED", response)["errors"]) == {"Idempotency-Key"}


@pytest.mark.parametrize("text", ["", "   ", "\u0000", "a\u0000b", "x" * 10_001, None, 1, ["a"]])
def test_message_is_refused_when_its_text_is_unusable(world: World, text: object) -> None:
    body = {"text": text, "client_message_id": "1"}
    response = world.send("POST", "/v1/conversations/v1/messages", body, token=world.agent_token())
    assert set(world.problem(422, "VALIDATION_FAILED", response)["errors"]) == {"text"}


def test_message_of_10000_characters_is_accepted(world: World) -> None:
    world.rpc.answers["messaging.post_agent_message"] = MESSAGE
    body = {"text": "ü" * 10_000, "client_message_id": "1"}
    assert world.send("POST", "/v1/conversations/v1/messages", body, token=world.agent_token()).status_code == 201


@pytest.mark.parametrize("value", ["1", 1, 0, "true", None])
def test_flag_is_refused_when_it_is_no_boolean(world: World, value: object) -> None:
    response = world.send("POST", "/v1/conversations/v1/typing", {"typing": value}, token=world.agent_token())
    world.problem(422, "VALIDATION_FAILED", response)


@pytest.mark.parametrize("value", ["1", True, 1.5, -1, 2**40, None])
def test_number_is_refused_when_it_is_no_integer_in_range(world: World, value: object) -> None:
    response = world.send("POST", "/v1/conversations/v1/read", {"seq": value}, token=world.agent_token())
    world.problem(422, "VALIDATION_FAILED", response)


def test_typing_needs_no_body(world: World) -> None:
    world.rpc.answers["messaging.signal_typing"] = {}
    assert world.send("POST", "/v1/conversations/v1/typing", token=world.agent_token()).status_code == 204
    assert world.rpc.asked("messaging.signal_typing")["typing"] is True


def test_messages_are_read_in_one_direction(world: World) -> None:
    response = world.send("GET", "/v1/conversations/v1/messages?after_seq=1&before_seq=9", token=world.agent_token())
    assert set(world.problem(422, "VALIDATION_FAILED", response)["errors"]) == {"before_seq"}


def test_contacts_other_fields_are_left_for_the_service_to_refuse(world: World) -> None:
    world.rpc.answers["contacts.update_contact"] = RemoteError("Not yours.", code="FIELD_READ_ONLY", data={"fields": ["topic"]})
    response = world.send("PATCH", "/v1/contacts/c1", {"topic": "x"}, token=world.agent_token())
    assert world.problem(403, "FIELD_READ_ONLY", response)["fields"] == ["topic"]
    assert world.rpc.asked("contacts.update_contact")["changes"] == {"topic": "x"}


def test_services_are_asked_once_a_second_for_readiness_however_many_want_to_know(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All within the second, however late the last of them is let run.
    monkeypatch.setattr("gateway.readiness.time", SimpleNamespace(monotonic=lambda: 100.0))
    everybody = threading.Barrier(len(SERVICES) + 1)

    def answer() -> dict[str, Any]:
        everybody.wait(10)
        return {"status": "ok"}

    world.rpc.answers |= {f"{service}.get_health": answer for service in SERVICES}
    readiness = world.parts.readiness
    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(readiness.report) for _ in range(8)]
        everybody.wait(10)
        reports = [each.result(10) for each in asking]
    assert all(report["services"] == {service: {"status": "ok"} for service in SERVICES} for report in reports)
    assert sorted(name for name, _ in world.rpc.calls) == sorted(f"{service}.get_health" for service in SERVICES)


def test_ready_when_all_four_services_are(world: World) -> None:
    services = ("messaging", "presence", "assignment", "contacts")
    world.rpc.answers |= {f"{service}.get_health": {"service": service, "status": "ok"} for service in services}
    world.rpc.answers["contacts.get_health"] = {"service": "contacts", "status": "degraded", "database": False}
    response = world.send("GET", "/readyz")
    report: dict[str, Any] = response.get_json()
    assert (response.status_code, report["status"], response.headers["Retry-After"]) == (503, "unavailable", "1")
    assert report["services"]["contacts"]["database"] is False
    assert set(report["services"]) == set(services)
