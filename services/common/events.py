"""The event entrypoint: every event of a service's subscriptions handled at least once, or put aside with its reason.

Attempts that fail because the database is away are repeated until it is back. Others are repeated a few times with growing
pauses; then the event goes to the dead-letter queue, from where an operator replays it. Handlers must be idempotent.
A service takes events over a link and prefetch of their own, so that a flood of them leaves its calls their workers.
"""

import struct
from collections.abc import Mapping
from functools import partial
from typing import Any

import eventlet
from amqp.serialization import dumps
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, SharedExtension

from services.common import metrics
from services.common.amqp import BROKER_ERRORS, PERSISTENT, Outgoing, Publisher, Unroutable
from services.common.consuming import ConsumerLoop
from services.common.envelope import Event
from services.common.errors import Unavailable
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.redaction import redact
from services.common.settings import Settings
from services.common.times import now
from services.common.topology import DEAD_LETTER_EXCHANGE, RETIRED, declare, event_queue
from services.common.wire import Undecodable

log = get_logger(__name__)

EVENT_WORKERS = 10
ATTEMPTS = 5
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 3.0
LONGEST_HEADERS = 64 * 1024  # bytes; a frame holds 128 kB
NOT_WRITTEN: tuple[type[Exception], ...] = (*BROKER_ERRORS, ValueError, TypeError, struct.error)
PUBLISH_ERRORS: tuple[type[Exception], ...] = (*BROKER_ERRORS, Unroutable)


