from typing import Any

import pytest

from tests.unit.gateway.kit import AGENT, CHANNEL, CONTACT, CONVERSATION, MESSAGE, World


@pytest.fixture
def world() -> World:
    world = World(FOYER_RATE_LIMITS="on", TRUSTED_PROXIES="127.0.0.1")
    world.rpc.answers |= {
        "presence.authenticate": {"agent": AGENT, "session_id": "s", "refresh_token": "r"},
        "messaging.post_agent_message": MESSAGE,
        "presence.get_agent": AGENT,
        "messaging.get_channel": CHANNEL,
        "contacts.open_session": CONTACT,
        "messaging.start_conversation": {"conversation": CONVERSATION, "messages": []},
    }
    return world


def sign_in(world: World, email: str, address: str) -> int:
    body = {"email": email, "password": "x"}
    return world.send("POST", "/v1/auth/token", body, headers={"X-Forwarded-For": address}).status_code


def visit(world: World, token: Any = None, address: str = "9.9.9.9") -> int:
    body = {} if token is None else {"visitor_token": token}
    return world.send("POST", "/v1/widget/shop/session", body, headers={"X-Forwarded-For": address}).status_code


def test_signing_in_is_limited_by_address_and_email(world: World) -> None:
    assert [sign_in(world, "ada@example.com", "9.9.9.9") for _ in range(11)] == [200] * 10 + [429]
    assert sign_in(world, "ADA@example.com", "9.9.9.9") == 429
    assert sign_in(world, "ben@example.com", "9.9.9.9") == 200
    assert sign_in(world, "ada@example.com", "8.8.8.8") == 200


def test_neighbours_in_an_ipv6_network_count_as_one(world: World) -> None:
    assert [sign_in(world, "ada@example.com", f"2001:db8::{number:x}") for number in range(1, 12)] == [200] * 10 + [429]
    assert sign_in(world, "ada@example.com", "2001:db8:0:1::1") == 200


def test_refusal_says_when_to_go_on(world: World) -> None:
    for _ in range(10):
        sign_in(world, "ada@example.com", "9.9.9.9")
    response = world.send(
        "POST", "/v1/auth/token", {"email": "ada@example.com", "password": "x"}, headers={"X-Forwarded-For": "9.9.9.9"}
    )
    world.problem(429, "RATE_LIMITED", response)
    assert 1 <= int(response.headers["Retry-After"]) <= 61


def test_messages_are_limited_by_token(world: World) -> None:
    def post(session: str) -> int:
        body = {"text": "Hi", "client_message_id": "1"}
        return world.send("POST", "/v1/conversations/v1/messages", body, token=world.agent_token(session_id=session)).status_code

    assert [post("s1") for _ in range(121)] == [201] * 120 + [429]
    assert post("s2") == 201


def test_invented_tokens_share_their_address_allowance(world: World) -> None:
    answers = {world.send("GET", "/v1/agents/me", token=f"a.b.{number}").status_code for number in range(1_201)}
    assert answers == {401, 429}
    assert world.send("GET", "/v1/agents/me", token=world.agent_token()).status_code == 200


def test_operators_are_not_limited(world: World) -> None:
    assert {world.send("GET", "/healthz").status_code for _ in range(1_300)} == {200}


def test_new_visitors_are_limited_by_address_and_those_who_come_back_each_by_themselves(world: World) -> None:
    assert [visit(world) for _ in range(31)] == [201] * 30 + [429]
    returning = world.visitor_token("c1")
    assert [visit(world, returning) for _ in range(31)] == [201] * 30 + [429]
    assert visit(world, returning, address="8.8.8.8") == 429
    assert [visit(world, world.visitor_token(f"c{number}")) for number in range(2, 40)] == [201] * 38


def test_token_that_is_not_this_channels_visitors_gives_no_allowance_of_its_own(world: World) -> None:
    good = world.visitor_token("c1")
    header, claims, signature = good.split(".")
    bad = [
        f"{header}.{claims}.{signature[::-1]}",
        world.visitor_token("c1", "other"),
        world.agent_token(),
        "x" * 100_000,
        *(f"a.b.{number}" for number in range(40)),
        "",
        None,
        {"c1": 1},
        7,
    ]
    answers = [visit(world, token) for token in bad]
    assert set(answers[:30]) <= {201, 422}
    assert set(answers[30:]) == {429}
    assert visit(world, good) == 201
