"""What names stand for: one lookup of a name at a time, whoever asks, and no crowd of dead names in the way of the others.

The system's resolver blocks and can't be stopped, so each lookup takes a real thread, of which eventlet has 20. Who may take how many is
said here: what operators configured has places of its own, and so have strangers' names that answered quickly the last time.
"""

import socket
import time
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import eventlet
import eventlet.tpool
from eventlet.event import Event
from eventlet.semaphore import Semaphore

Address = IPv4Address | IPv6Address

# Long enough for a burst, short enough for a name that moves.
KEPT_SECONDS = 5.0
# What came of a lookup that took so long, addresses or a fault, holds for a minute: the name doesn't take a thread again at once.
HUNG_SECONDS = 5.0
HUNG_KEPT_SECONDS = 60.0
# How long a name waits for a thread.
PLACE_SECONDS = 5.0
NAMES_REMEMBERED = 1_000


class LookupFailed(Exception):
    """A name has no address now. `untried`: nobody was asked, as all places were taken by other names."""

    def __init__(self, reason: str, *, untried: bool = False) -> None:
        super().__init__(reason)
        self.untried = untried


@dataclass(frozen=True)
class _Result:
    addresses: tuple[Address, ...] = ()
    error: str | None = None
    untried: bool = False
    until: float = 0.0  # when it has to be asked for again
    quick: bool = False  # the name's servers answer


class Lookups:
    """Lookups for one purpose: at most `at_once` threads, and `quick_at_once` more for names that answered quickly the last time."""

    def __init__(self, at_once: int, quick_at_once: int = 0) -> None:
        self._places = Semaphore(at_once)
        self._quick_places = Semaphore(quick_at_once) if quick_at_once else self._places
        self._running: dict[str, Event] = {}
        self._last: OrderedDict[str, _Result] = OrderedDict()

    def find(self, host: str, port: int) -> list[Address]:
        """The addresses of a name, at most a few seconds old. Waits as long as the caller lets it. Raises LookupFailed."""
        host = host.lower()
        result = self._last.get(host)
        if result is None or time.monotonic() >= result.until:
            result = self._join(host, port).wait()
        if result.error is not None:
            raise LookupFailed(result.error, untried=result.untried)
        return list(result.addresses)

    def _join(self, host: str, port: int) -> Event:
        """The running lookup of a name. It belongs to nobody: who gives up leaves it to the others."""
        running = self._running.get(host)
        if running is None:
            running = self._running[host] = Event()
            eventlet.spawn(self._run, host, port, running)
        return running

    def _run(self, host: str, port: int, running: Event) -> None:
        result = _Result(error=f"The name {host} can't be looked up.")
        try:
            result = self._ask(host, port)
        finally:
            del self._running[host]
            running.send(result)

    def _ask(self, host: str, port: int) -> _Result:
        last = self._last.get(host)
        places = self._quick_places if last is not None and last.quick else self._places
        if not places.acquire(timeout=PLACE_SECONDS):
            return _Result(error=f"Too many names are being looked up; {host} has to wait.", untried=True)
        try:
            result: _Result = eventlet.tpool.execute(_look_up_blocking, host, port)
        finally:
            places.release()
        self._last[host] = result
        self._last.move_to_end(host)
        while len(self._last) > NAMES_REMEMBERED:
            self._last.popitem(last=False)
        return result


# Together fewer than the 20 threads.
OPERATORS = Lookups(4)
STRANGERS = Lookups(6, quick_at_once=6)


def _look_up_blocking(host: str, port: int) -> _Result:
    began = time.monotonic()
    addresses: tuple[Address, ...] = ()
    error = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = tuple(ip_address(str(info[4][0]).partition("%")[0]) for info in found)
    except (OSError, ValueError) as fault:  # UnicodeError is a ValueError
        error = f"The name {host} can't be looked up: {fault}"
    ended = time.monotonic()
    if ended - began > HUNG_SECONDS:
        return _Result(addresses, error, until=ended + HUNG_KEPT_SECONDS)
    if error is not None:
        return _Result(error=error)
    return _Result(addresses, until=ended + KEPT_SECONDS, quick=True)
