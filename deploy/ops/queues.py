"""Queues over AMQP alone: how long they are, who consumes them, and the messages at their heads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import amqp
from kombu.connection import Connection


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


def body_of(message: amqp.Message) -> bytes:
    """The bytes of a message: py-amqp decodes what says that it is text."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def _close(channel: Any) -> None:
    if channel.is_open:
        channel.close()
