from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.common.errors import RemoteError, Unavailable
from tests.unit.gateway.kit import ASSIGNMENT, CHANNEL, CONTACT, CONVERSATION, MESSAGE, World

SHOP = "https://shop.example"
KEY = "0123456789abcdef"


@pytest.fixture
def world() -> World:
    world = World(TRUSTED_PROXIES="127.0.0.1")
    world.rpc.answers |= {
        "messaging.get_channel": CHANNEL | {"allowed_origins": [SHOP]},
        "contacts.open_session": lambda **arguments: CONTACT | {"id": arguments["contact_id"]},
        "messaging.start_conversation": {"conversation": CONVERSATION, "messages": [MESSAGE]},
        "messaging.get_contact_conversation": CONVERSATION,
        "messaging.list_messages": {"items": [MESSAGE], "next_cursor": None},
        "messaging.post_visitor_message": MESSAGE,
    }
    return world


def visit(world: World, origin: str | None = SHOP, key: str | None = None, **body: Any) -> TestResponse:
    headers = {"Origin": origin, "Idempotency-Key": key, "X-Forwarded-For": "198.51.100.2"}
    return world.send(
        "POST", "/v1/widget/shop/session", body, headers={name: value for name, value in headers.items() if value is not None}
    )


def visitor_of(response: TestResponse) -> str:
    assert response.status_code == 201, response.data
    return str(response.get_json()["contact"]["id"])


def test_session_begins_with_the_visitors_view_of_everything(world: World) -> None:
    response = visit(world, url="https://shop.example/", title="Shoes", locale="pt-PT", time_zone="Europe/Lisbon")
    session: dict[str, Any] = response.get_json()
    assert set(session) == {"visitor_token", "contact", "conversation", "messages"}
    assert set(session["contact"]) == {"id", "name", "email", "phone", "locale"}
    assert session["conversation"]["assignee"] == {"name": "Ada"}
    assert "delivery" not in session["messages"][0]
    asked = world.rpc.asked("contacts.open_session")
    assert asked["ip"] == "198.51.100.2"
    assert asked["time_zone"] == "Europe/Lisbon"
    assert asked["page"] == {"url": "https://shop.example/", "title": "Shoes", "referrer": None}
    assert world.rpc.asked("messaging.start_conversation")["contact"] == {
        "id": session["contact"]["id"],
        "name": "Teal Otter",
        "version": 2,
        "channel_id": "shop",
        "name_source": "generated",
        "email": None,
        "phone": None,
        "fields": {"topic": "quote"},
        "blocked": False,
        "country": {"code": "PT", "name": "Portugal"},
        "url": None,
        "external_id": None,
    }
    assert world.send("GET", "/v1/widget/messages", token=session["visitor_token"]).status_code == 200


def test_visitor_is_known_again_by_token(world: World) -> None:
    token = visit(world).get_json()["visitor_token"]
    assert visitor_of(visit(world, visitor_token=token)) == visitor_of(visit(world, visitor_token=token))


@pytest.mark.parametrize("kind", ["junk", "of another channel", "an agent's"])
def test_visitor_is_new_when_the_token_is_no_good(world: World, kind: str) -> None:
    token = {"junk": "junk", "of another channel": world.visitor_token("c1", "other"), "an agent's": world.agent_token()}[kind]
    assert visitor_of(visit(world, visitor_token=token)) not in ("c1", "ada", visitor_of(visit(world, visitor_token=token)))


def test_visitor_is_found_again_by_key_when_the_answer_was_lost(world: World) -> None:
    assert visitor_of(visit(world, key=KEY)) == visitor_of(visit(world, key=KEY)) != visitor_of(visit(world, key=KEY + "x"))


def test_key_is_refused_when_it_could_be_guessed(world: World) -> None:
    world.problem(422, "VALIDATION_FAILED", visit(world, key="1"))


def test_session_is_refused_when_the_page_is_not_allowed(world: World) -> None:
    response = visit(world, origin="https://evil.example")
    world.problem(403, "ORIGIN_NOT_ALLOWED", response)
    assert "Access-Control-Allow-Origin" not in response.headers
    assert [name for name, _ in world.rpc.calls] == ["messaging.get_channel"]


