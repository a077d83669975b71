"""A client of the event streams over WebSocket."""

import contextlib
import json
import socket
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Request, TextMessage

from tests.support.product import Gateway

SILENCE = 14.0  # seconds; heartbeats come every 15 s, and would hide that nothing else does


class Closed(Exception):
    """The server closed the WebSocket, with the code."""


class WebSocket:
    """A client's end of a stream, accepted by the gateway."""

    def __init__(self, gateway: Gateway, path: str, token: str | None) -> None:
        host, _, port = gateway.url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=SILENCE)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events: list[Any] = []
        headers = [] if token is None else [(b"Authorization", f"Bearer {token}".encode())]
        self._write(Request(host=host, target=path, extra_headers=headers))
        assert isinstance(self._next(), AcceptConnection)

    def _write(self, event: Any) -> None:
        self._socket.sendall(self._protocol.send(event))

    def _next(self) -> Any:
        while not self._events:
            self._protocol.receive_data(self._socket.recv(65_536) or None)
            self._events = list(self._protocol.events())
        return self._events.pop(0)

    def send(self, text: str) -> None:
        """Say something, which the gateway doesn't want to hear."""
        self._write(Message(data=text))

    def receive(self) -> dict[str, Any]:
        """The next envelope. Raises Closed."""
        text = ""
        while True:
            event = self._next()
            if isinstance(event, CloseConnection):
                raise Closed(event.code)
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    loaded: dict[str, Any] = json.loads(text)
                    return loaded

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def websocket(gateway: Gateway, path: str, token: str | None) -> contextlib.closing[WebSocket]:
    """A client that hangs up at the end of its `with` block; without a token its path has a ticket."""
    return contextlib.closing(WebSocket(gateway, path, token))
