"""What browsers let other pages do: read a channel's answers where its origins allow, and nothing of the rest; and what pages may load."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until

OURS = "https://shop.example"
# Each is another origin, however much it looks like ours.
FOREIGN = (
    "https://evil.example",
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "https://www.shop.example",
    "http://shop.example",
    "https://shop.example:8443",
    "https://shop.example.",
    "https://shop.example@evil.example",
    "https://evil.example/https://shop.example",
    "https://shop.exampl\u0435".encode().decode("latin-1"),
    "https://shop.example, https://evil.example",
    "https://shop.example https://evil.example",
    "null",
    "file://",
    "*",
    "",
)
READS = [("GET", "/v1/widget/conversation"), ("GET", "/v1/widget/messages"), ("GET", "/v1/widget/events")]
WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/v1/widget/messages", {"text": "Not by this page", "client_message_id": "1"}),
    ("POST", "/v1/widget/read", {"seq": 1}),
    ("POST", "/v1/widget/typing", {"typing": True}),
    ("POST", "/v1/widget/pages", {"url": "https://evil.example/"}),
    ("POST", "/v1/widget/events/ticket", None),
    ("DELETE", "/v1/widget/queue", None),
]
AGENTS = (
    "/v1/agents",
    "/v1/conversations",
    "/v1/auth/token",
    "/v1/events",
    "/v1/openapi.json",
    "/v1/tokens",
    "/metrics",
    "/readyz",
)
PAGES = ("/console/", "/demo", "/docs")


@pytest.fixture(scope="module")
def shop(gateway: Gateway, admin: str) -> str:
    """A channel of one website."""
    body = {"kind": "web", "name": "Shop", "allowed_origins": [OURS]}
    return str(gateway.ask("POST", "/v1/channels", body, token=admin)["id"])


@pytest.fixture(scope="module")
def visitor(gateway: Gateway, shop: str) -> Visitor:
    return Visitor(gateway, shop)


def ask(gateway: Gateway, method: str, path: str, origin: str, body: Any = None, **options: Any) -> requests.Response:
    headers = {"Origin": origin} | options.pop("headers", {})
    response = gateway.send(method, path, body, headers=headers, stream=True, **options)
    if response.headers.get("Content-Type", "").startswith("text/event-stream"):
        response.close()
    return response


def cors(response: requests.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("Access-Control-")}


def directives(response: requests.Response) -> dict[str, set[str]]:
    """The content security policy."""
    parts = (part.split() for part in response.headers["Content-Security-Policy"].split(";"))
    return {part[0]: set(part[1:]) for part in parts if part}


@pytest.mark.parametrize("origin", FOREIGN)
def test_page_of_another_origin_can_neither_begin_nor_go_on_nor_read_why(
    gateway: Gateway, shop: str, visitor: Visitor, origin: str
) -> None:
    before = visitor.messages()
    answers = [ask(gateway, "POST", f"/v1/widget/{shop}/session", origin, {})]
    answers += [ask(gateway, method, path, origin, token=visitor.token) for method, path in READS]
    answers += [ask(gateway, method, path, origin, body, token=visitor.token) for method, path, body in WRITES]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_NOT_ALLOWED")
        assert cors(answer) == {}
    assert visitor.messages() == before


@pytest.mark.parametrize("origin", [OURS, OURS.upper()])
def test_page_of_an_allowed_origin_reads_every_answer(gateway: Gateway, shop: str, visitor: Visitor, origin: str) -> None:
    answers = [ask(gateway, "POST", f"/v1/widget/{shop}/session", origin, {})]
    answers += [ask(gateway, method, path, origin, token=visitor.token) for method, path in READS]
    answers += [ask(gateway, "GET", "/v1/widget/conversation", origin, token="a.b.c")]  # also why it was refused
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 401]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_ticket_opens_a_stream_to_an_allowed_page_alone(gateway: Gateway, visitor: Visitor) -> None:
    for origin, status in ((OURS, 200), ("https://evil.example", 403)):
        ticket = gateway.ask("POST", "/v1/widget/events/ticket", token=visitor.token)["ticket"]
        for path in (f"/v1/widget/events?ticket={ticket}",):
            assert ask(gateway, "GET", path, origin).status_code == status


def test_page_that_is_no_longer_allowed_is_refused(gateway: Gateway, admin: str) -> None:
    body = {"kind": "web", "name": "Shop", "allowed_origins": [OURS]}
    channel_id = gateway.ask("POST", "/v1/channels", body, token=admin)["id"]
    path = f"/v1/widget/{channel_id}/session"
    assert ask(gateway, "POST", path, OURS, {}).status_code == 201
    gateway.ask("PATCH", f"/v1/channels/{channel_id}", {"allowed_origins": ["https://new.example"]}, token=admin)
    assert ask(gateway, "POST", path, OURS, {}).status_code == 403
    assert ask(gateway, "POST", path, "https://new.example", {}).status_code == 201


@pytest.mark.parametrize("origin", [OURS, "https://evil.example", "null"])
def test_preflight_promises_no_more_than_widgets_need(gateway: Gateway, shop: str, origin: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-evil"}
    for path in (f"/v1/widget/{shop}/session", "/v1/widget/messages"):
        answer = ask(gateway, "OPTIONS", path, origin, headers=asked)
        told = cors(answer)
        assert answer.ok
        assert told["Access-Control-Allow-Methods"] == "GET, POST, DELETE"
        assert "x-evil" not in told["Access-Control-Allow-Headers"].casefold()
        assert "*" not in "".join(told.values())
        assert "Access-Control-Allow-Credentials" not in told
        assert "Access-Control-Allow-Private-Network" not in told


@pytest.mark.parametrize("origin", [OURS, "https://evil.example", "null"])
def test_no_page_reads_what_is_not_the_widgets(gateway: Gateway, admin: str, origin: str) -> None:
    for path in AGENTS:
        asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        for answer in (ask(gateway, "GET", path, origin, token=admin), ask(gateway, "OPTIONS", path, origin, headers=asked)):
            assert cors(answer) == {}, path


def test_form_of_another_page_is_no_request(gateway: Gateway, shop: str, visitor: Visitor, admin: str) -> None:
    """What a page can send without a preflight has no JSON type, so it would not be understood even with a cookie, which there is not."""
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {"Content-Type": content_type}
        for path, token in (("/v1/widget/messages", visitor.token), ("/v1/channels", admin)):
            answer = gateway.send("POST", path, data=b'{"text": "x", "client_message_id": "1"}', headers=headers, token=token)
            assert answer.status_code == 415, (path, content_type)


def everything(gateway: Gateway, admin: str, agent: Agent, visitor: Visitor) -> Iterator[requests.Response]:
    for path in (
        "/v1/agents",
        "/v1/conversations",
        f"/v1/contacts/{visitor.contact_id}",
        "/v1/openapi.json",
        "/readyz",
        "/metrics",
    ):
        yield gateway.send("GET", path, token=admin)
    yield gateway.send("GET", "/v1/widget/messages", token=visitor.token)
    yield gateway.send("GET", "/v1/nothing")
    yield gateway.send("GET", "/v1/agents")
    yield gateway.send("POST", "/v1/agents", {"name": "<script>alert(1)</script>"}, token=admin)
    yield gateway.send("DELETE", "/v1/conversations", token=agent.token)
    with gateway.send("GET", "/v1/events", token=agent.token, stream=True) as stream:
        yield stream


def test_answer_that_is_no_page_is_shown_as_none(gateway: Gateway, admin: str, visitor: Visitor) -> None:
    agent = Agent(gateway, admin, "Ann")
    for answer in everything(gateway, admin, agent, visitor):
        assert directives(answer) == {"default-src": {"'none'"}, "frame-ancestors": {"'none'"}}, answer.url
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert not answer.headers.get("Content-Type", "").startswith("text/html")


@pytest.mark.parametrize("path", PAGES)
def test_page_may_run_and_reach_what_is_ours_alone(gateway: Gateway, path: str) -> None:
    policy = directives(gateway.send("GET", path))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == {"'none'"}
    assert policy["connect-src"] == policy["style-src"] == {"'self'"}
    assert all(source == "'self'" or source.startswith("'sha256-") for source in policy["script-src"])
    assert policy["img-src"] <= {"'self'", "data:"}
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:", "blob:"} & set().union(*policy.values())
    if path != "/docs":
        assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ({"'script'"}, {"'none'"})


def test_script_of_the_widget_is_all_that_other_sites_may_load(gateway: Gateway) -> None:
    assert gateway.send("GET", "/widget.js").headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    for path in ("/console/", "/console/icon.svg", "/demo", "/demo/demo.js", "/docs", "/docs/docs.js"):
        answer = gateway.send("GET", path)
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert cors(answer) == {}, path


def test_text_of_a_visitor_is_never_an_answers_markup(gateway: Gateway, admin: str, shop: str) -> None:
    """Whatever a visitor says travels as JSON, of a type that no browser renders."""
    visitor = Visitor(gateway, shop, title="<img src=x onerror=alert(1)>")
    visitor.say("<script>alert(1)</script>")
    path = f"/v1/conversations/{visitor.conversation_id}/messages"
    wait_until(lambda: "<script>" in gateway.send("GET", path, token=admin).text, what="the message")
    for each in (path, f"/v1/contacts/{visitor.contact_id}", f"/v1/contacts/{visitor.contact_id}/export"):
        answer = gateway.send("GET", each, token=admin)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
