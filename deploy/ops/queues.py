"""Queues over AMQP alone: how long they are, who consumes them, and the messages at their heads."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import amqp
from kombu.connection import Connection

from deploy.ops.errors import Unusable

LARGEST_PREFETCH = 65_535
# Before all consumers that say nothing of it.
FIRST = 100
QUIET = 0.5


@dataclass(frozen=True)
class Depth:
    """Messages that wait, without those in consumers' hands, and the consumers."""

    messages: int
    consumers: int


def measure(connection: Connection, queue: str) -> Depth | None:
    """The queue's depth, or None when there is no such queue."""
    # A channel of its own: the broker closes the one that asks for what isn't there.
    channel = connection.channel()
    try:
        found = channel.queue_declare(queue, passive=True)
    except amqp.exceptions.NotFound:
        return None
    except amqp.exceptions.ResourceLocked:  # another connection's own
        return Depth(0, 1)
    finally:
        _close(channel)
    return Depth(found.message_count, found.consumer_count)


@contextmanager
def held(connection: Connection) -> Iterator[Any]:
    """A channel whose unacknowledged messages are back in their queues, in their places, when it is left."""
    channel = connection.channel()
    try:
        yield channel
    finally:
        _close(channel)


def take(channel: Any, queue: str, limit: int | None = None) -> Iterator[amqp.Message]:
    """The messages from the queue's head on, unacknowledged, up to `limit` of them."""
    taken = 0
    while limit is None or taken < limit:
        message = channel.basic_get(queue)
        if message is None:
            return
        taken += 1
        yield message


def read_waiting(connection: Connection, queue: str) -> Iterator[amqp.Message]:
    """The messages that wait now, from the head on; they are in hand, and back in their places once the last was given.

    No consumer gets one in between and so takes it past this. Raises Unusable when there is no such queue.
    """
    found = measure(connection, queue)
    if found is None:
        raise Unusable(f"There is no queue {queue}.", "See: doctor")
    arrived: deque[amqp.Message] = deque()
    with held(connection) as channel:
        # What comes meanwhile is the consumers'; a longer queue can't be bounded so.
        channel.basic_qos(0, found.messages if found.messages <= LARGEST_PREFETCH else 0, False)
        if found.messages:
            channel.basic_consume(queue, callback=arrived.append, arguments={"x-priority": FIRST})
        for _ in range(found.messages):
            while not arrived:
                try:
                    connection.connection.drain_events(timeout=QUIET)
                except TimeoutError:  # consumers were faster with the rest
                    return
            yield arrived.popleft()


def body_of(message: amqp.Message) -> bytes:
    """The bytes of a message: py-amqp decodes what says that it is text."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def _close(channel: Any) -> None:
    if channel.is_open:
        channel.close()
