from typing import Any

import pytest

from services.common.errors import RemoteError, Unavailable
from tests.unit.gateway.kit import AGENT, TICKET, World

API_TOKEN = "foyer_0123456789abcdef0123456789"
COMMENT = {
    "id": "k1",
    "ticket_id": "t1",
    "text": "Refunded.",
    "author": {"kind": "agent", "id": "ada", "name": "Ada"},
    "created_at": "2026-11-24T07:31:47.120Z",
}


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "presence.get_agent": AGENT,
        "presence.verify_api_token": {"id": "crm", "name": "CRM", "scopes": ["bot"]},
        "contacts.create_ticket": TICKET,
        "contacts.update_ticket": TICKET,
        "contacts.get_ticket": TICKET,
        "contacts.list_tickets": {"items": [TICKET], "next_cursor": None},
        "contacts.list_comments": {"items": [COMMENT], "next_cursor": None},
        "contacts.create_comment": COMMENT,
    }
    return world


def send(world: World, method: str, path: str, body: Any = None, **options: Any) -> Any:
    return world.send(method, path, body, token=world.agent_token(), **options)


def test_assignee_is_passed_on_with_the_name_that_presence_has(world: World) -> None:
    response = send(world, "POST", "/v1/contacts/c1/tickets", {"subject": "Invoice", "assignee_id": "ada"})
    assert (response.status_code, response.headers["Location"]) == (201, "/v1/tickets/t1")
    asked = world.rpc.asked("contacts.create_ticket")
    assert (asked["assignee"], "assignee_id" in asked) == ({"id": "ada", "name": "Ada"}, False)


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({"assignee_id": None}, {"assignee": None}),
        ({"assignee_id": "ada", "status": "pending"}, {"assignee": {"id": "ada", "name": "Ada"}, "status": "pending"}),
        ({"status": "solved"}, {"status": "solved"}),
        ({}, {}),
    ],
)
def test_ticket_is_changed_as_told(world: World, changes: dict[str, Any], passed: dict[str, Any]) -> None:
    assert send(world, "PATCH", "/v1/tickets/t1", changes).status_code == 200
    assert world.rpc.asked("contacts.update_ticket")["changes"] == passed


@pytest.mark.parametrize("answer", [RemoteError("No.", code="AGENT_NOT_FOUND"), AGENT | {"active": False}])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/contacts/c1/tickets", {"subject": "Invoice", "assignee_id": "ben"}),
        ("PATCH", "/v1/tickets/t1", {"assignee_id": "ben"}),
    ],
)
def test_ticket_is_refused_when_its_assignee_is_unknown_or_closed(
    world: World, answer: Any, method: str, path: str, body: dict[str, Any]
) -> None:
    world.rpc.answers["presence.get_agent"] = answer
    problem = world.problem(422, "VALIDATION_FAILED", send(world, method, path, body))
    assert problem["errors"] == {"assignee_id": ["There is no active agent ben."]}
    assert not [name for name, _ in world.rpc.calls if name.startswith("contacts.")]


@pytest.mark.parametrize("agent", [AGENT | {"active": False}, RemoteError("No.", code="AGENT_NOT_FOUND"), Unavailable("Down.")])
@pytest.mark.parametrize("side", ["", "bot/"])
def test_repeated_creation_answers_what_the_first_did_whatever_became_of_the_agent(world: World, side: str, agent: Any) -> None:
    first = TICKET | {"assignee": {"id": "ada", "name": "Ada"}}
    world.rpc.answers |= {"presence.get_agent": agent, "contacts.find_repeated_ticket": {"ticket": first}}
    body = {"subject": "Invoice", "description": "Paid twice.", "assignee_id": "ada"}
    token = API_TOKEN if side else world.agent_token()
    path = f"/v1/{side}contacts/c1/tickets"
    response = world.send("POST", path, body, token=token, headers={"Idempotency-Key": "k-1"})
    assert (response.status_code, response.get_json()) == (201, first)
    asked = world.rpc.asked("contacts.find_repeated_ticket")
    assert {name: value for name, value in asked.items() if name != "actor"} == body | {
        "contact_id": "c1",
        "idempotency_key": "k-1",
    }
    assert "contacts.create_ticket" not in [name for name, _ in world.rpc.calls]


def test_ticket_with_a_key_is_opened_when_it_is_no_repeat(world: World) -> None:
    world.rpc.answers["contacts.find_repeated_ticket"] = {"ticket": None}
    body, headers = {"subject": "Invoice", "assignee_id": "ada"}, {"Idempotency-Key": "k-1"}
    assert send(world, "POST", "/v1/contacts/c1/tickets", body, headers=headers).status_code == 201
    asked = world.rpc.asked("contacts.create_ticket")
    assert (asked["assignee"], asked["idempotency_key"]) == ({"id": "ada", "name": "Ada"}, "k-1")


def test_bots_ticket_may_have_an_assignee(world: World) -> None:
    body = {"subject": "Invoice", "assignee_id": "ada"}
    assert world.send("POST", "/v1/bot/contacts/c1/tickets", body, token=API_TOKEN).status_code == 201
    assert world.rpc.asked("contacts.create_ticket")["assignee"] == {"id": "ada", "name": "Ada"}


def test_tickets_of_all_contacts_are_filtered(world: World) -> None:
    path = "/v1/tickets?status=open&assignee_id=none&channel_id=shop&contact_id=c1&limit=7"
    assert send(world, "GET", path).get_json()["items"] == [TICKET]
    assert world.rpc.asked("contacts.list_tickets") == {
        "status": "open",
        "assignee_id": "none",
        "channel_id": "shop",
        "contact_id": "c1",
        "limit": 7,
    }


@pytest.mark.parametrize("query", ["status=new", "assignee_id=a%20b", "subject=x"])
def test_listing_is_refused_when_its_filter_is_malformed(world: World, query: str) -> None:
    world.problem(422, "VALIDATION_FAILED", send(world, "GET", f"/v1/tickets?{query}"))


def test_ticket_and_its_comments_are_read_and_written(world: World) -> None:
    assert send(world, "GET", "/v1/tickets/t1").get_json() == TICKET
    assert send(world, "GET", "/v1/tickets/t1/comments").get_json()["items"] == [COMMENT]
    headers = {"Idempotency-Key": "k-1"}
    assert send(world, "POST", "/v1/tickets/t1/comments", {"text": "Refunded."}, headers=headers).status_code == 201
    asked = world.rpc.asked("contacts.create_comment")
    assert asked == {
        "ticket_id": "t1",
        "text": "Refunded.",
        "idempotency_key": "k-1",
        "actor": {"kind": "agent", "id": "ada", "name": "Ada", "role": "agent"},
    }
    world.problem(422, "VALIDATION_FAILED", send(world, "POST", "/v1/tickets/t1/comments", {"text": " "}))
