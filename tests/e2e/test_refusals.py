"""Bad input: each with its precise problem, and nothing changed."""

import time
from typing import Any

import jwt
import pytest

from services.common.ids import new_id
from tests.support.product import PASSWORD, SECRET_KEY, Agent, Gateway, Visitor

CHALLENGE = "hub.mode=subscribe&hub.challenge=42&hub.verify_token="


@pytest.fixture(scope="module")
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Plain")


@pytest.fixture(scope="module")
def visitor(gateway: Gateway, channel_id: str) -> Visitor:
    return Visitor(gateway, channel_id)


def refused(gateway: Gateway, status: int, code: str, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
    response = gateway.send(method, path, body, **options)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json"), response.text
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/v1/channels/{id}", None, "CHANNEL_NOT_FOUND"),
        ("PATCH", "/v1/channels/{id}", {"name": "x"}, "CHANNEL_NOT_FOUND"),
        ("POST", "/v1/channels/{id}/identity-secret", None, "CHANNEL_NOT_FOUND"),
        ("DELETE", "/v1/channels/{id}/identity-secret", None, "CHANNEL_NOT_FOUND"),
        ("GET", "/v1/conversations/{id}", None, "CONVERSATION_NOT_FOUND"),
        ("GET", "/v1/conversations/{id}/messages", None, "CONVERSATION_NOT_FOUND"),
        ("PATCH", "/v1/conversations/{id}", {"status": "archived"}, "CONVERSATION_NOT_FOUND"),
        ("POST", "/v1/conversations/{id}/messages", {"text": "x", "client_message_id": "k"}, "CONVERSATION_NOT_FOUND"),
        ("PUT", "/v1/conversations/{id}/assignee", {"agent_id": "x"}, "CONVERSATION_NOT_FOUND"),
        ("DELETE", "/v1/conversations/{id}/assignee", None, "CONVERSATION_NOT_FOUND"),
        ("GET", "/v1/contacts/{id}", None, "CONTACT_NOT_FOUND"),
        ("POST", "/v1/contacts/{id}/notes", {"text": "x"}, "CONTACT_NOT_FOUND"),
        ("PATCH", "/v1/notes/{id}", {"text": "x"}, "NOTE_NOT_FOUND"),
        ("PATCH", "/v1/tickets/{id}", {"status": "open"}, "TICKET_NOT_FOUND"),
        ("GET", "/v1/tickets/{id}", None, "TICKET_NOT_FOUND"),
        ("POST", "/v1/tickets/{id}/comments", {"text": "x"}, "TICKET_NOT_FOUND"),
        ("GET", "/v1/contacts/{id}/history", None, "CONTACT_NOT_FOUND"),
        ("GET", "/v1/contacts/{id}/export", None, "CONTACT_NOT_FOUND"),
        ("DELETE", "/v1/contacts/{id}", None, "CONTACT_NOT_FOUND"),
        ("GET", "/v1/channels/{id}/flow", None, "CHANNEL_NOT_FOUND"),
        ("GET", "/v1/channels/{id}/flow/versions", None, "CHANNEL_NOT_FOUND"),
        ("POST", "/v1/channels/{id}/flow/check", {}, "CHANNEL_NOT_FOUND"),
        ("POST", "/v1/channels/{id}/flow/simulate", {}, "CHANNEL_NOT_FOUND"),
        ("DELETE", "/v1/channels/{id}/flow", None, "CHANNEL_NOT_FOUND"),
        ("GET", "/v1/webhooks/{id}", None, "WEBHOOK_NOT_FOUND"),
        ("PATCH", "/v1/webhooks/{id}", {"enabled": False}, "WEBHOOK_NOT_FOUND"),
        ("POST", "/v1/webhooks/{id}/secret", None, "WEBHOOK_NOT_FOUND"),
        ("POST", "/v1/webhooks/{id}/ping", None, "WEBHOOK_NOT_FOUND"),
        ("GET", "/v1/webhooks/{id}/deliveries", None, "WEBHOOK_NOT_FOUND"),
        ("POST", "/v1/webhooks/{id}/replay", {}, "WEBHOOK_NOT_FOUND"),
        ("DELETE", "/v1/webhooks/{id}", None, "WEBHOOK_NOT_FOUND"),
        ("GET", f"/v1/webhooks/messenger/{{id}}?{CHALLENGE}mine", None, "CHANNEL_NOT_FOUND"),
        ("GET", "/v1/agents/{id}", None, "AGENT_NOT_FOUND"),
        ("PATCH", "/v1/agents/{id}", {"name": "x"}, "AGENT_NOT_FOUND"),
        ("GET", "/v1/agents/{id}/presence", None, "AGENT_NOT_FOUND"),
        ("PATCH", "/v1/teams/{id}", {"name": "x"}, "TEAM_NOT_FOUND"),
        ("DELETE", "/v1/teams/{id}", None, "TEAM_NOT_FOUND"),
        ("POST", "/v1/assignment/simulate", {"channel_id": "unknown"}, "CHANNEL_NOT_FOUND"),
        ("POST", "/v1/widget/{id}/session", {"url": "https://a.example/"}, "CHANNEL_NOT_FOUND"),
        ("GET", "/v1/nothing/here", None, "NOT_FOUND"),
    ],
)
def test_unknown_id_is_not_found(gateway: Gateway, admin: str, method: str, path: str, body: Any, code: str) -> None:
    refused(gateway, 404, code, method, path.format(id=new_id()), body, token=admin)


