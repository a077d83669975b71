"""Messages as no library of ours would write them: properties and headers of any bytes, published to any exchange, confirmed."""

import struct
from collections.abc import Mapping
from typing import Any

import amqp

from services.common.amqp import close_quietly, connect

# The order in which AMQP 0-9-1 writes the properties that are present, and the bit that says so.
_BITS = {
    "content_type": 15,
    "content_encoding": 14,
    "headers": 13,
    "delivery_mode": 12,
    "priority": 11,
    "correlation_id": 10,
    "reply_to": 9,
    "expiration": 8,
    "message_id": 7,
    "timestamp": 6,
    "type": 5,
    "app_id": 3,
}


def short(text: bytes) -> bytes:
    """A short string, whatever its bytes."""
    return struct.pack(">B", len(text)) + text


def table(**fields: bytes) -> bytes:
    """A table of fields that are encoded already: a letter for the type, then the value."""
    inner = b"".join(short(name.encode()) + value for name, value in fields.items())
    return struct.pack(">I", len(inner)) + inner


def text(value: bytes) -> bytes:
    """A field that holds a long string."""
    return b"S" + struct.pack(">I", len(value)) + value


def properties(given: Mapping[str, bytes]) -> bytes:
    """The property list of a content header, each value encoded already."""
    flags = sum(1 << bit for name, bit in _BITS.items() if name in given)
    return struct.pack(">H", flags) + b"".join(given[name] for name in _BITS if name in given)


class RawMessage(amqp.Message):  # type: ignore[misc, unused-ignore]
    """A message whose content header is what it was given."""

    def __init__(self, body: bytes, **given: bytes) -> None:
        super().__init__(body)
        self._raw = properties({"delivery_mode": b"\x02", **given})

    def _serialize_properties(self) -> bytes:
        return self._raw


def publish(uri: str, exchange: str, routing_key: str, message: amqp.Message) -> bool:
    """Publish, and wait for the broker's word; False when no queue took it."""
    connection = connect(uri)
    returned: list[Any] = []
    try:
        with connection.channel() as channel:
            channel.confirm_select()
            channel.events["basic_return"].add(lambda *parts: returned.append(parts))
            channel.basic_publish(message, exchange, routing_key, mandatory=True)
            channel.wait([amqp.spec.Basic.Ack], timeout=30)
    finally:
        close_quietly(connection)
    return not returned
