"""A contact's history, export and end."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway import exports
from gateway.schemas.exports import ContactExportSchema
from services.common.errors import RemoteError, Unavailable
from tests.unit.gateway.kit import ADMIN, CONTACT, CONVERSATION, MESSAGE, TICKET, World

AT = "2026-11-24T07:31:47.120Z"
CHANGE = {
    "id": "h1",
    "field": "email",
    "value": "ada@example.com",
    "previous": None,
    "by": {"kind": "bot", "id": None, "name": None},
    "at": AT,
    "conversation_id": "v1",
}
NOTE = {
    "id": "n1",
    "contact_id": "c1",
    "text": "Call.",
    "highlighted": False,
    "created_at": AT,
    "updated_at": AT,
    "version": 1,
} | {"author": {"kind": "agent", "id": "ada", "name": "Ada"}}
COMMENT = {"id": "k1", "ticket_id": "t1", "text": "Paid.", "author": NOTE["author"], "created_at": AT}
DECISION = {
    "id": "d1",
    "conversation_id": "v1",
    "seq": 1,
    "at": AT,
    "action": "assigned",
    "actor": None,
    "rule": "least_busy",
    "reason": None,
    "candidates": [{"agent_id": "ben", "name": "Ben", "reason": "busy"}],
    "ordering": [],
    "seed": None,
    "assignee": {"id": "ada", "name": "Ada"},
    "remark": None,
    "waited_seconds": None,
    "estimated_wait_seconds": None,
}
ARCHIVED = CONVERSATION | {"id": "v0", "status": "archived"}
Answer = Callable[..., dict[str, Any]]


def paged(records: list[dict[str, Any]], size: int = 2) -> Answer:
    """A listing's method that answers in small pages."""

    def answer(cursor: str | None = None, **_: Any) -> dict[str, Any]:
        start = int(cursor or 0)
        following = start + size
        return {"items": records[start:following], "next_cursor": str(following) if following < len(records) else None}

    return answer


IGNORED = {
    "field": "name",
    "value": "mia",
    "reason": "The name was given by the agent.",
    "by": {"kind": "bot", "id": None, "name": None},
    "at": "2026-11-24T07:31:47.120Z",
    "conversation_id": "v1",
}


def talk(count: int) -> list[dict[str, Any]]:
    return [MESSAGE | {"id": f"m{seq}", "seq": seq} for seq in range(1, count + 1)]


@pytest.fixture
def world() -> World:
    world = World()

    def list_conversations(folder: str, **_: Any) -> dict[str, Any]:
        # Archived between the two listings: it is in both.
        return {"items": {"all": [CONVERSATION], "archived": [CONVERSATION, ARCHIVED]}[folder], "next_cursor": None}

    world.rpc.answers |= {
        "contacts.get_contact": CONTACT,
        "contacts.list_history": paged([CHANGE | {"id": f"h{number}"} for number in range(5)]),
        "contacts.list_ignored": {"items": [IGNORED]},
        "contacts.list_notes": paged([NOTE]),
        "contacts.list_tickets": paged([TICKET]),
        "contacts.list_comments": paged([COMMENT | {"id": f"k{number}"} for number in range(3)]),
        "messaging.list_conversations": list_conversations,
        "messaging.list_messages": paged(talk(3)),
        "assignment.list_assignments": paged([DECISION]),
    }
    return world


def export(world: World) -> dict[str, Any]:
    response = world.send("GET", "/v1/contacts/c1/export", token=world.agent_token(ADMIN))
    assert response.status_code == 200, response.data
    document: dict[str, Any] = response.get_json()
    assert ContactExportSchema().validate(document) == {}
    return document


def test_export_is_a_file_with_every_page_of_everything(world: World) -> None:
    response = world.send("GET", "/v1/contacts/c1/export", token=world.agent_token(ADMIN))
    assert response.headers["Content-Disposition"] == 'attachment; filename="contact-c1.json"'
    assert response.headers["Cache-Control"] == "no-store"
    document = export(world)
    assert document["contact"] == CONTACT
    assert [change["id"] for change in document["history"]] == ["h0", "h1", "h2", "h3", "h4"]
    assert document["ignored"] == [IGNORED]
    assert document["notes"] == [NOTE]
    [ticket] = document["tickets"]
    assert [comment["id"] for comment in ticket["comments"]] == ["k0", "k1", "k2"]
    assert [conversation["id"] for conversation in document["conversations"]] == ["v1", "v0"]
    for conversation in document["conversations"]:
        assert [message["seq"] for message in conversation["messages"]] == [1, 2, 3]
        assert [decision["id"] for decision in conversation["assignments"]] == ["d1"]
    assert document["truncated"] is False
    assert document["counts"] == {
        "history": 5,
        "ignored": 1,
        "notes": 1,
        "tickets": 1,
        "comments": 3,
        "conversations": 2,
        "messages": 6,
        "assignments": 2,
    }