def test_malformed_json_is_refused(gateway: Gateway, admin: str) -> None:
    before = gateway.ask("GET", "/v1/channels?limit=100", token=admin)
    headers = {"Content-Type": "application/json"}
    for garbage in ("{", '{"name": ', "\x00"):
        refused(gateway, 400, "MALFORMED_REQUEST", "POST", "/v1/channels", token=admin, data=garbage, headers=headers)
    assert gateway.ask("GET", "/v1/channels?limit=100", token=admin) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "web", "name": 5}, "name"),
        ({"kind": "web", "name": None}, "name"),
        ({"kind": "web", "name": "  "}, "name"),
        ({"kind": "web", "name": ["x"]}, "name"),
        ({"kind": "web", "name": {"$ne": 1}}, "name"),
        ({"kind": "web"}, "name"),
        ({"kind": "telegram", "name": "x"}, "kind"),
        ({"kind": "web", "name": "x", "colour": "red"}, "colour"),
        ({"kind": "web", "name": "x", "allowed_origins": ["not an origin"]}, "allowed_origins.0"),
    ],
)
def test_wrong_value_is_named(gateway: Gateway, admin: str, body: Any, field: str) -> None:
    problem = refused(gateway, 422, "VALIDATION_FAILED", "POST", "/v1/channels", body, token=admin)
    assert field in problem["errors"]


def test_text_of_100_kb_is_refused_and_not_stored(gateway: Gateway, visitor: Visitor) -> None:
    before = visitor.messages()
    body = {"text": "x" * 100_000, "client_message_id": "large"}
    problem = refused(gateway, 422, "VALIDATION_FAILED", "POST", "/v1/widget/messages", body, token=visitor.token)
    assert "text" in problem["errors"]
    huge = {"text": "x" * 300_000, "client_message_id": "huge"}
    refused(gateway, 413, "BODY_TOO_LARGE", "POST", "/v1/widget/messages", huge, token=visitor.token)
    assert visitor.messages() == before


def test_foreign_visitor_sees_and_changes_nothing_of_another(
    gateway: Gateway, channel_id: str, visitor: Visitor, admin: str
) -> None:
    stranger = Visitor(gateway, channel_id)
    said = stranger.say("I am somebody else")
    assert said["conversation_id"] != visitor.conversation_id
    assert all(message["text"] != "I am somebody else" for message in visitor.messages())
    path = f"/v1/conversations/{visitor.conversation_id}"
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"{path}/messages", None),
        ("POST", f"{path}/messages", {"text": "x", "client_message_id": "k"}),
        ("PATCH", path, {"status": "archived"}),
        ("GET", f"/v1/contacts/{visitor.contact_id}", None),
        ("GET", "/v1/agents", None),
        ("GET", "/v1/events", None),
        ("POST", "/v1/channels", {"kind": "web", "name": "x"}),
    ):
        refused(gateway, 403, "FORBIDDEN", method, where, body, token=stranger.token)
    other_channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Other"}, token=admin)["id"]
    elsewhere = Visitor(gateway, other_channel, visitor_token=visitor.token)
    assert elsewhere.contact_id != visitor.contact_id


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/agents", {"name": "x", "email": "x@example.org", "password": PASSWORD, "role": "admin"}),
        ("POST", "/v1/channels", {"kind": "web", "name": "x"}),
        ("PATCH", "/v1/channels/{channel}", {"name": "x"}),
        ("DELETE", "/v1/channels/{channel}", None),
        ("POST", "/v1/channels/{channel}/identity-secret", None),
        ("DELETE", "/v1/channels/{channel}/identity-secret", None),
        ("PUT", "/v1/channels/{channel}/flow", {"start": "a", "blocks": {"a": {"type": "close"}}}),
        ("DELETE", "/v1/channels/{channel}/flow", None),
        ("GET", "/v1/contacts/any/export", None),
        ("DELETE", "/v1/contacts/any", None),
        ("GET", "/v1/webhooks", None),
        ("POST", "/v1/webhooks", {"url": "https://crm.example/", "events": ["message.created"]}),
        ("POST", "/v1/tokens", {"name": "x", "scopes": ["bot"]}),
        ("PATCH", "/v1/agents/me", {"role": "admin"}),
    ],
)
def test_agent_without_rights_is_refused(
    gateway: Gateway, agent: Agent, channel_id: str, admin: str, method: str, path: str, body: Any
) -> None:
    response = gateway.send(method, path.format(channel=channel_id), body, token=agent.token)
    assert response.status_code in {403, 422}, response.text
    assert response.json()["code"] in {"FORBIDDEN", "VALIDATION_FAILED"}
    assert gateway.ask("GET", f"/v1/channels/{channel_id}", token=admin)["name"] == "Shop"
    assert gateway.ask("GET", f"/v1/agents/{agent.id}", token=admin)["role"] == "agent"


