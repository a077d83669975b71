"""Server-Sent Events, parsed from bytes as they arrive (WHATWG HTML, section 9.2.6 "Interpreting an event stream")."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Event:
    """One dispatched event."""

    id: str
    name: str
    data: str


@dataclass
class Parser:
    """The state of one connection; a reconnecting client hands its `last_event_id` on to the next one."""

    last_event_id: str = ""
    retry_seconds: float | None = None
    comments: int = 0
    _pending: bytes = b""
    _started: bool = False
    _after_return: bool = False
    _id: str = field(init=False)
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._id = self.last_event_id

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that `chunk` completes; a chunk may end anywhere, even inside a character.

        An event without its closing blank line is never dispatched, and its id does not count as seen.
        """
        self._pending += chunk
        if not self._started:
            if len(self._pending) < len(_BOM) and _BOM.startswith(self._pending):
                return
            self._pending = self._pending.removeprefix(_BOM)
            self._started = True
        while (line := self._next_line()) is not None:
            if line:
                self._take_field(line.decode(errors="replace"))
            elif (event := self._dispatch()) is not None:
                yield event

    def _next_line(self) -> bytes | None:
        # A carriage return ends its line at once; the line feed that may follow belongs to it, even in the next chunk.
        if self._after_return and self._pending:
            self._pending = self._pending.removeprefix(b"\n")
            self._after_return = False
        ends = [at for at in (self._pending.find(b"\n"), self._pending.find(b"\r")) if at >= 0]
        if not ends:
            return None
        line, rest = self._pending[: min(ends)], self._pending[min(ends) :]
        self._after_return = rest[:1] == b"\r"
        self._pending = rest[1:]
        return line

    def _take_field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            self.comments += 1
        elif name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_seconds = int(value) / 1000

    def _dispatch(self) -> Event | None:
        # A block of an id alone moves the position without an event: how a server names the start of a stream.
        self.last_event_id = self._id
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        return Event(self._id, name, "\n".join(data)) if data else None
