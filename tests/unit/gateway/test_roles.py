"""Who may call what: docs/roles.md, the routes' own marks, and what really happens are the same."""

import re
from pathlib import Path

import pytest
from flask import Flask

from gateway.documentation import roles_of
from services.common.errors import Unavailable
from tests.unit.gateway.kit import ADMIN, ScriptedRpc, World

API_TOKEN = "foyer_0123456789abcdef0123456789"
ROLES = ("visitor", "agent", "admin", "bot")
DOCUMENT = Path(__file__).parents[3] / "docs" / "roles.md"
Route = tuple[str, str]


def registered(app: Flask) -> dict[Route, frozenset[str] | None]:
    """Every route of the API, and whom its view is marked for; None for everybody."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)): roles_of(app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/") and rule.rule != "/v1/openapi.json"
    }


def documented() -> dict[Route, frozenset[str]]:
    """Every route of the document's tables, and who may call it."""
    found: dict[Route, frozenset[str]] = {}
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        address = re.fullmatch(r"`([A-Z]+) (/\S+)`", cells[1]) if len(cells) == 7 else None
        if address is not None:
            route = (address[1], address[2])
            assert route not in found, f"{route} stands twice"
            assert set(cells[2:6]) <= {"yes", ""}, line
            found[route] = frozenset(role for role, cell in zip(ROLES, cells[2:6], strict=True) if cell == "yes")
    return found


def test_document_says_of_every_route_whom_it_is_for(world: World) -> None:
    assert documented() == {route: frozenset(ROLES) if roles is None else roles for route, roles in registered(world.app).items()}


def test_routes_for_everybody_are_those_that_give_tokens_and_facebooks(world: World) -> None:
    assert {route for route, roles in registered(world.app).items() if roles is None} == {
        ("POST", "/v1/auth/token"),
        ("POST", "/v1/auth/refresh"),
        ("POST", "/v1/widget/{channel_id}/session"),
        ("GET", "/v1/webhooks/messenger/{channel_id}"),
        ("POST", "/v1/webhooks/messenger/{channel_id}"),
    }


class AbsentServices(ScriptedRpc):
    """Knows the tokens; whatever else is asked is not there, which is said after the caller was let in."""

    def call(self, service: str, method: str, /, *, timeout: float | None = None, **kwargs: object) -> object:
        match method:
            case "list_revoked_sessions":
                return {"items": []}
            case "verify_api_token":
                return {"id": "t1", "name": "CRM", "scopes": ["bot"]}
            case _:
                raise Unavailable("Not there.")


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_caller_is_let_in_when_the_route_is_for_them_and_refused_when_it_is_not(world: World, role: str) -> None:
    world.parts.rpc = AbsentServices(world.settings)
    tokens = {
        "agent": world.agent_token(),
        "admin": world.agent_token(ADMIN),
        "visitor": world.visitor_token(),
        "bot": API_TOKEN,
        "nobody": None,
    }
    for (method, path), allowed in registered(world.app).items():
        headers = {"X-Hub-Signature-256": "sha256=" + "0" * 64}  # Facebook's door looks for one before it asks anybody
        if path.endswith("/ws"):
            headers |= {"Connection": "Upgrade", "Upgrade": "websocket"}
        response = world.send(method, re.sub(r"\{\w+\}", "x", path), token=tokens[role], headers=headers)
        if allowed is None or role in allowed:
            assert response.status_code not in (401, 403), (method, path, response.data)
        elif role == "nobody":
            world.problem(401, "UNAUTHENTICATED", response)
        else:
            world.problem(403, "FORBIDDEN", response)