def test_other_agent_is_not_changed_by_an_agent(gateway: Gateway, agent: Agent, admin: str) -> None:
    other = Agent(gateway, admin, "Other")
    refused(gateway, 403, "FORBIDDEN", "PATCH", f"/v1/agents/{other.id}", {"name": "Mine"}, token=agent.token)
    assert gateway.ask("GET", f"/v1/agents/{other.id}", token=admin)["name"] == "Other"


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://0.0.0.0/",
        "https://u:p@crm.example/",
        "ftp://crm.example/",
        "//crm.example/",
    ],
)
def test_webhook_is_refused_when_its_target_is_private_or_no_target(gateway: Gateway, admin: str, url: str) -> None:
    before = gateway.ask("GET", "/v1/webhooks", token=admin)
    body = {"url": url, "events": ["message.created"]}
    problem = refused(gateway, 422, "VALIDATION_FAILED", "POST", "/v1/webhooks", body, token=admin)
    assert set(problem["errors"]) == {"url"}
    assert gateway.ask("GET", "/v1/webhooks", token=admin) == before


def test_facebooks_door_is_shut_to_whoever_does_not_know_the_channels_secrets(
    gateway: Gateway, admin: str, channel_id: str
) -> None:
    settings = {"page_id": "104857600000001", "app_secret": "a-secret", "verify_token": "mine"}
    body = {"kind": "messenger", "name": "Page", "messenger": settings}
    channel = gateway.ask("POST", "/v1/channels", body, token=admin)
    assert "a-secret" not in str(channel)
    path, batch = f"/v1/webhooks/messenger/{channel['id']}", {"object": "page", "entry": []}
    assert gateway.send("GET", f"{path}?{CHALLENGE}mine").text == "42"
    refused(gateway, 403, "FORBIDDEN", "GET", f"{path}?{CHALLENGE}yours")
    signed = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
    for headers in ({}, signed):
        refused(gateway, 403, "SIGNATURE_INVALID", "POST", path, batch, headers=headers)
    refused(gateway, 403, "FORBIDDEN", "POST", f"/v1/webhooks/messenger/{channel_id}", batch, headers=signed)
    refused(gateway, 422, "VALIDATION_FAILED", "POST", "/v1/channels", body, token=admin)
    web = {"kind": "web", "name": "Web", "messenger": {"page_id": "104857600000002"}}
    refused(gateway, 422, "VALIDATION_FAILED", "POST", "/v1/channels", web, token=admin)


def test_duplicate_email_is_refused_in_any_spelling(gateway: Gateway, agent: Agent, admin: str) -> None:
    body = {"name": "Twin", "email": agent.email.upper(), "password": PASSWORD, "role": "agent"}
    refused(gateway, 409, "EMAIL_TAKEN", "POST", "/v1/agents", body, token=admin)


