"""A receiver of webhooks on loopback that hears everything, and answers as badly as a test wants: down, slow, failing, lying."""

import contextlib
import json
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.ports import free_port
from services.messaging.webhooks.signing import sign
from tests.support.waiting import wait_until

# Writes an answer to a socket, or not; the event is set when the receiver ends.
Reaction = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The delivery's id."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        """The body's object."""
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded

    def is_signed_with(self, secret: str) -> bool:
        """Whether one of its signatures was made with the secret."""
        expected = sign(secret, self.id, int(self.headers["webhook-timestamp"]), self.body)
        return expected in self.headers["webhook-signature"].split(" ")


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Reaction:
    """A proper answer; an underscore in a header's name stands for a hyphen."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in {"content_length": str(len(body)), **headers}.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Whatever", *lines, "", ""])
    return lambda sock, _: sock.sendall(head.encode() + body)


def silent(sock: socket.socket, stopping: threading.Event) -> None:
    """Takes the request and never answers."""
    stopping.wait(60)


def hanging_up(sock: socket.socket, stopping: threading.Event) -> None:
    """Takes the request and closes the connection."""


def dripping(
    sock: socket.socket, stopping: threading.Event, begin: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
) -> None:
    """Answers 200 and then sends its body a byte at a time."""
    sock.sendall(begin)
    while not stopping.wait(0.05):
        sock.sendall(b"x")


def dripping_head(sock: socket.socket, stopping: threading.Event) -> None:
    """Never gets beyond its headers, of which a byte comes at a time."""
    dripping(sock, stopping, b"HTTP/1.1 200 OK\r\nX-Long: ")


def lying(sock: socket.socket, stopping: threading.Event) -> None:
    """Promises a gigabyte and closes after five bytes."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nshort")


def flooding(sock: socket.socket, stopping: threading.Event) -> None:
    """Says that its body is short and goes on sending."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    for _ in range(1000):
        sock.sendall(b"x" * 65_536)


def with_huge_headers(sock: socket.socket, stopping: threading.Event) -> None:
    """Sends headers without end."""
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        sock.sendall(f"X-Header-{number}: {'x' * 1000}\r\n".encode())


def babbling(sock: socket.socket, stopping: threading.Event) -> None:
    """Speaks something else than HTTP."""
    sock.sendall(b"220 smtp.example.org ESMTP\r\n")


def make_certificate(folder: Path, *names: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate that vouches for itself under these names (`DNS:hook.test`), and the context of a server that has it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    make += [
        "-keyout",
        str(key),
        "-out",
        str(certificate),
        "-subj",
        "/CN=hook.test",
        "-addext",
        f"subjectAltName={','.join(names)}",
    ]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


class Receiver:
    """`start`, give `url(path)` to a webhook, say with `react` how a path answers; each path answers 200 unless told otherwise."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.received: list[Received] = []
        self._reactions: dict[str, list[Reaction]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: socketserver.ThreadingTCPServer | None = None
        self.port = free_port()  # it is started again on the same one, which no connection may have taken meanwhile
        self.open = 0  # requests that are being answered

    def start(self) -> None:
        """Listen, on the same port again after a `stop`."""
        receiver, tls = self, self._tls

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False
            request_queue_size = 100

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Who is cut off by the other side has nothing to say."""

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with self.request if tls is None else tls.wrap_socket(self.request, server_side=True) as sock:
                    receiver._handle(sock)

        self._stopping.clear()
        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Be down: connections are refused."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def url(self, path: str = "/hook") -> str:
        """Where it listens."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}{path}"

    def react(self, path: str, *reactions: Reaction) -> None:
        """How a path answers from now on, one after the other; the last one stays."""
        with self._lock:
            self._reactions[path] = list(reactions)

    def at(self, path: str) -> list[Received]:
        """What came to a path, in the order of its arrival."""
        with self._lock:
            return [each for each in self.received if each.path == path]

    def wait_for(self, path: str, count: int, timeout: float = 15.0) -> list[Received]:
        """At least so many requests to a path."""
        return wait_until(
            lambda: found if len(found := self.at(path)) >= count else [], timeout, what=f"{count} requests to {path}"
        )

    def _handle(self, sock: socket.socket) -> None:
        sock.settimeout(30)
        with contextlib.closing(sock.makefile("rb")) as stream:
            path = stream.readline().split(b" ")[1].decode()
            headers = {}
            while line := stream.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", "0"))
            body = stream.read(length)
        if len(body) < length:  # whoever sent it was cut off
            return
        with self._lock:
            self.received.append(Received(path, headers, body))
            left = self._reactions.get(path, [])
            reaction = (left.pop(0) if len(left) > 1 else left[0]) if left else answering(200)
            self.open += 1
        try:
            reaction(sock, self._stopping)
        finally:
            with self._lock:
                self.open -= 1


def running_receiver() -> Iterator[Receiver]:
    """One that listens; a fixture of whatever scope."""
    receiver = Receiver()
    receiver.start()
    yield receiver
    receiver.stop()
