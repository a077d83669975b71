"""One client's stream: what it is sent, from the opening over what it missed to what happens from then on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.streams import metrics
from gateway.streams.catchup import CatchUp, CatchUpReader, Leg, TooOld
from gateway.streams.entries import Payload, ready, reset
from gateway.streams.fanout import Advance, Fanout, OtherEpoch
from gateway.streams.log import EventLog
from gateway.streams.positions import Position
from gateway.streams.subscriber import Reason, Viewer
from services.common.errors import Unavailable

HEARTBEAT_SECONDS = 15.0
# Another gateway may be ahead of this one by what the broker hasn't delivered here yet.
AHEAD_SECONDS = 2.0
WARM_SECONDS = 5.0
# About ten seconds of reading for one client; who missed more fetches faster than it would be told.
LONGEST_REPLAY = 250_000


@dataclass(frozen=True)
class Batch:
    """What to send next: payloads, or a heartbeat when there are none, with the position it vouches for if there is one."""

    payloads: list[Payload]
    position: str | None = None


class Opening:
    """Opens streams. All that can be refused is refused here, before the first byte of an answer."""

    def __init__(self, log: EventLog, fanout: Fanout, catch_up: CatchUp) -> None:
        self._log = log
        self._fanout = fanout
        self._catch_up = catch_up

    def open(self, viewer: Viewer, last_event_id: str | None) -> "ClientStream":
        """A stream that goes on after `last_event_id`, or begins at the present without one.

        Raises Unavailable while the log can't be read and is needed.
        """
        if not self._fanout.warm and not (self._log.connected and self._fanout.wait_warm(AHEAD_SECONDS)):
            raise Unavailable("The event log is not reachable yet.", retry_after=2)
        stream = ClientStream(self._fanout, self._catch_up, viewer)
        try:
            if not last_event_id:
                stream.begin()
            elif (asked := self._resumable(last_event_id)) is None:
                stream.begin(missed=True)
            else:
                stream.resume(asked)
        except BaseException:
            stream.close()
            raise
        return stream

    def _resumable(self, last_event_id: str) -> Position | None:
        asked = Position.parse(last_event_id)
        if asked is None or asked.epoch != self._fanout.position.epoch:
            return None
        if not self._fanout.wait_for(asked, AHEAD_SECONDS if self._log.connected else 0.0):
            if not self._log.connected:
                # It may well be another gateway's newest; only the log can tell.
                raise Unavailable("The event log is not reachable.", retry_after=2)
            return None
        return asked if self._fanout.position.offset - asked.offset <= LONGEST_REPLAY else None


class ClientStream:
    """Iterate over `batches` on one thread and send each, or over its `beginning` and leave the rest to a StreamWriter.

    `close` from anywhere, as often as you like.
    """

    def __init__(self, fanout: Fanout, catch_up: CatchUp, viewer: Viewer) -> None:
        self.subscriber = fanout.subscriber(viewer)
        self._fanout = fanout
        self._catch_up = catch_up
        self._viewer = viewer
        self._reader: CatchUpReader | None = None
        self._closing: list[Callable[[], None]] = []
        self._opening: list[Payload] = []
        self._at = fanout.position
        self._next: Advance | Leg | None = None  # read already, to be sent next
        self._live = False

    def begin(self, *, missed: bool = False) -> None:
        """Live from the present; `missed` tells the client that it has to fetch again."""
        self._at = self._fanout.follow(self.subscriber)
        self._live = True
        self._next = None
        # The reset comes first: were the client cut off behind a `stream.ready` with this id, it would never learn of it.
        entries = [reset, ready] if missed else [ready]
        self._opening = [make(str(self._at), self._at.offset).payloads[self._viewer.audience] for make in entries]
        if missed:
            metrics.RESUMES.labels("reset").inc()

    def resume(self, asked: Position) -> None:
        """What came after `asked`, then live. Raises Unavailable."""
        self._at = asked
        self._opening = [ready(str(asked), asked.offset).payloads[self._viewer.audience]]
        try:
            self._next = self._fanout.advance(self.subscriber, asked)
            if self._next is None:
                self._next = self._read_log()
                metrics.RESUMES.labels("stream").inc()
            else:
                metrics.RESUMES.labels("buffer").inc()
        except (TooOld, OtherEpoch):
            self.begin(missed=True)

    def batches(self) -> Iterator[Batch]:
        """What to send, until the stream ends; blocks until there is something, at most HEARTBEAT_SECONDS."""
        yield from self.beginning()
        while self.subscriber.ended is None:
            payloads = self.subscriber.take(HEARTBEAT_SECONDS)
            if payloads:
                yield Batch(payloads)
            elif self.subscriber.ended is None:
                yield Batch([], self.settled())

    def beginning(self) -> Iterator[Batch]:
        """What to send until the stream is live, or ends before."""
        yield Batch(self._opening)
        self._opening = []
        while not self._live and self.subscriber.ended is None:
            yield from self._catch_up_further()

    def settled(self) -> str | None:
        """The position up to which a live stream has given everything to be sent; None when something waits."""
        position = self._fanout.settled(self.subscriber)
        return None if position is None else str(position)

    def close(self) -> None:
        """Let go of everything."""
        self.subscriber.end(Reason.GONE)
        self._fanout.leave(self.subscriber)
        while self._closing:
            self._closing.pop()()

    def on_close(self, action: Callable[[], None]) -> None:
        """Have `action` done when the stream is closed."""
        self._closing.append(action)

    def _read_log(self) -> Leg:
        if self._reader is None:
            self._reader = self._catch_up.reader(self._viewer, self._at)
        return self._catch_up.read(self._reader)

    def _catch_up_further(self) -> Iterator[Batch]:
        """One page or leg on the way to the present.

        Live before the page is sent: what is accepted meanwhile waits in the subscriber's queue, behind the page.
        """
        step, self._next = self._next, None
        try:
            step = step or self._fanout.advance(self.subscriber, self._at)
            step = step or self._read_log()
        except (TooOld, OtherEpoch):
            yield from self._start_over()
            return
        except Unavailable:
            self.subscriber.end(Reason.BEHIND)  # the client comes again with its last id
            return
        self._at = Position(self._at.epoch, step.offset)
        self._live = isinstance(step, Advance) and step.live
        if self._live:
            self._reader = None  # and what it remembers
        if step.payloads:
            yield Batch(step.payloads)
        elif not self._live:
            yield Batch([], str(self._at))

    def _start_over(self) -> Iterator[Batch]:
        if not self._fanout.wait_warm(WARM_SECONDS):
            self.subscriber.end(Reason.BEHIND)
            return
        self.begin(missed=True)
        yield Batch(self._opening)
