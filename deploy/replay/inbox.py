"""What one client's stream has shown, conversation by conversation, and waiting for the next of it."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.replay.errors import OutOfTime, Stopped, StreamBroken
from deploy.replay.sse import Event

# How soon a wait notices that the run was stopped.
_SLICE_SECONDS = 0.5


@dataclass(frozen=True)
class Arrival:
    """One event as a client saw it; `at` is in seconds of `time.perf_counter`."""

    event_id: str
    name: str
    data: dict[str, Any]
    at: float

    @property
    def seq(self) -> int | None:
        """The number of the message that this event shows; None for other events."""
        return self.data.get("seq") if self.name == "message.created" else None


class Inbox:
    """Arrivals in the order of the stream. One thread puts, many wait."""

    def __init__(self, owner: str, stop: threading.Event) -> None:
        self.owner = owner
        self.resets = 0
        self._stop = stop
        self._broken: str | None = None
        self._lanes: defaultdict[str, list[Arrival]] = defaultdict(list)
        # One condition per conversation: an event wakes only those who wait for that conversation.
        self._bells: defaultdict[str, threading.Condition] = defaultdict(threading.Condition)
        self._lock = threading.Lock()

    def put(self, event: Event, at: float) -> Arrival | None:
        """File an event under its conversation; None for one that belongs to no conversation."""
        if event.name == "reset":
            self.resets += 1
            return None
        if not event.name.startswith(("message.", "conversation.")):
            return None
        try:
            data = json.loads(event.data)
            conversation_id = str(data["conversation_id"] if "conversation_id" in data else data["id"])
        except (ValueError, KeyError, TypeError):
            self.break_off(f"{event.name} {event.id} carries no resource: {event.data[:80]!r}")
            return None
        arrival = Arrival(event.id, event.name, data, at)
        bell = self._bell(conversation_id)
        with bell:
            self._lanes[conversation_id].append(arrival)
            bell.notify_all()
        return arrival

    def break_off(self, reason: str) -> None:
        """Nothing can come any more: everyone who waits learns the reason."""
        self._broken = self._broken or reason
        with self._lock:
            bells = list(self._bells.values())
        for bell in bells:
            with bell:
                bell.notify_all()

    def wait_for(self, conversation_id: str, wanted: Callable[[Arrival], bool], what: str, timeout: float) -> Arrival:
        """The first arrival of the conversation that is `wanted`, within `timeout` seconds.

        Raises OutOfTime, StreamBroken or Stopped, which say `what` was waited for.
        """
        deadline = time.monotonic() + timeout
        bell = self._bell(conversation_id)
        with bell:
            looked_at = 0
            while True:
                lane = self._lanes[conversation_id]
                for arrival in lane[looked_at:]:
                    if wanted(arrival):
                        return arrival
                looked_at = len(lane)
                if self._broken:
                    raise StreamBroken(f"{self.owner} can't see {what}: {self._broken}")
                if self._stop.is_set():
                    raise Stopped
                left = deadline - time.monotonic()
                if left <= 0:
                    raise OutOfTime(f"{self.owner} did not see {what} within {timeout:g} s")
                bell.wait(min(left, _SLICE_SECONDS))

    def arrivals(self, conversation_id: str) -> list[Arrival]:
        """Everything seen of the conversation, in the order of the stream."""
        with self._bell(conversation_id):
            return list(self._lanes[conversation_id])

    def _bell(self, conversation_id: str) -> threading.Condition:
        with self._lock:
            return self._bells[conversation_id]


def is_message(seq: int) -> Callable[[Arrival], bool]:
    """Matches the message with this number."""
    return lambda arrival: arrival.seq == seq


def is_event(name: str) -> Callable[[Arrival], bool]:
    """Matches the events of this name."""
    return lambda arrival: arrival.name == name
