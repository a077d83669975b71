"""What travels on a stream: entries, encoded once for all who get them, as Server-Sent Events and as WebSocket text.

Server-Sent Events: WHATWG HTML, 9.2. A block that holds only an `id` moves the client's last event id without an event.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.common.wire import encode

RETRY_MILLISECONDS = 1000
OPENING = f": foyer\nretry: {RETRY_MILLISECONDS}\n\n".encode()
CHUNKED_END = b"0\r\n\r\n"


class Audience(StrEnum):
    """Who reads a stream."""

    AGENTS = "agents"
    VISITOR = "visitor"


@dataclass(slots=True)
class Payload:
    """One event's data for one audience."""

    id: str
    name: str
    json: bytes
    _sse: bytes | None = None
    _text: str | None = None
    _chunk: bytes | None = None

    def sse(self) -> bytes:
        """The block of an event stream. JSON holds no line breaks, so one data line is enough."""
        if self._sse is None:
            self._sse = b"id: %b\nevent: %b\ndata: %b\n\n" % (self.id.encode(), self.name.encode(), self.json)
        return self._sse

    def chunk(self) -> bytes:
        """The block as it travels in a chunked response."""
        if self._chunk is None:
            self._chunk = chunk(self.sse())
            self._sse = None  # most streams are sent chunks, and the recent entries keep one of the two
        return self._chunk

    def text(self) -> str:
        """The WebSocket message `{"id", "event", "data"}`."""
        if self._text is None:
            self._text = f'{{"id":"{self.id}","event":"{self.name}","data":{self.json.decode()}}}'
        return self._text


@dataclass(slots=True)
class Entry:
    """One event of the log, ready to be sent to those whom it concerns."""

    offset: int
    payloads: dict[Audience, Payload]
    contact_id: str | None = None
    cost: int = field(init=False)  # bytes that it may come to occupy, both encodings made

    def __post_init__(self) -> None:
        self.cost = 600 + 3 * sum(len(payload.json) for payload in self.payloads.values())


def control(name: str, position: str, offset: int, data: dict[str, Any]) -> Entry:
    """An entry that the gateway itself makes, for either audience."""
    payload = Payload(position, name, encode(data))
    return Entry(offset, dict.fromkeys(Audience, payload))


def ready(position: str, offset: int) -> Entry:
    """What every stream begins with: an id to resume from, should the client be cut off before its first event."""
    return control("stream.ready", position, offset, {"position": position})


def reset(position: str, offset: int) -> Entry:
    """What was missed can't be told: fetch again, then apply what follows."""
    return control("reset", position, offset, {"position": position})


def chunk(block: bytes) -> bytes:
    """The block as one chunk of a response (RFC 9112, 7.1)."""
    return b"%X\r\n%b\r\n" % (len(block), block)


def sse_heartbeat(position: str | None) -> bytes:
    """A comment, with the id up to which the client now has everything when that is known."""
    return b": heartbeat\n\n" if position is None else b": heartbeat\nid: %b\n\n" % position.encode()


def websocket_heartbeat(position: str) -> str:
    """The same for a WebSocket, whose pings carry no id."""
    return f'{{"id":"{position}","event":"stream.heartbeat","data":{{"position":"{position}"}}}}'
