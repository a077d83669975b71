"""Catching up from the log itself, for clients that missed more than this process remembers."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import amqp

from gateway.streams.entries import Payload
from gateway.streams.fanout import Fanout
from gateway.streams.positions import Position
from gateway.streams.reading import ACK_EVERY, attach, bound, is_gap, offset_of, read_message
from gateway.streams.recent import Seen
from gateway.streams.subscriber import Viewer
from services.common.amqp import BROKER_ERRORS, close_quietly, connect
from services.common.errors import Unavailable
from services.common.topology import read_epoch

SLOT_WAIT = 3.0  # seconds; within the deadline of every other request
LEG_ENTRIES = 500
LEG_BYTES = 1024 * 1024
LEG_SECONDS = 1.0
SILENCE = 3.0
# Repeats are published soon after their first copy: this far before the client's position their ids are looked at.
LOOK_BACK = 1_000
REMEMBERED = 5_000


@dataclass(frozen=True)
class Leg:
    """What the viewer sees of the log up to `offset`, beginning where the leg before ended."""

    payloads: list[Payload]
    offset: int


class TooOld(Exception):
    """The log no longer holds what comes next for the client, or is another one."""


class CatchUpReader:
    """One client's way through the log, leg by leg, and the event ids that it remembers between them."""

    def __init__(self, viewer: Viewer, after: Position, is_repeat: Callable[[str, int], bool]) -> None:
        self._viewer = viewer
        self._epoch = after.epoch
        self._reached = after.offset
        self._is_repeat = is_repeat
        self._memory = Seen(REMEMBERED)
        self._looks_back = True

    def read(self, connection: Any, floor: Callable[[], int]) -> Leg:
        """Read until the recent entries take over at `floor`, or the leg is long enough. Raises TooOld, BROKER_ERRORS."""
        if read_epoch(connection) != self._epoch:
            raise TooOld
        leg = _LegInProgress(self, connection.channel())
        attach(leg.channel, max(0, self._reached - LOOK_BACK if self._looks_back else self._reached), leg.take)
        after, began = self._reached, time.monotonic()
        heard = began
        while True:
            before = leg.received
            connection.drain_events(timeout=SILENCE)
            if leg.has_gap or (leg.first is not None and leg.first > after + 1):
                raise TooOld
            if leg.received > before:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE:
                raise TimeoutError("the event log is silent")
            took_a_while = self._reached > after and time.monotonic() - began >= LEG_SECONDS
            if self._reached >= floor() or leg.is_full or took_a_while:
                self._looks_back = False
                leg.complete = True
                return Leg(leg.payloads, self._reached)

    def examine(self, message: amqp.Message, offset: int) -> Payload | None:
        """What the viewer is to be sent of the message, if anything."""
        event, entry = read_message(message, Position(self._epoch, offset))
        is_news = offset > self._reached
        self._reached = max(self._reached, offset)
        if event is None or not self._memory.add(event.id, offset) or self._is_repeat(event.id, offset):
            return None
        return self._viewer.payload(entry) if entry is not None and is_news else None


class _LegInProgress:
    def __init__(self, reader: CatchUpReader, channel: Any) -> None:
        self.channel = channel
        self.complete = False
        self.first: int | None = None
        self.has_gap = False
        self.received = 0
        self.payloads: list[Payload] = []
        self._reader = reader
        self._size = 0
        self._before = 0

    @property
    def is_full(self) -> bool:
        return len(self.payloads) >= LEG_ENTRIES or self._size >= LEG_BYTES

    def take(self, message: amqp.Message) -> None:
        # Closing the connection still dispatches what is on its way.
        if self.complete:
            return
        offset = offset_of(message)
        if self.first is None:
            self.first = offset
        elif is_gap(self._before, offset):
            self.has_gap = True
        self._before = offset
        self.received += 1
        if self.received % ACK_EVERY == 0:
            self.channel.basic_ack(message.delivery_info["delivery_tag"], multiple=True)
            time.sleep(0)  # others have clients too
        if self.is_full:
            return
        payload = self._reader.examine(message, offset)
        if payload is not None:
            self.payloads.append(payload)
            self._size += len(payload.json)


class CatchUp:
    """The process's readers: each reads one leg for one client over a connection of its own, a few at a time.

    A leg is bounded by entries, bytes and time, and is read into memory before any of it is sent, so that a client that
    reads slowly holds neither a reader nor a connection.
    """

    def __init__(self, uri: str, fanout: Fanout, readers: int) -> None:
        self._uri = uri
        self._fanout = fanout
        self._slots = threading.BoundedSemaphore(readers)

    def reader(self, viewer: Viewer, after: Position) -> CatchUpReader:
        """The way through the log for a client that has everything up to `after`."""
        return CatchUpReader(viewer, after, self._fanout.is_repeat)

    def read(self, reader: CatchUpReader) -> Leg:
        """The next leg. Raises TooOld, or Unavailable when the broker is away or all readers are busy."""
        if not self._slots.acquire(timeout=SLOT_WAIT):
            raise Unavailable("Too many clients are catching up.", code="OVERLOADED", retry_after=2)
        connection: Any = None
        try:
            connection = connect(self._uri)
            bound(connection.connection)
            return reader.read(connection, lambda: self._fanout.floor)
        except BROKER_ERRORS as error:
            raise Unavailable("The event log is not reachable.", retry_after=2) from error
        finally:
            close_quietly(connection)
            self._slots.release()
