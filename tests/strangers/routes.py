"""The table of rights (rights.txt), and for each of its rows a valid request: refused, then, for who asks and not for what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.common.ids import new_id
from tests.strangers.world import CHALLENGE, World, facebook_signature
from tests.support.product import ADMIN_EMAIL, PASSWORD, Agent, Visitor

TABLE = Path(__file__).with_name("rights.txt")
COLUMNS = ("nobody", "visitor", "blocked", "erased", "agent", "admin", "bot")
COMES_THROUGH = "yes"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
FLOW = {"start": "bye", "blocks": {"bye": {"type": "message", "text": "Bye.", "next": None}}}
BATCH = b'{"object": "page", "entry": []}'
FILES = {"/console/{name}": "icon.svg", "/demo/{name}": "demo.js", "/docs/{name}": "docs.js"}


@dataclass(frozen=True)
class Row:
    """A route, perhaps with what of it is meant, and what happens to each kind of caller."""

    method: str
    path: str
    meaning: str
    cells: Mapping[str, str]

    @property
    def route(self) -> tuple[str, str]:
        return self.method, self.path

    def __str__(self) -> str:
        return " ".join(part for part in (self.method, self.path, self.meaning) if part)


@dataclass
class Sent:
    """A request but for its token."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes | None = None


def read_table() -> list[Row]:
    """Every row; a malformed one fails."""
    rows = []
    for line in TABLE.read_text().splitlines():
        words = line.split()
        if not words or line.startswith("#") or words == list(COLUMNS):
            continue
        named, cells = words[: -len(COLUMNS)], words[-len(COLUMNS) :]
        assert len(named) >= 2, line
        assert set(cells) <= {COMES_THROUGH, "401", "403", "404"}, line
        rows.append(Row(named[0], named[1], " ".join(named[2:]), dict(zip(COLUMNS, cells, strict=True))))
    assert len({str(row) for row in rows}) == len(rows), "a row stands twice"
    return rows


def request_for(row: Row, world: World, caller: str, ids: Mapping[str, str]) -> Sent:
    """A valid request of this row by a caller of a column, about what the ids name."""
    body, query, headers, data = _content(row, world, caller)
    named = {**ids, **_meant(row, world, caller)}
    if row.path in FILES:
        named["name"] = FILES[row.path]
    return Sent(row.method, row.path.format(**named) + query, body, headers, data)


def _meant(row: Row, world: World, caller: str) -> dict[str, str]:
    """What else than usual is meant by an id."""
    who = _agent(world, caller)
    if row.path.startswith("/v1/webhooks/messenger/"):
        return {"channel_id": world.messenger_id}
    if row.meaning == "of oneself":
        return {"agent_id": who.id, "note_id": world.notes["admin" if who is world.admin else "agent"]}
    return {}


def _agent(world: World, caller: str) -> Agent:
    return world.admin if caller == "admin" else world.agent


def _visitor(world: World, caller: str) -> Visitor | None:
    return {"visitor": world.visitor, "blocked": world.blocked, "erased": world.erased}.get(caller)


def _content(row: Row, world: World, caller: str) -> tuple[Any, str, dict[str, str], bytes | None]:
    """Body, query, headers and raw body."""
    if row.path.endswith("/ws"):
        return None, "", dict(UPGRADE), None
    if row.path.startswith("/v1/webhooks/messenger/"):
        if row.method == "GET":
            return None, f"?{CHALLENGE}{'x' if row.meaning else ''}", {}, None
        return None, "", {"X-Hub-Signature-256": facebook_signature(BATCH + (b" " if row.meaning else b""))}, BATCH
    if row.path == "/v1/widget/{channel_id}/session":
        visitor = _visitor(world, caller)
        return {"title": world.mark} | ({"visitor_token": visitor.token} if visitor else {}), "", {}, None
    if row.path == "/v1/auth/refresh":
        return {"refresh_token": world.refresh_token()}, "", {}, None
    return BODIES[row.route](world, caller, row) if row.route in BODIES else None, "", {}, None


def _message(world: World, *_: Any) -> dict[str, Any]:
    return {"text": world.mark, "client_message_id": new_id()}


