"""Reading the event log's stream queue: attaching at an offset, finding its end, and making entries of messages.

RabbitMQ's streams, as measured: an attached consumer may get the whole chunk that holds the asked offset, so earlier messages
are to be passed over; beyond the end nothing comes, and nothing says so; a passive declaration's message count is late by seconds.
A new segment takes an offset for itself, so consecutive messages may lie two apart; further apart, segments have expired between
them under the reader's eyes.
"""

import time
from collections.abc import Callable
from typing import Any

import amqp

from gateway.streams import metrics
from gateway.streams.catalogue import to_entry
from gateway.streams.entries import Entry
from gateway.streams.positions import Position
from services.common.envelope import Event
from services.common.logs import get_logger
from services.common.topology import EPOCH_EXCHANGE, EVENT_LOG
from services.common.wire import Undecodable

log = get_logger(__name__)

PREFETCH = 256
ACK_EVERY = 32
OPENED = "log_opened"
# A healthy broker sends the last chunk within 5 ms of the attachment, whole.
FIRST_WAIT = 1.0
QUIET = 0.05
LONGEST_LOOK = 1.0
_LONGEST_STEP = 2
# A broker that hangs must not hang a reader that is closing.
SOCKET_TIMEOUT = 5.0


def offset_of(message: amqp.Message) -> int:
    """Where the message stands in the log."""
    return int(message.headers["x-stream-offset"])


def is_gap(before: int, offset: int) -> bool:
    """Whether messages have been lost between two that the broker delivered one after the other."""
    return offset - before > _LONGEST_STEP


def bound(connection: Any) -> None:
    """Give every later wait on the connection an end."""
    connection.transport.sock.settimeout(SOCKET_TIMEOUT)


def attach(channel: Any, offset: int | str, handle: Callable[[amqp.Message], None]) -> str:
    """Consume from the offset (or `first`, `last`, `next`) on; `handle` must see to the acknowledgements.

    Returns the consumer's tag.
    """
    channel.basic_qos(0, PREFETCH, False)
    tag: str = channel.basic_consume(EVENT_LOG, callback=handle, arguments={"x-stream-offset": offset})
    return tag


def find_end(connection: Any) -> int:
    """The offset of the log's last message; a log without any gets a first one, which clients don't see.

    So every log has an end, and every position is an offset. Raises BROKER_ERRORS.
    """
    channel = connection.channel()
    offsets: list[int] = []

    def take(message: amqp.Message) -> None:
        offsets.append(offset_of(message))
        channel.basic_ack(message.delivery_info["delivery_tag"])

    try:
        tag = attach(channel, "last", take)
        if not _drain(connection, offsets, FIRST_WAIT):
            opening = amqp.Message(b"{}", delivery_mode=2, type=OPENED, content_type="application/json")
            channel.basic_publish(opening, EPOCH_EXCHANGE, EVENT_LOG)
            if not _drain(connection, offsets, 5 * FIRST_WAIT):
                raise TimeoutError("the event log doesn't deliver its last message")
        began = time.monotonic()
        while time.monotonic() - began < LONGEST_LOOK and _drain(connection, offsets, QUIET):
            pass
        channel.basic_cancel(tag)
    finally:
        channel.close()
    return offsets[-1]


def _drain(connection: Any, offsets: list[int], timeout: float) -> bool:
    """Whether another message came within the time."""
    before = len(offsets)
    deadline = time.monotonic() + timeout
    while len(offsets) == before:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return False
        try:
            connection.drain_events(timeout=remaining)
        except TimeoutError:
            return len(offsets) > before
    return True


def read_message(message: amqp.Message, position: Position) -> tuple[Event | None, Entry | None]:
    """The event of a message, and its entry when clients see it. What can't be shown is passed over, and counted."""
    if message.properties.get("type") == OPENED:
        return None, None
    try:
        event = Event.decode(message.body)
        return event, to_entry(event, position)
    except Undecodable as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - one odd event must not stop all streams
        reason = f"{type(error).__name__}: {error}"
    metrics.UNREADABLE.inc()
    log.error(
        "stream_message_unreadable", offset=position.offset, routing_key=message.delivery_info["routing_key"], reason=reason
    )
    return None, None
