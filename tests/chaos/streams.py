"""A client's event stream that goes to another gateway with the last id it saw whenever it ends, and writes down all it is shown."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable
from typing import Any

import orjson

from deploy.replay.sse import Event, Parser
from gateway.streams.positions import Position
from tests.chaos.clients import Caller
from tests.chaos.history import HONEST, Arrival, Seen

# Heartbeats come every 15 s.
SILENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.2


class Stream:
    """Reads `path` on a thread of its own from `open` to `close`. `heard` is called with every event's name and data."""

    def __init__(
        self,
        caller: Caller,
        path: str,
        seen: Seen,
        *,
        token: Callable[[], str],
        renew: Callable[[str], object],
        heard: Callable[[str, dict[str, Any]], None],
        first: int = 0,
    ) -> None:
        self.seen = seen
        self._caller = caller
        self._path = path
        self._token = token
        self._renew = renew
        self._heard = heard
        self._turn = first  # the number of the gateway that is next
        self._parser = Parser()
        self._opened = threading.Event()
        self._closing = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"stream of {seen.owner}", daemon=True)

    def open(self, timeout: float = 60.0) -> None:
        """Return once the stream has named its position. Raises TimeoutError."""
        self._thread.start()
        if not self._opened.wait(timeout):
            self.close()
            raise TimeoutError(f"the stream of {self.seen.owner} did not open within {timeout:g} s")

    def close(self) -> None:
        """Hang up."""
        self.seen.closed = True
        self._closing.set()
        sock = self._socket
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def _run(self) -> None:
        while not (self._closing.is_set() or self._caller.ending.is_set()):
            with contextlib.suppress(http.client.HTTPException, OSError):
                self._listen()
            self._turn += 1
            self._closing.wait(PAUSE_SECONDS)

    def _listen(self) -> None:
        url = self._caller.urls[self._turn % len(self._caller.urls)]
        token, last = self._token(), self._parser.last_event_id
        headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last} if last else {})
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=SILENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", self._path, headers=headers)
            self._socket = connection.sock
            response = connection.getresponse()
            if response.status == 401:
                self._renew(token)
            if response.status != 200:
                if response.status not in HONEST | {401}:
                    self._caller.history.complain(f"GET {self._path} answered {response.status}: {response.read(500)!r}")
                return
            self.seen.connections += 1
            self._parser = Parser(last)
            while not self._closing.is_set() and (chunk := response.read1(65_536)):
                for event in self._parser.feed(chunk):
                    self._take(event)

    def _take(self, event: Event) -> None:
        data = orjson.loads(event.data)
        if event.name == "stream.ready":
            if not self._opened.is_set():
                position = Position.parse(event.id)
                assert position is not None, event
                self.seen.began = (position.epoch, position.offset)
            self._opened.set()
        elif event.name != "reset":
            self._caller.history.arrive(self.seen, to_arrival(event.id, event.name, data))
        else:
            self.seen.resets += 1
        self._heard(event.name, data)


def to_arrival(event_id: str, name: str, data: dict[str, Any]) -> Arrival:
    """What is kept of an event."""
    position = Position.parse(event_id)
    assert position is not None, event_id
    conversation_id = data.get("conversation_id") or ""
    if name == "message.created":
        return Arrival(position.epoch, position.offset, name, data["id"], 0, conversation_id, data["seq"], data["text"])
    if name.startswith("conversation.") and name != "conversation.typing":
        conversation_id = data["id"]
    entity_id = data.get("id") or conversation_id
    return Arrival(position.epoch, position.offset, name, entity_id, data.get("version") or 0, conversation_id)
