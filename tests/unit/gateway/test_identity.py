"""The session of a website's signed-in user, and the secret that it takes."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from gateway.auth import Principal
from services.common.errors import RemoteError
from tests.unit.gateway.kit import ADMIN, CHANNEL, CONTACT, CONVERSATION, World

HASH = "ef467732e8fee8043e358830fe2da86c1deb6729e0c5580825f016ee36d6c3bc"
USER = {"id": "4711", "hash": HASH}
SECRET_PATH = "/v1/channels/shop/identity-secret"


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "messaging.get_channel": CHANNEL | {"has_identity_secret": True},
        "messaging.verify_identity": {},
        "contacts.open_session": lambda **arguments: CONTACT | {"id": arguments["contact_id"], "external_id": "4711"},
        "messaging.start_conversation": {"conversation": CONVERSATION, "messages": []},
    }
    return world


def visit(world: World, key: str | None = None, **body: Any) -> TestResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    return world.send("POST", "/v1/widget/shop/session", body, headers=headers)


def called(world: World) -> list[str]:
    return [name for name, _ in world.rpc.calls]


def test_user_is_verified_by_one_call_and_told_to_contacts(world: World) -> None:
    response = visit(world, user=USER | {"name": "Ada", "email": "ada@example.com"})
    assert response.status_code == 201
    assert called(world) == [
        "messaging.get_channel",
        "messaging.verify_identity",
        "contacts.open_session",
        "messaging.start_conversation",
    ]
    assert world.rpc.asked("messaging.verify_identity") == {"channel_id": "shop", "user_id": "4711", "hash": HASH}
    told = {"id": "4711", "name": "Ada", "email": "ada@example.com", "phone": None}
    assert world.rpc.asked("contacts.open_session")["user"] == told
    assert "external_id" not in response.get_json()["contact"]
    assert "4711" not in response.text


@pytest.mark.parametrize("body", [{}, {"user": None}])
def test_services_are_told_of_no_user_when_nobody_is_signed_in(world: World, body: dict[str, Any]) -> None:
    assert visit(world, **body).status_code == 201
    assert called(world) == ["messaging.get_channel", "contacts.open_session", "messaging.start_conversation"]
    assert "user" not in world.rpc.asked("contacts.open_session")


def test_session_is_refused_before_anything_changes_when_the_user_is_not_verified(world: World) -> None:
    world.rpc.answers["messaging.verify_identity"] = RemoteError("No.", code="IDENTITY_NOT_VERIFIED", general="FORBIDDEN")
    world.problem(403, "IDENTITY_NOT_VERIFIED", visit(world, user=USER))
    assert called(world) == ["messaging.get_channel", "messaging.verify_identity"]


def test_user_is_not_looked_at_when_the_page_is_not_allowed(world: World) -> None:
    world.rpc.answers["messaging.get_channel"] = CHANNEL | {"allowed_origins": ["https://shop.example"]}
    headers = {"Origin": "https://evil.example"}
    world.problem(403, "ORIGIN_NOT_ALLOWED", world.send("POST", "/v1/widget/shop/session", {"user": USER}, headers=headers))
    assert called(world) == ["messaging.get_channel"]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"id": ""}, "user.id"),
        ({"id": "x" * 201}, "user.id"),
        ({"id": "a\nb"}, "user.id"),
        ({"id": "4711\n"}, "user.id"),
        ({"id": 4711}, "user.id"),
        ({"id": None}, "user.id"),
        ({"hash": HASH[1:]}, "user.hash"),
        ({"hash": "g" * 64}, "user.hash"),
        ({"hash": None}, "user.hash"),
        ({"name": "x" * 501}, "user.name"),
        ({"email": 1}, "user.email"),
        ({"phone": "\x00"}, "user.phone"),
        ({"role": "admin"}, "user.role"),
    ],
)
def test_user_is_refused_by_its_place_when_it_is_malformed(world: World, wrong: dict[str, Any], place: str) -> None:
    problem = world.problem(422, "VALIDATION_FAILED", visit(world, user=USER | wrong))
    assert set(problem["errors"]) == {place}
    assert called(world) == []


def test_id_and_hash_are_needed_and_half_a_letter_is_no_text(world: World) -> None:
    problem = world.problem(422, "VALIDATION_FAILED", visit(world, user={"name": "Ada"}))
    assert set(problem["errors"]) == {"user.id", "user.hash"}
    half = b'{"user": {"id": "\\ud800", "hash": "' + HASH.encode() + b'"}}'
    world.problem(400, "MALFORMED_REQUEST", world.send("POST", "/v1/widget/shop/session", half))


def test_user_gets_another_contact_when_the_tokens_is_somebody_elses(world: World) -> None:
    def open_session(contact_id: str, **_: Any) -> dict[str, Any]:
        if contact_id == "c1":
            raise RemoteError("Another user's.", code="CONTACT_NOT_FOUND")
        return CONTACT | {"id": contact_id}

    world.rpc.answers["contacts.open_session"] = open_session
    bodies: list[dict[str, Any]] = [{"user": USER}, {}]
    for body in bodies:
        begun = visit(world, visitor_token=world.visitor_token("c1"), **body).get_json()["contact"]["id"]
        assert begun != "c1"


def test_user_is_offered_the_tokens_contact_then_the_keys_then_a_new_one(world: World) -> None:
    tried: list[str] = []

    def open_session(contact_id: str, **_: Any) -> dict[str, Any]:
        tried.append(contact_id)
        if len(tried) < 3:
            raise RemoteError("Gone.", code="CONTACT_NOT_FOUND")
        return CONTACT | {"id": contact_id}

    key = "0123456789abcdef"
    keys = visit(world, key=key).get_json()["contact"]["id"]
    world.rpc.answers["contacts.open_session"] = open_session
    visit(world, key=key, user=USER, visitor_token=world.visitor_token("c1"))
    assert tried[:2] == ["c1", keys]
    assert len(set(tried)) == 3


def test_blocked_user_is_refused_and_no_conversation_begins(world: World) -> None:
    world.rpc.answers["contacts.open_session"] = CONTACT | {"blocked": True}
    world.problem(403, "CONTACT_BLOCKED", visit(world, user=USER))
    assert "messaging.start_conversation" not in called(world)


def test_browser_needs_no_further_header(world: World) -> None:
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    allowed = world.send("OPTIONS", "/v1/widget/shop/session", headers=headers).headers["Access-Control-Allow-Headers"]
    assert set(allowed.split(", ")) == {"Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-ID"}


def test_secret_is_shown_once_and_kept_by_no_cache(world: World) -> None:
    world.rpc.answers["messaging.create_identity_secret"] = {"identity_secret": "5f" * 32}
    response = world.send("POST", SECRET_PATH, token=world.agent_token(ADMIN))
    assert (response.status_code, response.get_json()) == (201, {"identity_secret": "5f" * 32})
    assert response.headers["Cache-Control"] == "no-store"
    asked = world.rpc.asked("messaging.create_identity_secret")
    assert (asked["channel_id"], asked["actor"]["role"]) == ("shop", "admin")


def test_secret_is_taken_away(world: World) -> None:
    world.rpc.answers["messaging.delete_identity_secret"] = {"id": "shop"}
    response = world.send("DELETE", SECRET_PATH, token=world.agent_token(ADMIN))
    assert (response.status_code, response.data) == (204, b"")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_secret_is_not_for_agents(world: World, method: str) -> None:
    world.problem(403, "FORBIDDEN", world.send(method, SECRET_PATH, token=world.agent_token()))
    assert called(world) in ([], ["presence.list_revoked_sessions"])


@pytest.mark.parametrize(("code", "status"), [("CHANNEL_NOT_FOUND", 404), ("CONFLICT", 409)])
def test_secret_is_refused_when_there_is_no_such_website(world: World, code: str, status: int) -> None:
    for method, name in (("POST", "create"), ("DELETE", "delete")):
        world.rpc.answers[f"messaging.{name}_identity_secret"] = RemoteError("No.", code=code)
        world.problem(status, code, world.send(method, SECRET_PATH, token=world.agent_token(ADMIN)))


PAGE = {"url": "https://shop.example/shoes"}
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
AS_VISITOR = [
    ("GET", "/v1/widget/conversation", None, "messaging.get_contact_conversation"),
    ("GET", "/v1/widget/messages", None, "messaging.get_contact_conversation"),
    ("POST", "/v1/widget/messages", {"text": "Hi", "client_message_id": "1"}, "messaging.post_visitor_message"),
    ("POST", "/v1/widget/read", {"seq": 1}, "messaging.get_contact_conversation"),
    ("POST", "/v1/widget/typing", {"typing": True}, "messaging.get_contact_conversation"),
    ("DELETE", "/v1/widget/queue", None, "messaging.get_contact_conversation"),
    ("POST", "/v1/widget/events/ticket", None, "messaging.get_contact_conversation"),
    ("GET", "/v1/widget/events", None, "messaging.get_contact_conversation"),
    ("GET", "/v1/widget/events/ws", None, "messaging.get_contact_conversation"),
    ("POST", "/v1/widget/pages", PAGE, "contacts.record_page"),
]


@pytest.mark.parametrize(("method", "path", "body", "asked"), AS_VISITOR)
def test_service_is_told_of_a_verified_user_alone_and_its_refusal_ends_the_request(
    world: World, method: str, path: str, body: Any, asked: str
) -> None:
    world.rpc.answers[asked] = RemoteError("From before.", code="TOKEN_INVALID", general="UNAUTHENTICATED")
    for user in (False, True):
        world.rpc.calls.clear()
        headers = UPGRADE if path.endswith("/ws") else {}
        response = world.send(method, path, body, token=world.visitor_token("c1", user=user), headers=headers)
        world.problem(401, "TOKEN_INVALID", response)
        assert called(world) == [asked]
        told = world.rpc.asked(asked)
        assert (told["contact_id"], told.get("user", "left out")) == ("c1", True if user else "left out")


@pytest.mark.parametrize("user", [None, USER])
def test_token_says_whether_its_session_was_a_verified_users(world: World, user: dict[str, str] | None) -> None:
    token = visit(world, user=user).get_json()["visitor_token"]
    assert world.parts.signer.read(token).get("user", False) is (user is not None)


@pytest.mark.parametrize("user", [False, True])
def test_ticket_stands_for_the_same_visitor_also_before_there_is_a_conversation(world: World, *, user: bool) -> None:
    world.rpc.answers |= {
        "messaging.get_contact_conversation": RemoteError("None.", code="CONVERSATION_NOT_FOUND"),
        "presence.create_stream_ticket": {"ticket": "t", "expires_at": "2026-11-24T07:31:47.120Z"},
    }
    assert world.send("POST", "/v1/widget/events/ticket", token=world.visitor_token(user=user)).status_code == 201
    subject = world.rpc.asked("presence.create_stream_ticket")["subject"]
    assert Principal.from_subject(subject).user is user
    del subject["user"]  # of a gateway of the version before
    assert Principal.from_subject(subject).user is False
