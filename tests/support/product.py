"""The whole product under a folder: broker, database, four services, gateways; and the people who use it over HTTP."""

import contextlib
import http.client
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import requests

from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from deploy.replay.sse import Event, Parser
from services.common.ids import new_id
from tests.support.stack import Stack
from tests.support.waiting import wait_until

SERVICES = ("presence", "contacts", "messaging", "assignment")
ADMIN_EMAIL = "admin@foyer.localhost"
PASSWORD = "a good long password"
SECRET_KEY = "only-for-tests-0123456789-abcdefghij"


class Product(Stack):
    """`start`, then `gateway()` for a running one; `stop` ends all."""

    def __init__(self, folder: Path, **extra: str) -> None:
        super().__init__(folder)
        self.extra = extra
        self._admin_token = ""

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "FOYER_SECRET_KEY": SECRET_KEY,
            "FOYER_ADMIN_EMAIL": ADMIN_EMAIL,
            "FOYER_ADMIN_PASSWORD": PASSWORD,
            "FOYER_RATE_LIMITS": "off",
            "TRUSTED_PROXIES": "127.0.0.0/8",
            "FOYER_ACCESS_TOKEN_SECONDS": "86400",  # nobody signs in again while a suite runs, however slow the machine
        }
        return super().environment | ours | self.extra

    def start(self) -> None:
        """Start everything but the gateways."""
        super().start()
        for name in SERVICES:
            self.start_service(name)

    def start_gateway(self, name: str = "gateway", port: int | None = None) -> "Gateway":
        """A gateway that answers /readyz."""
        gateway = Gateway(self, name, port or free_port())
        gateway.start()
        return gateway


