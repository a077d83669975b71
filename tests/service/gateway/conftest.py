"""A real gateway over the shared broker, database and services."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from tests.service.conftest import Service
from tests.support.stack import Stack
from tests.support.waiting import wait_until

KEY = "a-key-that-nobody-can-guess-0123456789"
PASSWORD = "correct horse battery"
ADMIN = {"kind": "agent", "id": "tests", "name": "Tests", "role": "admin"}


class RunningGateway:
    """A gateway's process, and requests to it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.process = ChildProcess(
            "gateway",
            [sys.executable, "-m", "gateway"],
            environment=environment | {"FOYER_PORT": str(self.port), "FOYER_SECRET_KEY": KEY, "FOYER_RATE_LIMITS": "off"},
            log_path=folder / f"gateway-{self.port}.log",
        )
        self.http = requests.Session()
        self.http.trust_env = False

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process.start()
        wait_until(self.answers, 20, what=f"the gateway's answer (log: {self.process.log_path})")

    def answers(self) -> bool:
        """Whether the process serves."""
        self.process.require_running()
        try:
            return self.send("GET", "/healthz").status_code == 200
        except requests.ConnectionError:
            return False

    def ready(self) -> bool:
        """Whether everything behind it is there."""
        return self.send("GET", "/readyz").status_code == 200

    def send(self, method: str, path: str, body: Any = None, *, token: str | None = None, **options: Any) -> requests.Response:
        """The answer to a request."""
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.http.request(method, f"http://127.0.0.1:{self.port}{path}", json=body, headers=headers, timeout=15, **options)

    def stop(self) -> None:
        """End it."""
        self.http.close()
        self.process.stop()


StartGateway = Callable[[dict[str, str]], RunningGateway]


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[StartGateway]:
    """Starts gateways that end with the test."""
    started: list[RunningGateway] = []

    def start(environment: dict[str, str]) -> RunningGateway:
        gateway = RunningGateway(tmp_path, environment)
        started.append(gateway)
        gateway.start()
        return gateway

    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture(scope="package")
def gateway(stack: Stack, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One for all tests that do it no harm."""
    for name in ("presence", "contacts", "messaging", "assignment"):
        service(name)
    gateway = RunningGateway(tmp_path_factory.mktemp("gateway"), stack.environment)
    try:
        gateway.start()
        wait_until(gateway.ready, 20, what="readiness")
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture
def account(gateway: RunningGateway, rpc: RpcClient) -> dict[str, str]:
    """The e-mail and password of a new agent; made after presence runs."""
    email = f"{new_id()}@example.com"
    rpc.call(
        "presence",
        "create_agent",
        timeout=15,
        name="Ada",
        email=email,
        password=PASSWORD,
        role="agent",
        actor=ADMIN,
    )
    return {"email": email, "password": PASSWORD}
