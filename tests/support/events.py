"""Events on the broker: what the services published, collected; and what a service is to receive, published."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import amqp

from services.common.amqp import BROKER_ERRORS, Outgoing, Publisher, close_quietly, connect
from services.common.consuming import ConsumerLoop
from services.common.envelope import NewEvent
from services.common.ids import new_id
from services.common.outbox import to_message
from services.common.settings import Settings
from services.common.topology import SERVICES, dead_letter_queue, declare, event_exchange
from services.common.wire import decode_object

Envelope = dict[str, Any]
Predicate = Callable[[Envelope], bool]


def anything(_: Envelope) -> bool:
    """Every event."""
    return True


class Collector:
    """Keeps every event published since `start`, of all services, in the order of arrival. Lost with its link to the broker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._events: list[Envelope] = []
        self._arrived = threading.Condition()
        self._loop = ConsumerLoop(settings.amqp_uri, "collector", self._consume)
        self._thread = threading.Thread(target=self._loop.run, name="collector", daemon=True)

    def start(self, timeout: float = 15.0) -> None:
        """Begin to collect."""
        self._thread.start()
        if not self._loop.ready.wait(timeout):
            raise AssertionError("the collector found no broker")

    def close(self) -> None:
        """End the link."""
        self._loop.close()

    def _consume(self, channel: Any) -> None:
        declare(channel.connection, self._settings)
        queue = channel.queue_declare("", exclusive=True, auto_delete=True, durable=False).queue
        for service in SERVICES:
            channel.queue_bind(queue, event_exchange(service), "#")
        channel.basic_consume(queue, no_ack=True, callback=self._keep)

    def _keep(self, message: amqp.Message) -> None:
        with self._arrived:
            self._events.append(decode_object(message.body))
            self._arrived.notify_all()

    def found(self, kind: str | None = None, predicate: Predicate = anything) -> list[Envelope]:
        """The events of a type (or of all) that the predicate holds for, until now."""
        with self._arrived:
            return [event for event in self._events if kind in (None, event["type"]) and predicate(event)]

    def wait_for(self, kind: str, predicate: Predicate = anything, timeout: float = 15.0, *, count: int = 1) -> Envelope:
        """The `count`-th event of a type that the predicate holds for, whether it came already or comes in time."""
        matching: list[Envelope] = []

        def enough() -> bool:
            matching[:] = [event for event in self._events if event["type"] == kind and predicate(event)]
            return len(matching) >= count

        with self._arrived:
            if not self._arrived.wait_for(enough, timeout):
                seen = [(event["type"], event["entity"]) for event in self._events[-20:]]
                raise AssertionError(f"no {kind} number {count} within {timeout:g} s; the last events: {seen}")
            return matching[count - 1]


class Announcer:
    """Publishes events as the services do, confirmed; once more with the same id where a test delivers twice."""

    def __init__(self, settings: Settings) -> None:
        self._publisher = Publisher(settings.amqp_uri)

    def close(self) -> None:
        """End the link."""
        self._publisher.close()

    def publish(self, source: str, kind: str, data: dict[str, Any], *, times: int = 1, **said: Any) -> str:
        """Publish an event (see `event_message`) `times` times; returns its id."""
        message = event_message(source, kind, data, **said)
        self.publish_together([message] * times)
        return str(message.properties["message_id"])

    def publish_together(self, messages: Sequence[Outgoing]) -> None:
        """Publish all of them at once: the first may be handled while the last is still under way."""
        try:
            self._publisher.publish_confirmed(messages)
        except BROKER_ERRORS:  # the link was idle for longer than the broker waits for a sign of life
            self._publisher.publish_confirmed(messages)


def event_message(
    source: str,
    kind: str,
    data: dict[str, Any],
    *,
    entity: tuple[str, str, int],
    contact_id: str | None = None,
    event_id: str | None = None,
    **envelope: Any,
) -> Outgoing:
    """An event of an `entity` (kind, id, version) as its service publishes it. `envelope` overrides its other parts."""
    entity_kind, entity_id, version = entity
    entry = NewEvent(kind, entity_kind, data, contact_id=contact_id).entry(entity_id, version)
    return to_message(source, entry | {"id": event_id or new_id(), **envelope})


class DeadLetters:
    """What a service has put aside."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def take(self, service: str) -> list[tuple[dict[str, Any], bytes]]:
        """Empty the service's dead-letter queue: (headers, body) of each."""
        connection = connect(self._settings.amqp_uri)
        try:
            taken = []
            with connection.channel() as channel:
                while (message := channel.basic_get(dead_letter_queue(service), no_ack=True)) is not None:
                    body = message.body
                    taken.append((dict(message.headers), body if isinstance(body, bytes) else str(body).encode()))
            return taken
        finally:
            close_quietly(connection)