class Gateway:
    """One gateway's process and requests to it."""

    def __init__(self, product: Product, name: str, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = ChildProcess(
            name,
            [sys.executable, "-m", "gateway"],
            environment=product.environment_for("gateway") | {"FOYER_PORT": str(port)},
            log_path=product.folder / f"{name}.log",
        )
        product.services[name] = self.process
        self._http = requests.Session()
        self._http.trust_env = False

    def start(self) -> None:
        """Start the process, again if it was killed, and wait for its readiness."""
        self.process.start()
        self.wait_ready()

    @contextlib.contextmanager
    def dead(self) -> Iterator[None]:
        """Killed, and started again at its end, also when what was looked for meanwhile was not to be seen: others need it, too."""
        self.process.kill()
        try:
            yield
        finally:
            self.start()

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return once every part is there."""

        def ready() -> bool:
            self.process.require_running()
            try:
                return self.send("GET", "/readyz").status_code == 200
            except requests.RequestException:
                return False

        wait_until(ready, timeout, what=f"readiness (log: {self.process.log_path})", interval=0.1)

    def send(self, method: str, path: str, body: Any = None, *, token: str | None = None, **options: Any) -> requests.Response:
        """The answer, whatever it is."""
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        if body is not None:
            options["json"] = body
        return self._http.request(method, f"{self.url}{path}", headers=headers, timeout=15, **options)

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None, **options: Any) -> Any:
        """The decoded body of a 2xx answer; anything else fails the test."""
        response = self.send(method, path, body, token=token, **options)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def sign_in(self, email: str = ADMIN_EMAIL, password: str = PASSWORD) -> str:
        """An access token."""
        token: str = self.ask("POST", "/v1/auth/token", {"email": email, "password": password})["access_token"]
        return token


class Agent:
    """An account of its own, signed in."""

    def __init__(self, gateway: Gateway, admin: str, name: str = "Ann", **values: Any) -> None:
        self.gateway = gateway
        self.email = f"{new_id()}@example.org"
        body = {"name": name, "email": self.email, "password": PASSWORD, "role": "agent", "capacity": 4} | values
        self.id: str = gateway.ask("POST", "/v1/agents", body, token=admin)["id"]
        self.token = gateway.sign_in(self.email)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.gateway.ask(method, path, body, token=self.token)

    def say(self, conversation_id: str, text: str) -> Any:
        return self.ask("POST", f"/v1/conversations/{conversation_id}/messages", {"text": text, "client_message_id": new_id()})

    def archive(self, *conversation_ids: str) -> None:
        for conversation_id in conversation_ids:
            self.ask("PATCH", f"/v1/conversations/{conversation_id}", {"status": "archived"})

    def presence(self) -> dict[str, Any]:
        """Why the agent counts as connected or not."""
        found: dict[str, Any] = self.ask("GET", f"/v1/agents/{self.id}/presence")
        return found

    def watch(self) -> "Stream":
        return Stream(self.gateway, "/v1/events", self.token)


class Visitor:
    """Somebody with the widget open on a page."""

    def __init__(self, gateway: Gateway, channel_id: str, *, address: str | None = None, **page: Any) -> None:
        self.gateway = gateway
        headers = {"X-Forwarded-For": address} if address else {}
        body = {"url": "https://shop.example/", "title": "Shop"} | page
        session = gateway.ask("POST", f"/v1/widget/{channel_id}/session", body, headers=headers)
        self.token: str = session["visitor_token"]
        self.session: dict[str, Any] = session
        self.contact_id: str = session["contact"]["id"]
        self.conversation_id: str = session["conversation"]["id"]

    def say(self, text: str | None = None, *, choice: str | None = None, key: str | None = None) -> Any:
        body: dict[str, Any] = {"client_message_id": key or new_id()}
        body |= {"text": text} if text is not None else {"choice": choice}
        return self.gateway.ask("POST", "/v1/widget/messages", body, token=self.token)

    def pass_bot(self) -> None:
        for text in ("Mia Lund", "mia@example.com"):
            self.say(text)
        self.say(choice="quote")

    def conversation(self) -> dict[str, Any]:
        """The conversation as the visitor sees it."""
        found: dict[str, Any] = self.gateway.ask("GET", "/v1/widget/conversation", token=self.token)
        return found

    def messages(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.gateway.ask("GET", "/v1/widget/messages", token=self.token)["items"]
        return items

    def watch(self) -> "Stream":
        return Stream(self.gateway, "/v1/widget/events", self.token)


class Stream:
    """A client of an event stream that reconnects with the last id it saw, as an EventSource does; keeps all it received."""

    open: ClassVar[set["Stream"]] = set()

    def __init__(self, gateway: Gateway, path: str, token: str) -> None:
        self.events: list[Event] = []
        self.connections = 0
        self._gateway = gateway
        self._path = path
        self._token = token
        self._last_id = ""
        self._arrived = threading.Condition()
        self._closing = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.open.add(self)
        wait_until(lambda: self.connections > 0 and self._last_id, what="the stream's beginning")

    def move_to(self, gateway: Gateway) -> None:
        """Reconnect to another gateway from now on."""
        self._gateway = gateway

    def close(self) -> None:
        """Hang up."""
        self.open.discard(self)
        self._closing.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def named(self, name: str) -> list[dict[str, Any]]:
        """The data of every event of a name, in the order of arrival."""
        with self._arrived:
            return [json.loads(event.data) for event in self.events if event.name == name]

    def wait_for(self, name: str, count: int = 1, timeout: float = 15.0, **matching: Any) -> dict[str, Any]:
        """The `count`-th event of a name whose data has these values."""

        def found() -> list[dict[str, Any]]:
            matches = [data for data in self.named(name) if all(data.get(key) == value for key, value in matching.items())]
            return matches if len(matches) >= count else []

        return wait_until(found, timeout, what=f"{name} number {count} with {matching}")[count - 1]

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._listen()
            except (http.client.HTTPException, OSError):
                self._closing.wait(0.1)

    def _listen(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"} | ({"Last-Event-ID": self._last_id} if self._last_id else {})
        parser = Parser(self._last_id)
        host = self._gateway.url.removeprefix("http://")
        with contextlib.closing(http.client.HTTPConnection(host, timeout=40)) as connection:
            connection.request("GET", self._path, headers=headers)
            self._socket = connection.sock
            response = connection.getresponse()
            if response.status != 200:
                self._closing.wait(0.2)
                return
            self.connections += 1
            while chunk := response.read1(65_536):
                for event in parser.feed(chunk):
                    with self._arrived:
                        self.events.append(event)
                        self._arrived.notify_all()
                self._last_id = parser.last_event_id
