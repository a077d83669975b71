"""A relay between processes and a server that passes everything in order, but late: what is sent to the server waits as long as a test says."""

import asyncio
import random
import threading
from collections import deque
from collections.abc import Coroutine
from typing import Any, Self, TypeVar, cast

R = TypeVar("R")


class SlowRelay:
    """Listens on `port` and passes bytes to and from a port of 127.0.0.1; use it as a context, or `start` and `stop` it.

    An exchange of a question and an answer becomes later by one delay: answers pass at once.
    """

    def __init__(self, target: int, *, seed: int = 0) -> None:
        self._target = target
        self._random = random.Random(seed)
        self._range = (0.0, 0.0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow-relay", daemon=True)
        self._servers: list[asyncio.Server] = []
        self.sides: set[_Side] = set()
        self.passed = 0  # pieces
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self._servers = [self._run(self._loop.create_server(lambda: _Side(self), "127.0.0.1", 0))]
        self.port = self._servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        """End it with all its connections."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def delay(self, shortest: float, longest: float) -> None:
        """From now on have each piece that is sent to the server wait for a time between these, in seconds."""
        self._range = (shortest, longest)

    def hurry(self) -> None:
        """Pass everything at once again; what waits already still comes in its order."""
        self._range = (0.0, 0.0)

    async def reach(self, near: "_Side") -> None:
        """Connect to the server for a side that was accepted, or hang up on it."""
        try:
            await self._loop.create_connection(lambda: _Side(self, near), "127.0.0.1", self._target)
        except OSError:
            near.close()

    def draw(self) -> float:
        """How long the next piece waits."""
        shortest, longest = self._range
        return self._random.uniform(shortest, longest) if longest else 0.0

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for side in list(self.sides):
            side.abort()

    def _run(self, work: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class _Side(asyncio.Protocol):
    """One end of a relayed connection: the process's, or the server's, which has a process's as its `other` from the beginning."""

    def __init__(self, relay: SlowRelay, other: "_Side | None" = None) -> None:
        self._relay = relay
        self._other = other
        self._is_servers = other is not None
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[bytes] = deque()  # for the other side to be there
        self._held: deque[bytes | None] = deque()  # until they are due; None is the end
        self._due = 0.0
        self._connecting: asyncio.Task[Any] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._relay.sides.add(self)
        loop = asyncio.get_running_loop()
        if self._other is None:
            self._connecting = loop.create_task(self._relay.reach(self))
        else:
            self._other.meet(self)

    def meet(self, other: "_Side") -> None:
        """The server's side is there."""
        self._other = other
        while self._waiting:
            other.write(self._waiting.popleft())
        if self not in self._relay.sides:  # hung up meanwhile
            other.close()

    def data_received(self, data: bytes) -> None:
        delay = 0.0 if self._is_servers else self._relay.draw()
        self._relay.passed += 1
        if delay == 0.0 and not self._held:
            self._pass(data)
            return
        self._later(delay, data)

    def _later(self, delay: float, data: bytes | None) -> None:
        # Whatever is due takes the oldest: two that are due at the same moment are called in no order.
        loop = asyncio.get_running_loop()
        self._due = max(self._due, loop.time() + delay)
        self._held.append(data)
        loop.call_at(self._due, lambda: self._pass(self._held.popleft()))

    def _pass(self, data: bytes | None) -> None:
        if data is None:
            if self._other is not None:
                self._other.close()
        elif self._other is None:
            self._waiting.append(data)
        else:
            self._other.write(data)

    def write(self, data: bytes) -> None:
        """Send to this end."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._relay.sides.discard(self)
        self._later(0.0, None)

    def close(self) -> None:
        """End it behind what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()