class EventConsumer(SharedExtension):
    """The link of a service's event queue, shared by its subscriptions."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: dict[tuple[str, str], Subscription] = {}
        self._loop: ConsumerLoop | None = None
        self._ending = False

    def setup(self) -> None:
        """Prepare the link."""
        settings: Settings = self.container.config["settings"]
        self._settings = settings
        self._dead_letters = Publisher(settings.amqp_uri)
        self._loop = ConsumerLoop(settings.amqp_uri, "events", self._consume, idle=self._dead_letters.tend)

    def start(self) -> None:
        """Begin to consume."""
        if self._loop is not None:
            self.container.spawn_managed_thread(self._loop.run, identifier="events")

    @property
    def connected(self) -> bool:
        """Whether events can arrive at this moment."""
        return self._loop is not None and self._loop.alive

    def register_handler(self, provider: "Subscription") -> None:
        """Route a source's event type to an entrypoint. Raises RuntimeError when another one has it already: one of the two would be lost."""
        for pair in provider.pairs:
            if self.handlers.setdefault(pair, provider) is not provider:
                raise RuntimeError(
                    f"{provider.method_name} and {self.handlers[pair].method_name} both subscribe to {'.'.join(pair)}"
                )

    def cancel(self) -> None:
        """Take no further events; those in work still finish, those that failed are left to another."""
        self._ending = True
        if self._loop is not None:
            self._loop.cancel()

    def stop(self) -> None:
        """Close the link."""
        if self._loop is not None:
            self._loop.close()
            self._dead_letters.close()

    kill = stop

    def _consume(self, channel: Any) -> None:
        declare(channel.connection, self._settings, self.container.service_name)
        channel.basic_qos(0, EVENT_WORKERS, False)
        channel.basic_consume(event_queue(self.container.service_name), callback=partial(self._handle, channel))

    def _handle(self, channel: Any, message: Any) -> None:
        try:
            event = Event.decode(message.body)
        except Undecodable as error:
            self._bury(channel, message, "undecodable", str(error))
            return
        handler = self.handlers.get((event.source, event.type))
        if handler is None:
            self._pass_over(channel, message, event)
            return
        self._attempt(channel, message, event, handler, 1)

    def _pass_over(self, channel: Any, message: Any, event: Event) -> None:
        if (self.container.service_name, event.source, event.type) in RETIRED:
            self._ack(channel, message)
            return
        # A replica of the next version subscribed to it, and shares the queue with this one: kept for a replay after the upgrade.
        self._bury(channel, message, "unknown_type", f"This version does not handle {event.source}.{event.type}.")

    def _attempt(self, channel: Any, message: Any, event: Event, handler: "Subscription", attempt: int) -> None:
        if self._ending:  # unacknowledged, so the broker delivers it again
            return
        try:
            self.container.spawn_worker(
                handler,
                (event,),
                {},
                context_data={"request_id": event.request_id, "traceparent": event.traceparent},
                handle_result=partial(self._finish, channel, message, event, handler, attempt),
            )
        except ContainerBeingKilled:
            if self._loop is not None:
                self._loop.requeue(channel, message.delivery_info["delivery_tag"])

    def _finish(
        self,
        channel: Any,
        message: Any,
        event: Event,
        handler: "Subscription",
        attempt: int,
        _worker: Any,
        result: Any,
        exc_info: Any,
    ) -> tuple[Any, Any]:
        if exc_info is None:
            metrics.EVENTS_HANDLED.labels(event.source, event.type).inc()
            metrics.EVENTS_LAG_SECONDS.labels(event.source).observe(max(0.0, (now() - event.at).total_seconds()))
            self._ack(channel, message)
            return result, exc_info
        error = exc_info[1]
        metrics.EVENTS_RETRIED.labels(event.source, event.type).inc()
        outage = is_outage(error) or isinstance(error, Unavailable)
        if not outage and attempt >= ATTEMPTS:
            self._bury(channel, message, "failed", f"{type(error).__name__}: {error}")
            return result, exc_info
        pause = min(FIRST_PAUSE * 2 ** min(attempt, 10), LONGEST_PAUSE)
        next_attempt = attempt if outage else attempt + 1
        # Unacknowledged meanwhile: should this process end, the broker gives the event to another.
        eventlet.spawn_after(pause, self._attempt, channel, message, event, handler, next_attempt)
        return result, exc_info

    def _bury(self, channel: Any, message: Any, reason: str, detail: str) -> None:
        service = self.container.service_name
        headers = _repeatable(message.headers) | {
            "x-foyer-reason": reason,
            "x-foyer-detail": redact(detail)[:500],
            "x-foyer-exchange": message.delivery_info["exchange"],
            "x-foyer-routing-key": message.delivery_info["routing_key"],
        }
        body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
        try:
            self._dead_letters.publish_confirmed(
                [Outgoing(DEAD_LETTER_EXCHANGE, service, body, {"delivery_mode": PERSISTENT}, headers)]
            )
        except PUBLISH_ERRORS as error:
            log.warning("dead_letter_not_written", reason=str(error))
            if self._loop is not None:
                self._loop.requeue(channel, message.delivery_info["delivery_tag"])
            return
        metrics.EVENTS_DEAD.labels(reason).inc()
        log.error("event_put_aside", reason=reason, detail=detail[:500], routing_key=message.delivery_info["routing_key"])
        self._ack(channel, message)

    def _ack(self, channel: Any, message: Any) -> None:
        if self._loop is not None:
            self._loop.ack(channel, message.delivery_info["delivery_tag"])


def _repeatable(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """The sender's headers, if they can be written again with ours beside them: a content header has to fit one frame."""
    try:
        return dict(headers or {}) if len(dumps("F", [headers or {}])) <= LONGEST_HEADERS else {}
    except NOT_WRITTEN:
        return {}


class Subscription(Entrypoint):
    """`@subscribe("contacts", "contact_updated", …)`: a method that takes the Event."""

    consumer = EventConsumer()

    def __init__(self, source: str, *types: str) -> None:
        super().__init__()
        self.pairs = [(source, kind) for kind in types]

    def setup(self) -> None:
        """Register with the consumer."""
        self.consumer.register_handler(self)

    def stop(self) -> None:
        """No further events."""
        self.consumer.cancel()


subscribe = Subscription.decorator
