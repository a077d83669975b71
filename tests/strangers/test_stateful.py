"""Requests that go on with what earlier ones answered: resources made, changed, used after they are gone, by whom each route is for.

The OpenAPI document has no links; they follow from a rule of the API's that the test writes down instead: what is created or listed has an
`id`, and the routes that need one name it after its noun. So a new route with `{team_id}` in it is reached without a word here.
"""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ensure_resource_availability,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
)

from tests.e2e.conftest import make_channel
from tests.strangers import logbook
from tests.support.product import Agent, Gateway, Visitor

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    use_after_free,
    ensure_resource_availability,
]
# Streams have no end, operators' routes no state, Facebook's door a signature; the rest would sign out who makes the requests.
LEFT_OUT = r"/events(/ws)?$|^/(healthz|readyz|metrics)|/messenger/|/auth/|/agents/me$"
SESSION = "POST /v1/widget/{channel_id}/session"
# Which answer holds the id that a path's parameter is named after: (operation, status, parameter, where).
SOURCES = [
    ("POST /v1/agents", "201", "agent_id", "#/id"),
    ("POST /v1/teams", "201", "team_id", "#/id"),
    ("POST /v1/channels", "201", "channel_id", "#/id"),
    ("POST /v1/tokens", "201", "token_id", "#/id"),
    ("POST /v1/webhooks", "201", "webhook_id", "#/id"),
    ("POST /v1/contacts/{contact_id}/notes", "201", "note_id", "#/id"),
    ("POST /v1/contacts/{contact_id}/tickets", "201", "ticket_id", "#/id"),
    ("POST /v1/bot/contacts/{contact_id}/tickets", "201", "ticket_id", "#/id"),
    (SESSION, "201", "contact_id", "#/contact/id"),
    (SESSION, "201", "conversation_id", "#/conversation/id"),
    ("GET /v1/contacts", "200", "contact_id", "#/items/0/id"),
    ("GET /v1/conversations", "200", "conversation_id", "#/items/0/id"),
    ("GET /v1/channels", "200", "channel_id", "#/items/0/id"),
    ("GET /v1/tickets", "200", "ticket_id", "#/items/0/id"),
]
# What is gone, and has to be gone for the next who asks.
DELETED = [
    ("DELETE /v1/teams/{team_id}", "204", "team_id"),
    ("DELETE /v1/channels/{channel_id}", "204", "channel_id"),
    ("DELETE /v1/webhooks/{webhook_id}", "204", "webhook_id"),
    ("DELETE /v1/notes/{note_id}", "204", "note_id"),
]
METHODS = ("get", "post", "put", "patch", "delete")


def add_links(document: dict[str, Any]) -> int:
    """Link each source to every operation that takes its id; returns how many links that are."""
    paths: dict[str, Any] = document["paths"]
    targets = [(path, method) for path, item in paths.items() for method in item if method in METHODS]
    count = 0
    sources = [(label, status, name, f"$response.body{at}") for label, status, name, at in SOURCES]
    sources += [(label, status, name, f"$request.path.{name}") for label, status, name in DELETED]
    for label, status, name, expression in sources:
        method, _, source = label.partition(" ")
        links = paths[source][method.lower()]["responses"][status].setdefault("links", {})
        for path, verb in targets:
            if f"{{{name}}}" in path and (path, verb) != (source, method.lower()):
                reference = "#/paths/" + path.replace("~", "~0").replace("/", "~1") + f"/{verb}"
                links[f"{name} for {verb} {path}"] = {"operationRef": reference, "parameters": {f"path.{name}": expression}}
                count += 1
    return count


class Callers:
    """Whose token each route gets: the newest visitor's own, so that a session is gone on with."""

    def __init__(self, gateway: Gateway, admin: str) -> None:
        self.admin = admin
        self.agent = Agent(gateway, admin, "Linked").token
        self.bot: str = gateway.ask("POST", "/v1/tokens", {"name": "Bot", "scopes": ["bot"]}, token=admin)["token"]
        self.visitor = Visitor(gateway, make_channel(gateway, admin)).token

    def token_for(self, path: str, method: str) -> str:
        """By the route; what agents may do is asked by one."""
        if path.startswith("/v1/widget"):
            return self.visitor
        if path.startswith("/v1/bot"):
            return self.bot
        shared = ("/v1/conversations", "/v1/contacts", "/v1/notes", "/v1/tickets")
        return self.agent if path.startswith(shared) and method.lower() != "delete" and "export" not in path else self.admin


no_faults = pytest.fixture(logbook.no_faults, autouse=True)


def explore(gateway: Gateway, admin: str, *, scenarios: int, steps: int) -> Counter[str]:
    """Walk along the links; returns how often each operation was gone on to by one, and answered 2xx."""
    document = gateway.ask("GET", "/v1/openapi.json")
    assert add_links(document) > 100
    schema = schemathesis.openapi.from_dict(document).exclude(path_regex=LEFT_OUT)
    schema.config.update(base_url=gateway.url)
    callers = Callers(gateway, admin)
    reached: Counter[str] = Counter()

    class Walk(schema.as_state_machine()):  # type: ignore[misc, unused-ignore]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            token = callers.token_for(case.operation.path, case.operation.method)
            return {"headers": {"Authorization": f"Bearer {token}"}, "timeout": 15}

        def after_call(self, response: Any, case: Any) -> None:
            if 200 <= response.status_code < 300:
                reached[case.operation.label] += 1
                if case.operation.label == SESSION:
                    callers.visitor = response.json()["visitor_token"]

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    Walk.run(
        settings=settings(
            max_examples=scenarios,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
    return reached


@pytest.mark.timeout(240)
def test_walk_along_links_is_answered_as_described_at_each_step(gateway: Gateway, admin: str) -> None:
    reached = explore(gateway, admin, scenarios=15, steps=12)
    assert sum(reached.values()) > 30
    assert len(reached) > 12, sorted(reached)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_long_walk_along_links_is_answered_as_described_at_each_step(gateway: Gateway, admin: str) -> None:
    reached = explore(gateway, admin, scenarios=300, steps=25)
    assert len(reached) > 40, sorted(reached)