@pytest.mark.parametrize("origin", [None, "HTTPS://SHOP.EXAMPLE", "http://localhost"])
def test_session_is_given_when_the_page_is_allowed_or_our_own_or_none(world: World, origin: str | None) -> None:
    assert visit(world, origin=origin).status_code == 201


def test_session_is_given_to_any_page_when_the_channel_names_none(world: World) -> None:
    world.rpc.answers["messaging.get_channel"] = CHANNEL
    response = visit(world, origin="https://anywhere.example")
    assert response.headers["Access-Control-Allow-Origin"] == "https://anywhere.example"
    assert response.headers["Vary"] == "Origin"


def test_session_is_not_for_pages_of_messenger(world: World) -> None:
    world.rpc.answers["messaging.get_channel"] = CHANNEL | {"kind": "messenger"}
    world.problem(404, "CHANNEL_NOT_FOUND", visit(world))


def test_visitors_routes_are_refused_when_the_page_is_not_allowed(world: World) -> None:
    for method, path, body in (
        ("GET", "/v1/widget/messages", None),
        ("POST", "/v1/widget/messages", {"text": "Hi", "client_message_id": "1"}),
    ):
        response = world.send(method, path, body, token=world.visitor_token(), headers={"Origin": "https://evil.example"})
        world.problem(403, "ORIGIN_NOT_ALLOWED", response)
        assert world.send(method, path, body, token=world.visitor_token(), headers={"Origin": SHOP}).status_code < 300


def test_channels_origins_are_asked_once(world: World) -> None:
    for _ in range(3):
        assert world.send("GET", "/v1/widget/messages", token=world.visitor_token(), headers={"Origin": SHOP}).status_code == 200
    assert world.rpc.asked("messaging.get_channel") == {"channel_id": "shop"}


def test_page_can_read_why_it_failed(world: World) -> None:
    world.rpc.answers["messaging.get_contact_conversation"] = Unavailable("Down.")
    response = world.send("GET", "/v1/widget/messages", token=world.visitor_token(), headers={"Origin": SHOP})
    world.problem(503, "SERVICE_UNAVAILABLE", response)
    assert response.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]


def test_browser_may_ask_before_it_sends(world: World) -> None:
    headers = {"Origin": SHOP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    response = world.send("OPTIONS", "/v1/widget/messages", headers=headers)
    assert response.status_code == 200
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert set(response.headers["Access-Control-Allow-Methods"].split(", ")) == {"GET", "POST", "DELETE"}


def test_blocked_visitor_is_refused_and_no_conversation_begins(world: World) -> None:
    world.rpc.answers["contacts.open_session"] = CONTACT | {"blocked": True}
    world.problem(403, "CONTACT_BLOCKED", visit(world))
    assert "messaging.start_conversation" not in [name for name, _ in world.rpc.calls]


@pytest.mark.parametrize("key", [None, KEY])
def test_erased_visitor_begins_anew(world: World, key: str | None) -> None:
    erased = {"c1"}
    if key is not None:
        erased.add(visitor_of(visit(world, key=key)))

    def open_session(contact_id: str, **_: Any) -> dict[str, Any]:
        if contact_id in erased:
            raise RemoteError("Gone.", code="CONTACT_NOT_FOUND")
        return CONTACT | {"id": contact_id}

    world.rpc.answers["contacts.open_session"] = open_session
    response = visit(world, key=key, visitor_token=world.visitor_token())
    begun = visitor_of(response)
    assert begun not in erased
    assert world.parts.signer.read(response.get_json()["visitor_token"])["sub"] == begun


def test_session_fails_as_contacts_does(world: World) -> None:
    world.rpc.answers["contacts.open_session"] = Unavailable("Down.")
    world.problem(503, "SERVICE_UNAVAILABLE", visit(world))
    assert [name for name, _ in world.rpc.calls].count("contacts.open_session") == 1


def test_page_of_a_visit_is_recorded(world: World) -> None:
    world.rpc.answers["contacts.record_page"] = CONTACT
    page = {"url": "https://shop.example/shoes", "title": "Shoes"}
    response = world.send("POST", "/v1/widget/pages", page, token=world.visitor_token())
    assert (response.status_code, response.data) == (204, b"")
    assert world.rpc.asked("contacts.record_page") == {"contact_id": "c1", "page": page}
    for wrong in ({}, {"url": None}, {"url": " "}, {"url": "x", "colour": "red"}):
        world.problem(422, "VALIDATION_FAILED", world.send("POST", "/v1/widget/pages", wrong, token=world.visitor_token()))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("contacts.record_page", "/v1/widget/pages", {"url": "https://shop.example/shoes"}),
        ("messaging.signal_typing", "/v1/widget/typing", {"typing": True}),
    ],
)
def test_blocked_visitor_is_refused_what_would_be_seen(world: World, method: str, path: str, body: dict[str, Any]) -> None:
    world.rpc.answers[method] = RemoteError("Blocked.", code="CONTACT_BLOCKED")
    world.problem(403, "CONTACT_BLOCKED", world.send("POST", path, body, token=world.visitor_token()))


