"""What stands between a client and the gateways changes nothing but what it is there for."""

import contextlib
import http.client
import json
import select
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request

from deploy.local.ports import free_port
from tests.containers.stack import ComposeStack
from tests.support.waiting import wait_until

INVENTED = "203.0.113.9"
SAID_BY_PROXY = "198.51.100.7"

pytestmark = [pytest.mark.containers, pytest.mark.timeout(300)]


@contextlib.contextmanager
def told(stack: ComposeStack, **environment: str) -> Iterator[None]:
    """The balancer with other settings, for a while."""
    before = dict(stack.environment)
    stack.environment |= environment
    try:
        stack.up("balancer")
        yield
    finally:
        stack.environment = before
        stack.up("balancer")


def seen_address(stack: ComposeStack, token: str, headers: Mapping[str, str]) -> str:
    """Which address the product takes a visitor for."""
    channel = stack.make_channel("Addresses")
    session = requests.post(
        f"{stack.url}/v1/widget/{channel}/session", json={"url": "https://acme.example/"}, headers=headers, timeout=15
    )
    return str(stack.ask("GET", f"/v1/contacts/{session.json()['contact']['id']}", token=token)["ip"])


def bridge_address(stack: ComposeStack) -> str:
    """Where clients of the published port come from, as the balancer sees it."""
    return str(stack.containers("balancer")[0].attrs["NetworkSettings"]["Networks"][f"{stack.name}_edge"]["Gateway"])


@pytest.mark.parametrize("header", [INVENTED, f"{INVENTED}, 10.0.0.1", "10.1.2.3", "unknown", f"{INVENTED},"])
def test_client_can_not_choose_its_address(stack: ComposeStack, header: str) -> None:
    headers = {"X-Forwarded-For": header, "Forwarded": f"for={INVENTED}", "X-Real-IP": INVENTED}
    assert seen_address(stack, stack.sign_in(), headers) == bridge_address(stack)


def test_outer_proxy_names_the_client_and_nobody_else_does(stack: ComposeStack) -> None:
    outer = bridge_address(stack)
    with told(stack, FOYER_OUTER_PROXIES=f"{outer},10.9.0.0/16"):
        token = stack.sign_in()
        cases = {
            f"{INVENTED}, {SAID_BY_PROXY}": SAID_BY_PROXY,
            f"{INVENTED}, {SAID_BY_PROXY}, 10.9.1.1": SAID_BY_PROXY,
            f"{INVENTED}, 10.8.0.1": "10.8.0.1",
            f"{INVENTED}, unknown": outer,
            SAID_BY_PROXY: SAID_BY_PROXY,
        }
        assert {header: seen_address(stack, token, {"X-Forwarded-For": header}) for header in cases} == cases


@pytest.mark.parametrize("name", ["metrics", "readyz", "healthz", "healthz/serving"])
def test_numbers_and_health_of_a_gateway_are_not_public(stack: ComposeStack, name: str) -> None:
    encoded = f"%{ord(name[0]):x}{name[1:]}"
    for path in (
        f"/{name}",
        f"/{name}/",
        f"//{name}",
        f"///{name}//",
        f"/{encoded}",
        f"/%2f{name}",
        f"/{name}?x=%zz",
        f"/{name};x",
    ):
        # As it stands: requests would tidy it up.
        address = stack.url.removeprefix("http://")
        with contextlib.closing(http.client.HTTPConnection(address, timeout=10)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (path, answer.status, json.loads(answer.read()).get("code")) == (path, 404, "NOT_FOUND")
            assert answer.getheader("X-Request-ID") is None, f"{path} reached a gateway"


def test_body_that_trickles_in_is_given_up(stack: ComposeStack) -> None:
    """More than the balancer waits for: its first 16 kB come at once, the rest byte by byte."""
    host, _, port = stack.url.removeprefix("http://").partition(":")
    head = b"POST /v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + b" " * 20_000)

        def answered() -> bool:
            connection.sendall(b" ")
            return bool(select.select([connection], [], [], 0.5)[0])

        wait_until(answered, 40, what="the end of the gateway's patience")
        said = connection.recv(65_536)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_TOO_SLOW" in said


def test_no_gateway_is_a_problem_that_says_when_to_come_again(stack: ComposeStack) -> None:
    [gateway] = stack.containers("gateway")
    gateway.stop()
    try:
        answer = requests.get(f'{stack.url}/v1/a"b?ticket=secret', timeout=15)
        balancer = stack.containers("balancer")[0]
        wait_until(
            lambda: stack.try_exec(balancer, "python", "/usr/local/bin/probe.py")[0] != 0, 15, what="the balancer's bad health"
        )
    finally:
        gateway.start()
        stack.wait_healthy(60)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] == "SERVICE_UNAVAILABLE"
    logged = [line for line in balancer.logs().decode().splitlines() if line.startswith("{")]
    assert "secret" not in "".join(logged)
    assert any(line["event"] == "request_troubled" and line["path"] == "/v1/a%22b" for line in map(json.loads, logged))


