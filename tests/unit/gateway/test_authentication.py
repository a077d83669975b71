import time

import pytest

from gateway.auth import Principal
from services.common.errors import RemoteError, Unauthenticated, Unavailable
from tests.unit.gateway.kit import ADMIN, AGENT, World

API_TOKEN = "foyer_0123456789abcdef0123456789"


@pytest.fixture(autouse=True)
def _answers(world: World) -> None:
    world.rpc.answers |= {
        "presence.get_agent": AGENT,
        "presence.list_api_tokens": {"items": []},
        "presence.verify_api_token": {"id": "t1", "name": "CRM", "scopes": ["bot"]},
        "messaging.get_conversation": {},
        "messaging.get_contact_conversation": {},
        "messaging.get_channel": {"id": "shop", "allowed_origins": []},
    }


def test_route_asks_for_a_token_when_none_is_sent(world: World) -> None:
    response = world.send("GET", "/v1/agents/me")
    world.problem(401, "UNAUTHENTICATED", response)
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "bearer\tx", "Token x"])
def test_route_asks_for_a_token_when_the_header_is_another(world: World, header: str) -> None:
    world.problem(401, "UNAUTHENTICATED", world.send("GET", "/v1/agents/me", headers={"Authorization": header}))


def test_token_is_refused_when_it_is_junk(world: World) -> None:
    for token in ("a.b.c", "junk", "x" * 5_000, "ä.ö.ü"):
        response = world.send("GET", "/v1/agents/me", token=token.encode().decode("latin-1"))
        world.problem(401, "TOKEN_INVALID", response)
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert world.rpc.calls == []


def test_token_is_refused_when_it_has_expired() -> None:
    world = World(FOYER_ACCESS_TOKEN_SECONDS="1")
    token = world.agent_token()
    deadline = time.monotonic() + 5
    while world.send("GET", "/v1/agents/me", token=token).status_code != 401:
        world.rpc.answers["presence.get_agent"] = AGENT
        assert time.monotonic() < deadline
    world.problem(401, "TOKEN_EXPIRED", world.send("GET", "/v1/agents/me", token=token))


def test_session_is_refused_when_it_was_revoked(world: World) -> None:
    assert world.send("GET", "/v1/agents/me", token=world.agent_token()).status_code == 200
    world.parts.revoked.add("session")
    world.problem(401, "TOKEN_INVALID", world.send("GET", "/v1/agents/me", token=world.agent_token()))
    assert world.send("GET", "/v1/agents/me", token=world.agent_token(session_id="other")).status_code == 200


def test_session_is_refused_when_presence_lists_it_as_revoked(world: World) -> None:
    world.rpc.answers["presence.list_revoked_sessions"] = {"items": ["session"]}
    world.problem(401, "TOKEN_INVALID", world.send("GET", "/v1/agents/me", token=world.agent_token()))


def test_no_token_is_judged_before_the_revocations_are_known(world: World) -> None:
    world.rpc.answers["presence.list_revoked_sessions"] = Unavailable("Down.")
    world.problem(503, "SERVICE_UNAVAILABLE", world.send("GET", "/v1/agents/me", token=world.agent_token()))


def test_signing_out_ends_the_session_at_once(world: World) -> None:
    world.rpc.answers["presence.revoke_session"] = {"session_id": "session"}
    assert world.send("POST", "/v1/auth/logout", token=world.agent_token()).status_code == 204
    world.problem(401, "TOKEN_INVALID", world.send("GET", "/v1/agents/me", token=world.agent_token()))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/agents/me", {"agent", "admin"}),
        ("/v1/tokens", {"admin"}),
        ("/v1/widget/conversation", {"visitor"}),
        ("/v1/bot/conversations/v1", {"bot"}),
    ],
)
def test_route_is_forbidden_when_the_token_is_of_another_kind(world: World, path: str, allowed: set[str]) -> None:
    tokens = {
        "agent": world.agent_token(),
        "admin": world.agent_token(ADMIN),
        "visitor": world.visitor_token(),
        "bot": API_TOKEN,
    }
    for kind, token in tokens.items():
        response = world.send("GET", path, token=token)
        if kind in allowed:
            assert response.status_code == 200, response.data
        else:
            world.problem(403, "FORBIDDEN", response)


def test_api_token_is_forbidden_when_it_has_not_the_scope(world: World) -> None:
    world.rpc.answers["presence.verify_api_token"] = {"id": "t1", "name": "CRM", "scopes": []}
    world.problem(403, "FORBIDDEN", world.send("GET", "/v1/bot/conversations/v1", token=API_TOKEN))


def test_presence_is_asked_once_when_an_api_token_comes_again(world: World) -> None:
    for _ in range(3):
        assert world.send("GET", "/v1/bot/conversations/v1", token=API_TOKEN).status_code == 200
    assert world.rpc.asked("presence.verify_api_token") == {"token": API_TOKEN}


def test_api_token_is_asked_about_again_when_it_was_revoked_here(world: World) -> None:
    world.rpc.answers["presence.revoke_api_token"] = {}
    assert world.send("GET", "/v1/bot/conversations/v1", token=API_TOKEN).status_code == 200
    assert world.send("DELETE", "/v1/tokens/t1", token=world.agent_token(ADMIN)).status_code == 204
    world.rpc.answers["presence.verify_api_token"] = RemoteError("Gone.", code="TOKEN_INVALID")
    world.problem(401, "TOKEN_INVALID", world.send("GET", "/v1/bot/conversations/v1", token=API_TOKEN))


def test_ticket_stands_for_the_principal_it_was_given_to() -> None:
    principal = Principal("agent", "ada", "Ada", "admin", session_id="s", scopes=("bot",), expires_at=7)
    assert Principal.from_subject(principal.to_subject()) == principal
    assert principal.actor == {"kind": "agent", "id": "ada", "name": "Ada", "role": "admin"}


@pytest.mark.parametrize("subject", [{}, {"kind": "agent"}, {"kind": "agent", "scopes": []}])
def test_ticket_is_refused_when_its_subject_is_no_principal(subject: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        Principal.from_subject(subject)
