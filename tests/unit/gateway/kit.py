"""An application over services that a test scripts: what they answer, and what they were asked."""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.context import EXTENSION, Gateway
from gateway.limits import limiter
from gateway.settings import GatewaySettings
from services.common.errors import DomainError
from services.common.rpc_client import RpcClient

KEY = "a-key-that-nobody-can-guess-0123456789"
AGENT = {
    "id": "ada",
    "name": "Ada",
    "email": "ada@example.com",
    "role": "agent",
    "connected": True,
    "availability": "available",
    "capacity": 4,
    "active_conversations": 0,
    "active": True,
    "created_at": "2026-11-24T07:31:47.120Z",
    "version": 3,
}
ADMIN = AGENT | {"id": "root", "name": "Root", "role": "admin"}
CHANNEL = {
    "id": "shop",
    "kind": "web",
    "name": "Shop",
    "visitor_count": 0,
    "allowed_origins": [],
    "has_flow": True,
    "flow_version": 1,
    "messenger": None,
    "has_identity_secret": False,
    "business_hours": None,
    "reassignment": {"disconnected_after_seconds": 60, "unanswered_after_seconds": 300},
    "version": 1,
}
TEAM = {"id": "sales", "name": "Sales", "agent_ids": ["ada"], "created_at": "2026-11-24T07:31:47.120Z", "version": 1}
CONTACT: dict[str, Any] = {
    "id": "c1",
    "channel_id": "shop",
    "external_id": None,
    "name": "Teal Otter",
    "name_source": "generated",
    "email": None,
    "phone": None,
    "fields": {"topic": "quote"},
    "since": "2026-11-24T07:31:47.120Z",
    "last_seen_at": "2026-11-24T07:31:47.120Z",
    "ip": "9.9.9.9",
    "url": None,
    "country": {"code": "PT", "name": "Portugal"},
    "locale": "en",
    "time_zone": "Europe/Lisbon",
    "browser": None,
    "platform": None,
    "blocked": False,
    "highlighted_notes": [],
    "version": 2,
}
TICKET = {
    "id": "t1",
    "contact_id": "c1",
    "channel_id": "shop",
    "conversation_id": None,
    "subject": "Invoice 4711",
    "description": "",
    "status": "open",
    "assignee": None,
    "comment_count": 0,
    "author": {"kind": "agent", "id": "ada", "name": "Ada"},
    "created_at": "2026-11-24T07:31:47.120Z",
    "updated_at": "2026-11-24T07:31:47.120Z",
    "version": 1,
}
CONVERSATION = {
    "id": "v1",
    "status": "open",
    "handler": "agent",
    "contact": {"id": "c1", "name": "Teal Otter"},
    "channel": {"id": "shop", "name": "Shop", "kind": "web"},
    "assignee": {"id": "ada", "name": "Ada"},
    "queue": None,
    "bot": {"flow_version": 1, "block": None, "resumes_at": None},
    "last_message": None,
    "last_seq": 2,
    "unread_count": 1,
    "read_seq": 1,
    "visitor_read_seq": 1,
    "awaiting_answer_since": "2026-11-24T07:31:47.120Z",
    "created_at": "2026-11-24T07:31:47.120Z",
    "archived_at": None,
    "archived_by": None,
    "version": 4,
}
ASSIGNMENT = {
    "conversation_id": "v1",
    "state": "assigned",
    "assignee": {"id": "ada", "name": "Ada"},
    "queue_position": None,
    "estimated_wait_seconds": None,
    "requested_at": None,
    "priority": None,
    "returned": False,
    "changed_at": "2026-11-24T07:31:47.120Z",
    "version": 2,
}
MESSAGE = {
    "id": "m1",
    "conversation_id": "v1",
    "seq": 2,
    "author": {"kind": "agent", "id": "ada", "name": "Ada"},
    "text": "Hello",
    "choices": None,
    "created_at": "2026-11-24T07:31:47.120Z",
    "client_message_id": "x",
    "delivery": {"state": "sent", "at": "2026-11-24T07:31:47.120Z", "reason": None},
}

Answer = Any


class ScriptedRpc(RpcClient):
    """Answers with what `answers["service.method"]` holds: a value, an error to raise, or a function of the arguments."""

    def __init__(self, settings: GatewaySettings) -> None:
        super().__init__(settings)
        self.answers: dict[str, Answer] = {"presence.list_revoked_sessions": {"items": []}}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, method: str, /, *, timeout: float | None = None, **kwargs: Any) -> Any:
        name = f"{service}.{method}"
        self.calls.append((name, kwargs))
        answer = self.answers[name]
        if isinstance(answer, DomainError):
            raise answer
        return answer(**kwargs) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]

    def asked(self, name: str) -> dict[str, Any]:
        """The arguments of the one call of a method."""
        found = [kwargs for called, kwargs in self.calls if called == name]
        assert len(found) == 1, f"{name} was called {len(found)} times"
        return found[0]


@cache
def _app() -> Flask:
    # Making it takes a hundred times longer than any test; all that belongs to one test is in its Gateway.
    settings = GatewaySettings.read({"FOYER_SECRET_KEY": KEY})
    return create_app(settings, ScriptedRpc(settings))


class World:
    """The application, its scripted services, and tokens of everybody."""

    def __init__(self, **environment: str) -> None:
        self.settings = GatewaySettings.read({"FOYER_SECRET_KEY": KEY, "FOYER_RATE_LIMITS": "off"} | environment)
        self.rpc = ScriptedRpc(self.settings)
        self.parts = Gateway(self.settings, self.rpc)
        self.app = _app()
        self.app.extensions[EXTENSION] = self.parts
        limiter.storage.timer.join()  # type: ignore[attr-defined]  # it walks through what is cleared here, and would raise
        limiter.reset()
        self.client: FlaskClient = self.app.test_client()

    def agent_token(self, agent: dict[str, Any] = AGENT, session_id: str = "session") -> str:
        """A token of an agent."""
        return self.parts.signer.issue_access_token(agent, session_id)

    def visitor_token(self, contact_id: str = "c1", channel_id: str = "shop", *, user: bool = False) -> str:
        """A token of a visitor, or of a website's verified user."""
        return self.parts.signer.issue_visitor_token(contact_id, channel_id, user=user)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        """The answer to a request."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            options["data"] = body if isinstance(body, bytes) else orjson.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        return self.client.open(path, method=method, headers=sent, **options)

    def problem(self, status: int, code: str, response: TestResponse) -> dict[str, Any]:
        """The problem in a response, which must be of that status and code."""
        problem: dict[str, Any] = orjson.loads(response.data)
        assert (response.status_code, problem["code"]) == (status, code), problem
        assert response.content_type == "application/problem+json"
        assert problem["status"] == status
        assert problem["request_id"] == response.headers["X-Request-ID"]
        return problem