def test_second_team_of_a_name_is_refused_in_any_case(gateway: Gateway, agent: Agent, admin: str) -> None:
    name = f"Sales {new_id()}"
    team = gateway.ask("POST", "/v1/teams", {"name": name, "agent_ids": [agent.id]}, token=admin)
    refused(gateway, 409, "TEAM_NAME_TAKEN", "POST", "/v1/teams", {"name": name.upper()}, token=admin)
    refused(gateway, 403, "FORBIDDEN", "DELETE", f"/v1/teams/{team['id']}", token=agent.token)
    assert gateway.ask("GET", f"/v1/teams/{team['id']}", token=agent.token)["agent_ids"] == [agent.id]


def test_token_is_refused_when_it_is_expired_forged_or_missing(gateway: Gateway, agent: Agent) -> None:
    claims = jwt.decode(agent.token, options={"verify_signature": False})
    expired = jwt.encode(claims | {"iat": time.time() - 2000, "exp": time.time() - 1000}, SECRET_KEY, "HS256")
    assert refused(gateway, 401, "TOKEN_EXPIRED", "GET", "/v1/agents", token=expired)
    forged = jwt.encode(claims | {"role": "admin"}, "another-key-another-key-another-key", "HS256")
    unsigned = jwt.encode(claims, None, "none")
    for bad in (forged, unsigned, "garbage", agent.token[:-3]):
        refused(gateway, 401, "TOKEN_INVALID", "GET", "/v1/agents", token=bad)
    response = gateway.send("GET", "/v1/agents")
    assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
    assert "Bearer" in response.headers["WWW-Authenticate"]


def test_token_is_refused_at_once_when_its_owner_signs_out(gateway: Gateway, admin: str) -> None:
    leaver = Agent(gateway, admin, "Leaver")
    assert leaver.ask("GET", "/v1/agents")
    gateway.ask("POST", "/v1/auth/logout", token=leaver.token)
    refused(gateway, 401, "TOKEN_INVALID", "GET", "/v1/agents", token=leaver.token)


def test_wrong_password_says_no_more_than_that(gateway: Gateway, agent: Agent) -> None:
    known = {"email": agent.email, "password": "not the password"}
    unknown = {"email": "nobody@example.org", "password": "not the password"}
    texts = {refused(gateway, 401, "INVALID_CREDENTIALS", "POST", "/v1/auth/token", body)["detail"] for body in (known, unknown)}
    assert len(texts) == 1


def test_method_is_refused_when_the_address_has_others(gateway: Gateway, admin: str) -> None:
    response = gateway.send("DELETE", "/v1/conversations", token=admin)
    assert (response.status_code, response.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "folder=secret", "surprise=1", "cursor=garbage"])
def test_listing_is_refused_when_its_query_is_wrong(gateway: Gateway, admin: str, query: str) -> None:
    response = gateway.send("GET", f"/v1/conversations?{query}", token=admin)
    assert response.status_code == (400 if query.startswith("cursor") else 422), response.text


def test_custom_field_is_read_only_for_humans(gateway: Gateway, agent: Agent, visitor: Visitor) -> None:
    path = f"/v1/contacts/{visitor.contact_id}"
    before = agent.ask("GET", path)
    response = gateway.send("PATCH", path, {"fields": {"topic": "mine"}}, token=agent.token)
    assert (response.status_code, response.json()["code"]) == (403, "FIELD_READ_ONLY"), response.text
    assert agent.ask("GET", path) == before


def test_creation_happens_once_when_its_key_is_repeated(gateway: Gateway, agent: Agent, visitor: Visitor) -> None:
    path = f"/v1/contacts/{visitor.contact_id}/notes"
    headers = {"Idempotency-Key": new_id()}
    first = gateway.ask("POST", path, {"text": "Once"}, token=agent.token, headers=headers)
    assert gateway.ask("POST", path, {"text": "Once"}, token=agent.token, headers=headers) == first
    refused(gateway, 422, "IDEMPOTENCY_KEY_REUSED", "POST", path, {"text": "Twice"}, token=agent.token, headers=headers)
    assert [note["text"] for note in agent.ask("GET", path)["items"]] == ["Once"]


def test_forwarded_address_is_the_one_that_the_trusted_proxy_saw(gateway: Gateway, admin: str, channel_id: str) -> None:
    spoofing = Visitor(gateway, channel_id, address="8.8.8.8, 203.0.113.77")
    contact = gateway.ask("GET", f"/v1/contacts/{spoofing.contact_id}", token=admin)
    # The rightmost hop that isn't a trusted proxy is the client; what it wrote to its left is hearsay.
    assert contact["ip"] == "203.0.113.77"
