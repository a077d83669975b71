"""The event log as this process follows it: read once, from a bounded distance behind its end, into the fan-out."""

import threading
import time
from functools import partial
from typing import Any, Protocol

import amqp

from gateway.streams import metrics
from gateway.streams.catalogue import OF_CONTACTS, SESSION_REVOKED
from gateway.streams.fanout import Fanout
from gateway.streams.limits import Limits
from gateway.streams.positions import Position
from gateway.streams.reading import ACK_EVERY, attach, bound, find_end, is_gap, offset_of, read_message
from services.common.consuming import ConsumerLoop
from services.common.envelope import Event
from services.common.logs import get_logger
from services.common.settings import Settings
from services.common.topology import declare, read_epoch

log = get_logger(__name__)


class Revoked(Protocol):
    """Where the ids of revoked sessions go."""

    def add(self, session_id: str, /) -> object:
        """Refuse the session's tokens from now on."""


class EventLog:
    """Follows `foyer.events` on a thread of its own for as long as it runs.

    At first, and whenever the log turns out to be another one, it finds the end E, reads from E - `limits.warm_up` and is warm when it
    has read E. After a lost link it attaches at the last offset that it has read, not behind it: the broker then has to
    deliver that very message again, which proves that the log is the same and that nothing in between has been lost. If it
    doesn't (another epoch, a log cut short or expired up to there) everything begins anew and the clients are told to.
    """

    def __init__(self, settings: Settings, fanout: Fanout, revoked: Revoked, limits: Limits) -> None:
        self._settings = settings
        self._fanout = fanout
        self._revoked = revoked
        self._warm_up = limits.warm_up
        self._loop = ConsumerLoop(settings.amqp_uri, "event_log", self._consume, lost=self._lost, idle=self._idle)
        self._thread = threading.Thread(target=self._loop.run, name="event-log", daemon=True)
        self._epoch = ""
        self._last: tuple[int, str | None] | None = None  # offset and message id
        self._proof: tuple[int, str | None] | None = None  # what the next message must be
        self._from = 0
        self._end = 0
        self._channel: Any = None
        self._unacknowledged: tuple[int, int] = (0, 0)  # how many, and the last one's tag

    @property
    def connected(self) -> bool:
        """Whether the log is being followed now."""
        return self._loop.ready.is_set()

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self, timeout: float = 1.5) -> None:
        """Close the link; an idle one notices within a second."""
        self._loop.close(timeout)

    def _consume(self, channel: Any) -> None:
        connection = channel.connection
        bound(connection)
        declare(connection, self._settings)
        epoch = read_epoch(connection)
        end = find_end(connection)
        self._unacknowledged = (0, 0)
        if self._last is not None and (epoch != self._epoch or end < self._last[0]):
            log.warning("event_log_is_another", epoch=epoch, end=end, last=self._last[0])
            self._last = None
        self._proof = self._last
        self._epoch, self._end = epoch, end
        if self._last is None:
            self._from = max(0, end - self._warm_up)
            self._fanout.restart(epoch, self._from)
        else:
            self._from = self._last[0]
        self._channel = channel
        attach(channel, self._from, partial(self._handle, channel))
        metrics.CONNECTED.set(1)
        log.info("event_log_followed", epoch=epoch, offset=self._from, end=end)

    def _handle(self, channel: Any, message: amqp.Message) -> None:
        if channel is not self._channel:  # given up, and only draining
            return
        offset = offset_of(message)
        if offset >= self._from:
            self._read(offset, message)
        count = self._unacknowledged[0] + 1
        self._unacknowledged = (count, message.delivery_info["delivery_tag"])
        if count >= ACK_EVERY:
            self._acknowledge(channel)
            # A burst that is already in the socket would otherwise be read without a pause, and the clients' queues fill
            # before their threads get to run.
            time.sleep(0)

    def _read(self, offset: int, message: amqp.Message) -> None:
        this = (offset, message.properties.get("message_id"))
        proof, self._proof = self._proof, None
        if proof is not None:
            if proof != this:
                self._last = self._channel = None
                raise ConnectionError(f"the event log goes on at {this}, not at {proof}")
            return
        if self._last is None:  # the log may begin later than where it was to be read from
            self._fanout.restart(self._epoch, offset - 1)
        elif is_gap(self._last[0], offset):
            log.error("event_log_overtaken", last=self._last[0], offset=offset)
            self._fanout.restart(self._epoch, offset - 1)
        event, entry = read_message(message, Position(self._epoch, offset))
        if event is not None and (event.source, event.type) == SESSION_REVOKED:
            self._revoke(event)
        elif event is not None and (event.source, event.type) in OF_CONTACTS:
            self._identify(event)
        self._last = this
        self._fanout.accept(offset, event, entry)
        if offset >= self._end:
            self._fanout.warmed()

    def _revoke(self, event: Event) -> None:
        session_id = event.data.get("session_id")
        if isinstance(session_id, str):
            self._revoked.add(session_id)
            self._fanout.revoke(session_id)

    def _identify(self, event: Event) -> None:
        contact_id = event.data.get("id")
        if isinstance(contact_id, str) and event.data.get("external_id") is not None:
            self._fanout.identify(contact_id)

    def _acknowledge(self, channel: Any) -> None:
        count, tag = self._unacknowledged
        if count:
            self._unacknowledged = (0, tag)
            self._loop.ack(channel, tag, multiple=True)

    def _idle(self) -> None:
        self._acknowledge(self._channel)

    def _lost(self) -> None:
        metrics.CONNECTED.set(0)
