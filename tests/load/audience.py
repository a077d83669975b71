"""Thousands of open streams, read by the load's own thread: what they get is counted, and kept only where it is asked for."""

import resource
import time
from collections.abc import Iterable

import orjson

from tests.load.stream import Stream
from tests.load.wire import Wire

SPARE = 1_000  # descriptors of a process that are no streams
AT_ONCE = 64
OPENING_SECONDS = 300.0
MESSAGE = b"message.created"


def allow_streams(count: int) -> str:
    """Let this process, and those it starts from now on, have so many streams open; returns why that can't be, or nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + SPARE
    if hard != resource.RLIM_INFINITY and hard < needed:
        return f"{count:,} streams need {needed:,} open files in one process, and this machine's hard limit is {hard:,}"
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return ""


class Listener(Stream):
    """One stream of an audience. Of the messages only their moments are kept, and by whom each is had if that is asked for."""

    def __init__(self, audience: "Audience", asking: bytes) -> None:
        super().__init__(asking)
        self._audience = audience

    def take(self, moment: float, name: bytes, event_id: bytes, data: bytes) -> None:
        """Count it."""
        if name == MESSAGE:
            self._audience.heard(moment, data)


class Audience:
    """Streams over one wire that grow in number."""

    def __init__(self, wire: Wire, *, told_apart: bool = False) -> None:
        """Take `told_apart` to know when each message arrived by its id, where each is for one stream."""
        self.size = 0
        self.moments: list[float] = []
        self.by_id: dict[str, float] = {}
        self._wire = wire
        self._told_apart = told_apart

    def grow(self, requests: Iterable[bytes]) -> tuple[float, list[float]]:
        """Open one stream for each; the seconds that all took together, and those that each took. Raises RuntimeError."""
        streams = [Listener(self, asking) for asking in requests]
        began = time.perf_counter()
        self._wire.attach(streams, timeout=OPENING_SECONDS, at_once=AT_ONCE)
        spent = time.perf_counter() - began
        self.size += len(streams)
        return spent, [stream.opened - stream.begun for stream in streams]

    def forget(self) -> None:
        """What was heard until now."""
        self.moments.clear()
        self.by_id.clear()

    def heard(self, moment: float, data: bytes) -> None:
        """A message has arrived on one of the streams."""
        self.moments.append(moment)
        if self._told_apart:
            self.by_id.setdefault(orjson.loads(data)["id"], moment)