def test_export_says_nothing_of_the_agents_who_were_considered(world: World) -> None:
    assert "candidates" not in export(world)["conversations"][0]["assignments"][0]


def test_messages_are_asked_for_from_the_first_on(world: World) -> None:
    export(world)
    positions = [
        {name: value for name, value in asked.items() if name in {"after_seq", "before_seq", "cursor"}}
        for name, asked in world.rpc.calls
        if name == "messaging.list_messages"
    ]
    assert positions == [{"after_seq": 0}, {"cursor": "2"}] * 2


def test_export_ends_and_says_so_when_there_are_too_many_messages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MAX_MESSAGES", 4)
    document = export(world)
    assert (document["truncated"], document["counts"]["messages"], document["counts"]["conversations"]) == (True, 4, 2)
    assert [len(conversation["messages"]) for conversation in document["conversations"]] == [3, 1]
    assert document["conversations"][1]["last_seq"] == 2


def test_nothing_more_is_asked_for_when_the_export_is_full(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MAX_OTHERS", 3)
    document = export(world)
    assert document["truncated"] is True
    assert document["counts"] == dict.fromkeys(exports.KINDS, 0) | {"history": 3}
    asked = [name for name, _ in world.rpc.calls]
    assert "contacts.list_notes" not in asked
    assert "messaging.list_messages" not in asked


@pytest.mark.parametrize(("bound", "value"), [("MAX_BYTES", 1_000), ("MAX_SECONDS", -1.0)])
def test_export_is_bounded_in_size_and_time(world: World, monkeypatch: pytest.MonkeyPatch, bound: str, value: float) -> None:
    monkeypatch.setattr(exports, bound, value)
    document = export(world)
    assert document["truncated"] is True
    assert sum(document["counts"].values()) < 8


@pytest.mark.parametrize(
    ("method", "error", "status", "code"),
    [
        ("contacts.get_contact", RemoteError("No.", code="CONTACT_NOT_FOUND"), 404, "CONTACT_NOT_FOUND"),
        ("messaging.list_messages", Unavailable("Down."), 503, "SERVICE_UNAVAILABLE"),
        ("assignment.list_assignments", Unavailable("Down."), 503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_export_is_a_problem_and_no_file_when_a_part_fails(
    world: World, method: str, error: Exception, status: int, code: str
) -> None:
    world.rpc.answers[method] = error
    response = world.send("GET", "/v1/contacts/c1/export", token=world.agent_token(ADMIN))
    world.problem(status, code, response)
    assert "Content-Disposition" not in response.headers


def test_exports_are_limited() -> None:
    world = World(FOYER_RATE_LIMITS="on")
    world.rpc.answers["contacts.get_contact"] = RemoteError("No.", code="CONTACT_NOT_FOUND")
    token = world.agent_token(ADMIN)
    assert [world.send("GET", "/v1/contacts/c1/export", token=token).status_code for _ in range(11)] == [404] * 10 + [429]


def test_history_is_paged(world: World) -> None:
    response = world.send("GET", "/v1/contacts/c1/history?limit=3", token=world.agent_token())
    assert response.get_json()["next_cursor"] == "2"
    assert world.rpc.asked("contacts.list_history") == {"contact_id": "c1", "limit": 3}


def test_contact_is_erased_by_admins_alone(world: World) -> None:
    erased = {"id": "c1", "erased_at": AT}
    world.rpc.answers["contacts.erase_contact"] = erased
    for method, path in (("DELETE", "/v1/contacts/c1"), ("GET", "/v1/contacts/c1/export")):
        world.problem(403, "FORBIDDEN", world.send(method, path, token=world.agent_token()))
    response = world.send("DELETE", "/v1/contacts/c1", token=world.agent_token(ADMIN))
    assert (response.status_code, response.get_json()) == (200, erased)
    assert world.rpc.asked("contacts.erase_contact")["actor"]["role"] == "admin"
