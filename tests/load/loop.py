"""One thread's waiting for many sockets and for moments that are due, to the tenth of a millisecond."""

import select
import time
from collections.abc import Callable
from typing import Protocol

COARSE_SECONDS = 0.002  # epoll waits in whole milliseconds; what is due sooner is waited for by select, in microseconds
SELECTABLE = 1024  # descriptors that select can wait for are below it


class Reader(Protocol):
    """Whatever has a socket in the loop."""

    def readable(self) -> None:
        """There is something to read, be it the end."""

    def writable(self) -> None:
        """What could not be sent before may be sent."""


class Loop:
    """`step` again and again; make it before thousands of sockets, so that its own descriptor is a low one."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._readers: dict[int, Reader] = {}

    def add(self, descriptor: int, reader: Reader) -> None:
        """Tell the reader of what comes."""
        self._readers[descriptor] = reader
        self._epoll.register(descriptor, select.EPOLLIN)

    def remove(self, descriptor: int) -> None:
        """Tell nobody any more; to be called before the socket is closed."""
        if self._readers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def want_writing(self, descriptor: int, *, wanted: bool) -> None:
        """Tell the reader also when its socket takes more."""
        self._epoll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def step(self, until: float) -> None:
        """Handle what is there; when nothing is, wait for it, at most until that moment of `time.perf_counter`."""
        seconds = until - time.perf_counter()
        if seconds >= COARSE_SECONDS:
            found = self._epoll.poll(seconds - COARSE_SECONDS / 2)
        else:
            if seconds > 0 and self._epoll.fileno() < SELECTABLE:
                select.select([self._epoll], [], [], seconds)
            found = self._epoll.poll(0)
        for descriptor, events in found:
            reader = self._readers.get(descriptor)
            if reader is not None and events & select.EPOLLOUT:
                reader.writable()
            if reader is not None and events & ~select.EPOLLOUT:
                reader.readable()

    def run_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Go on until the condition holds, at most so many seconds; returns whether it held."""
        deadline = time.perf_counter() + timeout
        while not condition():
            if time.perf_counter() >= deadline:
                return False
            self.step(min(deadline, time.perf_counter() + 0.02))
        return True

    def close(self) -> None:
        """Watch nothing any more."""
        self._epoll.close()
