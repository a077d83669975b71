import pytest

from tests.unit.gateway.kit import AGENT, MESSAGE, World


@pytest.fixture
def world() -> World:
    world = World(FOYER_RATE_LIMITS="on", TRUSTED_PROXIES="127.0.0.1")
    world.rpc.answers |= {
        "presence.authenticate": {"agent": AGENT, "session_id": "s", "refresh_token": "r"},
        "messaging.post_agent_message": MESSAGE,
        "presence.get_agent": AGENT,
    }
    return world


def sign_in(world: World, email: str, address: str) -> int:
    body = {"email": email, "password": "x"}
    return world.send("POST", "/v1/auth/token", body, headers={"X-Forwarded-For": address}).status_code


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