def _named(world: World, *_: Any) -> dict[str, Any]:
    return {"name": f"{world.mark} {new_id()}"}


def _text(world: World, *_: Any) -> dict[str, Any]:
    return {"text": world.mark}


def _subject(world: World, *_: Any) -> dict[str, Any]:
    return {"subject": world.mark}


def _status(*_: Any) -> dict[str, Any]:
    return {"status": "archived"}


def _read(*_: Any) -> dict[str, Any]:
    return {"seq": 2}


def _contact(world: World, _caller: str, row: Row) -> dict[str, Any]:
    return {"fields": {"topic": world.mark}} if row.meaning else {"name": world.mark}


CONVERSATION = "/v1/conversations/{conversation_id}"
CONTACT = "/v1/contacts/{contact_id}"
BOT = "/v1/bot/conversations/{conversation_id}"
FLOWS = "/v1/channels/{channel_id}/flow"
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/auth/token"): lambda *_: {"email": ADMIN_EMAIL, "password": PASSWORD},
    ("POST", "/v1/agents"): lambda w, *_: _named(w) | {"email": f"{new_id()}@example.org", "password": PASSWORD, "role": "admin"},
    ("PATCH", "/v1/agents/me"): _named,
    ("PATCH", "/v1/agents/{agent_id}"): _named,
    ("POST", "/v1/teams"): _named,
    ("PATCH", "/v1/teams/{team_id}"): _named,
    ("POST", "/v1/channels"): lambda w, *_: _named(w) | {"kind": "web"},
    ("PATCH", "/v1/channels/{channel_id}"): _named,
    ("PUT", FLOWS): lambda *_: FLOW,
    ("POST", f"{FLOWS}/check"): lambda *_: FLOW,
    ("POST", f"{FLOWS}/simulate"): lambda *_: {"flow": FLOW},
    ("PATCH", CONVERSATION): _status,
    ("POST", f"{CONVERSATION}/read"): _read,
    ("POST", f"{CONVERSATION}/typing"): lambda *_: {"typing": True},
    ("POST", f"{CONVERSATION}/messages"): _message,
    ("PUT", f"{CONVERSATION}/assignee"): lambda w, *_: {"agent_id": w.other.id, "remark": w.mark},
    ("POST", f"{CONVERSATION}/assign"): lambda *_: {"priority": "high"},
    ("POST", "/v1/assignment/simulate"): lambda w, *_: {"channel_id": w.elsewhere_id},
    ("PATCH", CONTACT): _contact,
    ("POST", f"{CONTACT}/notes"): _text,
    ("PATCH", "/v1/notes/{note_id}"): _text,
    ("POST", f"{CONTACT}/tickets"): _subject,
    ("PATCH", "/v1/tickets/{ticket_id}"): _subject,
    ("POST", "/v1/tickets/{ticket_id}/comments"): _text,
    ("POST", "/v1/widget/pages"): lambda w, *_: {"url": f"https://shop.example/{w.mark}"},
    ("POST", "/v1/widget/messages"): _message,
    ("POST", "/v1/widget/read"): _read,
    ("POST", "/v1/widget/typing"): lambda *_: {"typing": True},
    ("PUT", "/v1/bot/contacts/{contact_id}/fields"): lambda w, *_: {"fields": {"topic": w.mark}},
    ("POST", "/v1/bot/contacts/{contact_id}/tickets"): _subject,
    ("PATCH", BOT): _status,
    ("POST", f"{BOT}/typing"): lambda *_: {"typing": True},
    ("POST", f"{BOT}/messages"): _message,
    ("POST", f"{BOT}/assign"): lambda *_: {"priority": "high"},
    ("POST", "/v1/tokens"): lambda w, *_: _named(w) | {"scopes": ["bot"]},
    ("POST", "/v1/webhooks"): lambda w, *_: {"url": w.receiver.url(), "description": w.mark, "events": ["ticket.created"]},
    ("PATCH", "/v1/webhooks/{webhook_id}"): lambda w, *_: {"description": w.mark},
    ("POST", "/v1/webhooks/{webhook_id}/replay"): lambda *_: {"state": "delivered"},
}
