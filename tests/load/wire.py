"""Drives the load: one thread, one epoll, kept connections and requests that were made beforehand.

The load shares the machine with the product, so a request must cost it next to nothing (0.05 ms of a processor): an HTTP client
of the usual kind would take more than the gateway does. Two ways to drive: *closed*, where each sender sends its next request when
the last is answered, which finds the most that is held; and *open*, where requests are sent when they are due whatever became of
the others, which finds how long people wait.
"""

import gc
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from tests.load.connection import Connection
from tests.load.exchange import Exchange, Load
from tests.load.loop import Loop
from tests.load.stream import Stream

START_SECONDS = 0.05  # from the call to the first moment that is due
ANSWER_SECONDS = 15.0


class Wire:
    """Connections to one gateway or, in turn, to several; and the streams that are read beside them by the same thread."""

    def __init__(self, urls: str | Sequence[str], connections: int) -> None:
        self.loop = Loop()
        self._addresses = [_address(url) for url in ([urls] if isinstance(urls, str) else urls)]
        self._streams: list[Stream] = []
        self._connections = [
            Connection(self.loop, self._addresses[number % len(self._addresses)]) for number in range(connections)
        ]

    def closed(self, senders: Sequence[Iterator[bytes]], seconds: float, *, timeout: float = ANSWER_SECONDS) -> Load:
        """Each sender has a connection and sends its next request when the last is answered, for so many seconds.

        A sender ends with its iterator or at its first fault. Give the same iterators again to go on, so a first short run warms up.
        """
        if len(senders) > len(self._connections):
            raise ValueError(f"{len(senders)} senders need as many connections; there are {len(self._connections)}")
        exchanges: list[Exchange] = []
        waiting = 0
        began = end = 0.0

        def go_on(connection: Connection, exchange: Exchange) -> None:
            nonlocal waiting
            waiting -= 1
            if not exchange.fault:
                begin(connection, exchange.number)

        def begin(connection: Connection, number: int) -> None:
            nonlocal waiting
            moment = time.perf_counter()
            data = next(senders[number], None) if moment < end else None
            if data is None:
                return
            waiting += 1
            exchange = Exchange(number, moment, moment)
            exchanges.append(exchange)
            connection.send(exchange, data, go_on)

        gc.collect()
        with undisturbed():
            began = time.perf_counter()
            end = began + seconds
            for number, connection in enumerate(self._connections[: len(senders)]):
                begin(connection, number)
            while waiting and time.perf_counter() < end + timeout:
                self.loop.step(time.perf_counter() + 0.1)
        self._give_up(timeout)
        last = max((exchange.answered for exchange in exchanges), default=began)
        return Load(exchanges, began, min(end, last) - began)

    def open(self, schedule: Sequence[tuple[float, bytes]], *, timeout: float = ANSWER_SECONDS) -> Load:
        """Each request is sent so many seconds after the beginning, over any connection that is free; ascending."""
        gc.collect()  # before the first is due
        began = time.perf_counter() + START_SECONDS
        exchanges = [Exchange(number, began + due) for number, (due, _) in enumerate(schedule)]
        free = deque(self._connections)
        line = 0  # the next of the schedule
        last = exchanges[-1].due if exchanges else began

        def release(connection: Connection, _: Exchange) -> None:
            free.append(connection)

        with undisturbed():
            while line < len(exchanges) or len(free) < len(self._connections):
                moment = time.perf_counter()
                while line < len(exchanges) and free and exchanges[line].due <= moment:
                    exchange = exchanges[line]
                    exchange.begun = moment = time.perf_counter()
                    free.popleft().send(exchange, schedule[line][1], release)
                    line += 1
                if moment > last + timeout:
                    break
                due = exchanges[line].due if line < len(exchanges) and free else moment + 0.05
                self.loop.step(min(due, moment + 0.05))
        self._give_up(timeout)
        for exchange in exchanges[line:]:
            exchange.fault = "never sent: no connection was free"
        return Load(exchanges, began, last - began)

    def attach(self, streams: Iterable[Stream], *, timeout: float = 60.0, at_once: int = 64) -> None:
        """Open these streams, few at a time, and read them from now on. Raises RuntimeError unless each begins in time."""
        added = list(streams)
        self._streams += added
        deadline = time.perf_counter() + timeout
        opening: list[Stream] = []
        for number, stream in enumerate(added):
            stream.open(self.loop, self._addresses[number % len(self._addresses)])
            opening.append(stream)
            while len(opening) >= at_once and time.perf_counter() < deadline:
                self.loop.step(time.perf_counter() + 0.02)
                opening = [each for each in opening if not each.opened and not each.fault]
        self.loop.run_until(lambda: all(each.opened or each.fault for each in opening), deadline - time.perf_counter())
        failed = [each.fault or "no beginning in time" for each in added if not each.opened or each.fault]
        if failed:
            raise RuntimeError(f"{len(failed)} of {len(added)} streams did not open: {failed[0]}")

    def detach(self) -> list[str]:
        """Hang up all streams; returns why some had ended before."""
        faults = [f"a stream broke: {stream.fault}" for stream in self._streams if stream.fault]
        while self._streams:
            self._streams.pop().close()
        return faults

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Read the streams until the condition holds, at most so many seconds; returns whether it held."""
        return self.loop.run_until(condition, timeout)

    def close(self) -> None:
        """Hang up everything."""
        self.detach()
        for connection in self._connections:
            connection.close()
        self.loop.close()

    def _give_up(self, timeout: float) -> None:
        for connection in self._connections:
            connection.give_up(f"no answer within {timeout:g} s")


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection meanwhile: a look at some 100,000 kept exchanges would be a pause in everybody's latency."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)
