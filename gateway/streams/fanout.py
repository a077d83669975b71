"""The fan-out: the one place where the log's order meets the clients that come, catch up, follow and go."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.streams import metrics
from gateway.streams.entries import Audience, Entry, Payload, reset
from gateway.streams.limits import Limits
from gateway.streams.positions import Position
from gateway.streams.recent import Recent, Seen
from gateway.streams.subscriber import Reason, Subscriber, Viewer
from services.common.envelope import Event
from services.common.times import now

PAGE = 256
REVOKED_COUNT = 10_000
USERS_COUNT = 10_000


@dataclass(frozen=True)
class Advance:
    """The next page for a client that catches up, up to `offset`; `live` when it follows the fan-out from there on."""

    payloads: list[Payload]
    offset: int
    live: bool


class OtherEpoch(Exception):
    """The log was made anew: offsets of the old one mean nothing."""


class Fanout:
    """Feeds subscribers with the log's entries.

    No gap and no repeat: offsets are totally ordered, and `accept` (position moves, entry joins the recent ones, live
    subscribers get it) and `advance` (a page of recent entries is taken and, if it was the last, the subscriber becomes live)
    exclude each other by one lock. So for a client that has everything up to offset r, `advance(r)` either gives what lies
    in (r, s] of the recent entries and leaves it behind at s, or gives all of (r, position] and registers it in the same
    step: whatever is accepted later is > position and is queued for it, whatever was accepted before was in the page. Where
    the recent entries don't reach back to r it changes nothing, and the client moves r forward by reading the log itself.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._moved = threading.Condition(threading.RLock())
        self._warm = False
        self._position = Position("", 0)
        self._recent, self._seen = self._forget(0)
        self._live: set[Subscriber] = set()
        self._agents: set[Subscriber] = set()
        self._visitors: dict[str, set[Subscriber]] = {}
        self._known: set[Subscriber] = set()
        self._revoked: OrderedDict[str, None] = OrderedDict()
        self._anonymous: dict[str, set[Subscriber]] = {}
        self._users: OrderedDict[str, None] = OrderedDict()
        self._stopped = False

    @property
    def warm(self) -> bool:
        """Whether the present log has been read up to where it ended when it was found."""
        return self._warm

    @property
    def position(self) -> Position:
        """The last place of the log that was read."""
        return self._position

    @property
    def floor(self) -> int:
        """The offset after which the recent entries are complete."""
        return self._recent.floor

    # The log's side

    def restart(self, epoch: str, floor: int) -> None:
        """Another log, or this one for the first time: everything known is forgotten, and entries come from `floor` + 1."""
        with self._moved:
            self._warm = False
            self._position = Position(epoch, max(floor, 0))
            self._recent, self._seen = self._forget(floor)

    def accept(self, offset: int, event: Event | None, entry: Entry | None) -> None:
        """The next of the log: an event, with its entry if clients see it, or something unreadable."""
        with self._moved:
            self._position = Position(self._position.epoch, offset)
            if event is not None and not self._seen.add(event.id, offset):
                metrics.REPEATS.inc()
            elif event is not None and entry is not None:
                self._recent.append(entry)
                if self._warm:
                    metrics.LAG.observe(max(0.0, (now() - event.at).total_seconds()))
                    self._deliver(entry)
            self._moved.notify_all()

    def warmed(self) -> None:
        """The end of the log has been reached: who was there before is told to fetch again, and all follow from here."""
        with self._moved:
            if self._warm:
                return
            self._warm = True
            notice = reset(str(self._position), self._position.offset)
            for subscriber in self._live:
                subscriber.replace(notice.payloads[subscriber.viewer.audience])
                metrics.RESUMES.labels("reset").inc()
            self._moved.notify_all()

    def revoke(self, session_id: str) -> None:
        """End the session's streams, also those that are just being opened."""
        with self._moved:
            self._revoked[session_id] = None
            if len(self._revoked) > REVOKED_COUNT:
                self._revoked.popitem(last=False)
            for subscriber in [one for one in self._known if one.viewer.session_id == session_id]:
                subscriber.end(Reason.REVOKED)

    def identify(self, contact_id: str) -> None:
        """The contact is a website's user: end the streams of who wasn't verified as one, also those that are just being opened."""
        with self._moved:
            self._users[contact_id] = None
            self._users.move_to_end(contact_id)
            if len(self._users) > USERS_COUNT:
                self._users.popitem(last=False)
            for subscriber in self._anonymous.get(contact_id, set()):
                subscriber.end(Reason.REVOKED)

    def is_repeat(self, event_id: str, offset: int) -> bool:
        """Whether the event stands earlier in the log, as far as is remembered."""
        with self._moved:
            return self._seen.is_repeat(event_id, offset)

    def _forget(self, floor: int) -> tuple[Recent, Seen]:
        limits = self._limits
        return Recent(floor, count=limits.recent_count, size=limits.recent_bytes), Seen(limits.seen_count)

    def _deliver(self, entry: Entry) -> None:
        for audience, group in (
            (Audience.AGENTS, self._agents),
            (Audience.VISITOR, self._visitors.get(entry.contact_id or "", set())),
        ):
            payload = entry.payloads.get(audience)
            if payload is None or not group:
                continue
            metrics.FANNED_OUT.labels(audience).inc(len(group))
            # Never waits: who has no room left is cut off, and resumes by id.
            self._drop([subscriber for subscriber in group if not subscriber.offer(payload)])

    def _drop(self, slow: Iterable[Subscriber]) -> None:
        for subscriber in slow:
            metrics.OVERFLOWS.inc()
            self._unfollow(subscriber)

    # The clients' side

    def subscriber(self, viewer: Viewer) -> Subscriber:
        """A new one, which is known: a revocation or the process's stop ends it, whatever it is doing."""
        subscriber = Subscriber(viewer, self._limits.queue_length)
        anonymous = viewer.anonymous_id
        with self._moved:
            self._known.add(subscriber)
            if anonymous is not None:
                self._anonymous.setdefault(anonymous, set()).add(subscriber)
            if self._stopped:
                subscriber.end(Reason.STOPPING)
            elif viewer.session_id in self._revoked or anonymous in self._users:
                subscriber.end(Reason.REVOKED)
        return subscriber

    def visitors(self) -> set[str]:
        """The contacts who have a stream open, live or still catching up."""
        with self._moved:
            viewers = [subscriber.viewer for subscriber in self._known]
        return {viewer.contact_id for viewer in viewers if viewer.contact_id is not None}

    def follow(self, subscriber: Subscriber) -> Position:
        """Make it live from the present position, which is returned."""
        with self._moved:
            self._register(subscriber)
            return self._position

    def advance(self, subscriber: Subscriber, after: Position) -> Advance | None:
        """The next page after what the client has; None when the recent entries don't reach back. Raises OtherEpoch."""
        with self._moved:
            if not self._warm or after.epoch != self._position.epoch:
                raise OtherEpoch
            if not self._recent.reaches(after.offset):
                return None
            payloads: list[Payload] = []
            for entry in self._recent.after(after.offset):
                payload = subscriber.viewer.payload(entry)
                if payload is not None:
                    payloads.append(payload)
                    if len(payloads) == PAGE:
                        return Advance(payloads, entry.offset, live=False)
            self._register(subscriber)
            return Advance(payloads, self._position.offset, live=True)

    def settled(self, subscriber: Subscriber) -> Position | None:
        """The position up to which a live subscriber has taken everything; None when something waits for it."""
        with self._moved:
            return self._position if self._warm and subscriber.idle else None

    def wait_for(self, position: Position, timeout: float) -> bool:
        """Wait until that much of the log has been read."""
        deadline = time.monotonic() + timeout
        with self._moved:
            while self._position.epoch == position.epoch and self._position.offset < position.offset:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._stopped or not self._moved.wait(remaining):
                    break
            return self._position.epoch == position.epoch and self._position.offset >= position.offset

    def wait_warm(self, timeout: float) -> bool:
        """Wait until the present log has been read to its end."""
        with self._moved:
            return self._moved.wait_for(lambda: self._warm or self._stopped, timeout) and self._warm

    def leave(self, subscriber: Subscriber) -> None:
        """Forget it."""
        with self._moved:
            self._known.discard(subscriber)
            _take_out(self._anonymous, subscriber.viewer.anonymous_id or "", subscriber)
            self._unfollow(subscriber)
            if self._stopped:
                self._moved.notify_all()

    def wait_empty(self, timeout: float) -> bool:
        """Wait until nobody is known any more."""
        with self._moved:
            return self._moved.wait_for(lambda: not self._known, timeout)

    def stop(self) -> None:
        """End every stream, and those that would be opened now."""
        with self._moved:
            self._stopped = True
            for subscriber in list(self._known):
                subscriber.end(Reason.STOPPING)
            self._moved.notify_all()

    def _register(self, subscriber: Subscriber) -> None:
        self._live.add(subscriber)
        if subscriber.viewer.audience is Audience.AGENTS:
            self._agents.add(subscriber)
        else:
            self._visitors.setdefault(subscriber.viewer.contact_id or "", set()).add(subscriber)

    def _unfollow(self, subscriber: Subscriber) -> None:
        self._live.discard(subscriber)
        self._agents.discard(subscriber)
        _take_out(self._visitors, subscriber.viewer.contact_id or "", subscriber)


def _take_out(groups: dict[str, set[Subscriber]], key: str, subscriber: Subscriber) -> None:
    group = groups.get(key)
    if group is not None:
        group.discard(subscriber)
        if not group:
            del groups[key]
