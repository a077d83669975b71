import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_port
from tests.service.gateway.conftest import KEY, RunningGateway, StartGateway
from tests.support.stack import Stack
from tests.support.waiting import wait_until

CREDENTIALS = {"email": "ada@example.com", "password": "x"}


@pytest.mark.parametrize(
    ("name", "value"), [("FOYER_SECRET_KEY", "short"), ("FOYER_PORT", "http"), ("TRUSTED_PROXIES", "proxy.example")]
)
def test_process_ends_with_one_line_when_a_setting_is_unusable(name: str, value: str) -> None:
    environment = {"FOYER_SECRET_KEY": KEY, name: value}
    ended = subprocess.run([sys.executable, "-m", "gateway"], env=environment, capture_output=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert ended.stdout == b""
    assert re.fullmatch(rf"gateway: {name}[^\n]+\n", ended.stderr.decode())


def test_gateway_says_unavailable_until_the_broker_is_there(start_gateway: StartGateway, tmp_path: Path) -> None:
    broker = LocalBroker(tmp_path / "broker", free_port())
    gateway = start_gateway({"AMQP_URI": broker.uri()})
    for method, path, body in (("GET", "/readyz", None), ("POST", "/v1/auth/token", CREDENTIALS)):
        began = time.monotonic()
        response = gateway.send(method, path, body)
        assert time.monotonic() - began < 3
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) >= 1
    try:
        broker.start()
        wait_until(lambda: gateway.send("GET", "/readyz").json()["broker"], 30, what="the broker seen by the gateway")
        # The broker is there, the services are not: said at once, not at the deadline, which is 3 s.
        began = time.monotonic()
        response = gateway.send("POST", "/v1/auth/token", CREDENTIALS)
        assert time.monotonic() - began < 3
        assert (response.status_code, response.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    finally:
        broker.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_is_quick_and_tells_open_streams(
    start_gateway: StartGateway, gateway: RunningGateway, stack: Stack, account: dict[str, str], number: signal.Signals
) -> None:
    other = start_gateway(stack.environment)
    wait_until(other.ready, 20, what="readiness")
    token = other.send("POST", "/v1/auth/token", account).json()["access_token"]
    with (
        socket.create_connection(("127.0.0.1", other.port)) as idle,
        other.send("GET", "/v1/events", token=token, stream=True) as stream,
    ):
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1 200")
        lines = stream.iter_lines()
        assert next(lines) is not None
        began = time.monotonic()
        other.process.send_signal(number)
        for _ in lines:  # ends with the stream, properly: a torn one raises
            pass
        assert other.process.wait(15.0)
        assert time.monotonic() - began < 5  # when gunicorn would kill it
        assert other.process.returncode == 0
    with pytest.raises(requests.ConnectionError):
        other.send("GET", "/healthz")


def test_everything_is_served_while_the_process_drains(
    start_gateway: StartGateway, gateway: RunningGateway, stack: Stack, account: dict[str, str]
) -> None:
    other = start_gateway(stack.environment | {"FOYER_DRAIN_SECONDS": "8"})
    wait_until(other.ready, 20, what="readiness")
    token = other.send("POST", "/v1/auth/token", account).json()["access_token"]
    with other.send("GET", "/v1/events", token=token, stream=True) as stream:
        lines = stream.iter_lines()
        assert next(lines) is not None
        other.process.send_signal(signal.SIGTERM)
        wait_until(lambda: other.send("GET", "/healthz").status_code == 503, what="the draining")
        for _ in range(3):
            # A new connection each time.
            assert requests.get(f"http://127.0.0.1:{other.port}/healthz", timeout=15).json() == {"status": "draining"}
            answer = requests.post(f"http://127.0.0.1:{other.port}/v1/auth/token", json=account, timeout=15)
            assert (answer.status_code, "access_token" in answer.json()) == (200, True)
        with other.send("GET", "/v1/events", token=token, stream=True) as late:
            assert next(late.iter_lines()) is not None
        for _ in lines:  # ends with the stream, properly
            pass
    assert other.process.wait(15.0)
    assert other.process.returncode == 0


def test_probe_tells_readiness(gateway: RunningGateway) -> None:
    def probe(port: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway.probe"]
        return subprocess.run(command, env={"FOYER_PORT": str(port)}, capture_output=True, text=True, timeout=20, check=False)

    ready = wait_until(lambda: found if (found := probe(gateway.port)).returncode == 0 else None, 20, what="readiness")
    assert ready is not None
    assert '"services"' in ready.stdout
    assert probe(free_port()).returncode == 1
