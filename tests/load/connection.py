"""One kept connection of the load, parsing as little of HTTP/1.1 as the gateway's answers need."""

import re
import socket
import time
from collections.abc import Callable

from tests.load.exchange import Exchange
from tests.load.loop import Loop
from tests.load.sockets import connect

READ_BYTES = 65_536
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
WITHOUT_BODY = frozenset({204, 304})


class Connection:
    """One kept connection with at most one exchange at a time; made anew when the other side has closed it."""

    __slots__ = ("_address", "_answer", "_done", "_exchange", "_loop", "_rest", "_socket")

    def __init__(self, loop: Loop, address: tuple[str, int]) -> None:
        self._loop = loop
        self._address = address
        self._socket: socket.socket | None = None
        self._exchange: Exchange | None = None
        self._done: Callable[[Connection, Exchange], None] | None = None
        self._answer = b""
        self._rest = b""

    def send(self, exchange: Exchange, data: bytes, done: Callable[["Connection", Exchange], None]) -> None:
        """Begin the exchange; `done` is called with it once it has an answer or a fault."""
        self._exchange, self._done, self._answer = exchange, done, b""
        try:
            if self._socket is None:
                self._socket = connect(self._address)
                self._loop.add(self._socket.fileno(), self)
            sent = self._socket.send(data)
        except OSError as error:
            self._fail(error)
            return
        if sent < len(data):
            self._rest = data[sent:]
            self._loop.want_writing(self._socket.fileno(), wanted=True)

    def writable(self) -> None:
        """Send the rest of a long request."""
        if self._socket is None:
            return
        try:
            self._rest = self._rest[self._socket.send(self._rest) :]
        except OSError as error:
            self._fail(error)
            return
        if not self._rest:
            self._loop.want_writing(self._socket.fileno(), wanted=False)

    def readable(self) -> None:
        """Read what is there; a whole answer ends the exchange."""
        if self._socket is None:
            return
        try:
            chunk = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)
            return
        if not chunk:
            self._fail(ConnectionError("the connection was closed"))
            return
        self._answer = self._answer + chunk if self._answer else chunk
        self._parse()

    def give_up(self, reason: str) -> None:
        """Hang up when an exchange is still under way, so that its late answer isn't taken for another's."""
        if self._exchange is not None:
            self._fail(TimeoutError(reason), reason)

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._loop.remove(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _parse(self) -> None:
        answer = self._answer
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            return
        status = int(answer[9:12])
        length = LENGTH.search(answer, 0, end)
        if length is None and status not in WITHOUT_BODY:
            self._fail(ValueError("the answer has no length"), f"answered {status} without Content-Length")
            return
        if len(answer) - end - 4 < (int(length[1]) if length else 0):
            return
        exchange, done = self._exchange, self._done
        self._exchange = None
        if exchange is None or done is None:
            self.close()  # an answer that nobody asked for
            return
        exchange.answered = time.perf_counter()
        exchange.status, exchange.body = status, answer[end + 4 :]
        if not 200 <= status < 300:
            exchange.fault = f"answered {status}"
        done(self, exchange)

    def _fail(self, error: Exception, reason: str | None = None) -> None:
        self.close()
        self._rest = b""
        exchange, self._exchange = self._exchange, None
        if exchange is not None and self._done is not None:
            exchange.fault = reason or f"{type(error).__name__}: {error}"[:200]
            self._done(self, exchange)
