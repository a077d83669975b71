"""An event stream that the load's own thread reads beside its requests: when did which event arrive."""

import socket
import time
from dataclasses import dataclass

from tests.load.loop import Loop
from tests.load.sockets import connect

READ_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Arrived:
    """One event; the moment, of `time.perf_counter`, is when it had been read from the socket."""

    moment: float
    name: bytes
    id: bytes
    data: bytes


class Stream:
    """A client of `/v1/events` or `/v1/widget/events`. Keeps all events; override `take` to keep less.

    Tests and replay have parsers of any stream there can be; here blocks are the gateway's own, in chunks of HTTP/1.1 or plain until
    the end, and what reading costs is taken from the product.
    """

    def __init__(self, asking: bytes) -> None:
        """`asking` is the whole request that opens it."""
        self.opened = 0.0  # when its first event was there
        self.begun = 0.0
        self.fault = ""
        self.events: list[Arrived] = []
        self._asking = asking
        self._loop: Loop | None = None
        self._socket: socket.socket | None = None
        self._pending = b""
        self._answered = False
        self._chunked = False
        self._blocks = b""

    def take(self, moment: float, name: bytes, event_id: bytes, data: bytes) -> None:
        """Called with every event but heartbeats; the first is `stream.ready`."""
        self.events.append(Arrived(moment, name, event_id, data))

    def open(self, loop: Loop, address: tuple[str, int]) -> None:
        """Ask for it; what comes is read as the loop is stepped."""
        self.begun = time.perf_counter()
        try:
            self._socket = connect(address)
            self._socket.send(self._asking)
        except OSError as error:
            self._end(f"{type(error).__name__}: {error}")
            return
        self._loop = loop
        loop.add(self._socket.fileno(), self)

    def close(self) -> None:
        """Hang up."""
        self._end("")

    def writable(self) -> None:
        """Nothing is ever left to be sent."""

    def readable(self) -> None:
        """Read what is there."""
        if self._socket is None:
            return
        try:
            chunk = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(f"{type(error).__name__}: {error}")
            return
        moment = time.perf_counter()
        if not chunk:
            self._end("the stream ended")
            return
        self._pending = self._pending + chunk if self._pending else chunk
        if self._answered or self._take_head():
            self._take_body()
            *blocks, self._blocks = self._blocks.split(b"\n\n")
            for block in blocks:
                self._take_block(moment, block)

    def _take_head(self) -> bool:
        head, found, rest = self._pending.partition(b"\r\n\r\n")
        if not found:
            return False
        if head[9:12] != b"200":
            self._end(f"answered {head[9:12].decode()}")
            return False
        self._answered, self._pending = True, rest
        self._chunked = b"\r\ntransfer-encoding: chunked" in head.lower()
        return True

    def _take_body(self) -> None:
        """RFC 9112, 7.1: a chunk is its length in hexadecimal digits and the bytes, each followed by a line's end."""
        if not self._chunked:
            self._blocks, self._pending = self._blocks + self._pending, b""
            return
        pending, at = self._pending, 0
        while (line := pending.find(b"\r\n", at)) >= 0:
            length = int(pending[at:line], 16)
            if length == 0:
                self._end("the stream ended")
                return
            begin = line + 2
            if len(pending) < begin + length + 2:
                break
            self._blocks += pending[begin : begin + length]
            at = begin + length + 2
        self._pending = pending[at:]

    def _take_block(self, moment: float, block: bytes) -> None:
        if not block.startswith(b"id: ") or len(lines := block.split(b"\n", 2)) < 3:
            return  # the opening, a heartbeat
        if not self.opened:
            self.opened = moment
        self.take(moment, lines[1][7:], lines[0][4:], lines[2][6:])  # event: , id: , data:

    def _end(self, fault: str) -> None:
        if fault and not self.fault:
            self.fault = fault
        if self._socket is not None:
            if self._loop is not None:
                self._loop.remove(self._socket.fileno())
            self._socket.close()
            self._socket = None