@pytest.mark.parametrize("body", [{}, {"text": "a", "choice": "b"}, {"text": None, "choice": None}])
def test_visitor_sends_either_text_or_a_choice(world: World, body: dict[str, Any]) -> None:
    response = world.send("POST", "/v1/widget/messages", body | {"client_message_id": "1"}, token=world.visitor_token())
    world.problem(422, "VALIDATION_FAILED", response)


def test_visitor_sees_what_was_posted(world: World) -> None:
    response = world.send(
        "POST", "/v1/widget/messages", {"choice": "quote", "client_message_id": "1"}, token=world.visitor_token()
    )
    assert response.status_code == 201
    assert "delivery" not in response.get_json()
    assert world.rpc.asked("messaging.post_visitor_message") == {"contact_id": "c1", "choice": "quote", "client_message_id": "1"}


def test_visitor_stops_waiting_and_is_told_so(world: World) -> None:
    world.rpc.answers["assignment.leave_queue"] = ASSIGNMENT | {"state": "unassigned", "assignee": None, "version": 3}
    response = world.send("DELETE", "/v1/widget/queue", token=world.visitor_token())
    assert (response.status_code, response.json) == (200, {"state": "unassigned", "queue_position": None})
    assert world.rpc.asked("assignment.leave_queue") == {
        "conversation_id": "v1",
        "actor": {"kind": "visitor", "id": "c1", "name": None, "role": None},
    }


def test_visitor_is_told_how_it_stands_when_nobody_was_ever_asked_for(world: World) -> None:
    world.rpc.answers["assignment.leave_queue"] = RemoteError("Unknown.", code="CONVERSATION_NOT_FOUND")
    response = world.send("DELETE", "/v1/widget/queue", token=world.visitor_token())
    assert (response.status_code, response.json) == (200, {"state": "unassigned", "queue_position": None})


def test_visitor_has_no_line_to_leave_when_there_is_no_conversation(world: World) -> None:
    world.rpc.answers["messaging.get_contact_conversation"] = RemoteError("None.", code="CONVERSATION_NOT_FOUND")
    world.problem(404, "CONVERSATION_NOT_FOUND", world.send("DELETE", "/v1/widget/queue", token=world.visitor_token()))
    assert [name for name, _ in world.rpc.calls] == ["messaging.get_contact_conversation"]


class Noticing:
    """A hub that notes which visitors were seen."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def saw_visitor(self, contact_id: str) -> None:
        self.seen.append(contact_id)


def test_visitor_is_seen_when_they_begin_a_visit_or_ask_for_anything(world: World) -> None:
    hub = world.parts.hub = Noticing()
    contact_id = visitor_of(visit(world))
    world.send("GET", "/v1/widget/messages", token=world.visitor_token("c7"))
    assert hub.seen == [contact_id, "c7"]


def test_visitor_is_not_seen_when_the_page_or_the_token_is_refused(world: World) -> None:
    hub = world.parts.hub = Noticing()
    world.send("GET", "/v1/widget/messages", token=world.visitor_token(), headers={"Origin": "https://evil.example"})
    world.send("GET", "/v1/widget/messages", token=world.agent_token())
    world.send("GET", "/v1/widget/messages", token="a.b.c")
    assert hub.seen == []