def test_gateway_learns_at_once_that_a_stream_was_closed(stack: ComposeStack) -> None:
    token = stack.sign_in()
    headers = {"Authorization": f"Bearer {token}"}

    def connected() -> bool:
        return bool(stack.ask("GET", "/v1/agents/me", token=token)["connected"])

    with requests.get(f"{stack.url}/v1/events", headers=headers, stream=True, timeout=30) as stream:
        assert next(stream.iter_content(16))
        wait_until(connected, 10, what="the agent's connection")
    # The grace is 5 s, a lease 30 s: within 15 s it was the end that was noticed, not the lease that ran out.
    wait_until(lambda: not connected(), 15, what="the agent's disconnection")


def test_websocket_passes(stack: ComposeStack) -> None:
    host, _, port = stack.url.removeprefix("http://").partition(":")
    protocol = WSConnection(ConnectionType.CLIENT)
    authorization = (b"Authorization", f"Bearer {stack.sign_in()}".encode())
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(protocol.send(Request(host=host, target="/v1/events/ws", extra_headers=[authorization])))
        protocol.receive_data(connection.recv(65_536))
        assert isinstance(next(protocol.events()), AcceptConnection)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file, as HAProxy wants them."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "key.pem", "-out", "crt.pem"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_bytes((folder / "crt.pem").read_bytes() + (folder / "key.pem").read_bytes())
    both.chmod(0o644)
    return both


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_certificate_turns_tls_on_and_plain_http_away(stack: ComposeStack, certificate: Path) -> None:
    port = free_port()
    authority = str(certificate.with_name("crt.pem"))
    with told(stack, FOYER_TLS_CERTIFICATE=str(certificate), FOYER_TLS_PORT=str(port)):
        secure = f"https://127.0.0.1:{port}"
        answer = requests.get(f"{secure}/docs", verify=authority, timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        redirect = requests.get(f"{stack.url}/v1/agents?limit=5", allow_redirects=False, timeout=10)
        assert (redirect.status_code, redirect.headers["Location"]) == (308, f"{secure}/v1/agents?limit=5")
        assert "Strict-Transport-Security" not in redirect.headers
        assert handshake(port, authority, ssl.TLSVersion.TLSv1_3) == handshake(port, authority, ssl.TLSVersion.TLSv1_2) == "h2"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(port, authority, ssl.TLSVersion.TLSv1_1)


def handshake(port: int, authority: str, version: ssl.TLSVersion) -> str | None:
    """The protocol that is agreed on with a client that speaks just this version of TLS."""
    context = ssl.create_default_context(cafile=authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as tls,
    ):
        return tls.selected_alpn_protocol()


def test_certificate_that_can_not_be_read_is_said(stack: ComposeStack, certificate: Path) -> None:
    image = f"foyer/balancer:{stack.environment['FOYER_VERSION']}"
    certificate.chmod(0o600)
    try:
        container = stack.engine.containers.create(image, volumes=[f"{certificate}:/run/secrets/tls_certificate:ro"])
        try:
            container.start()
            status = container.wait(timeout=20)["StatusCode"]
            said = container.logs().decode()
        finally:
            container.remove(force=True)
    finally:
        certificate.chmod(0o644)
    assert status == 2
    assert "FOYER_TLS_CERTIFICATE" in said
