"""What of a message's properties can be read when py-amqp can't read all of them.

It raises at a text that is no UTF-8, and at a time after the year 9999. The link would end with that, and the broker deliver the same
message again: to this process and to every replica, for ever, and nothing behind it would be reached. So such a message arrives
without its properties, and is then put aside, or taken for what its body says.
"""

import struct
from typing import Any

from amqp import serialization, spec

# What a stream adds last to the headers (a long integer behind the name): a reader of the event log is lost without it.
_OFFSET = b"\x0fx-stream-offsetl"
_ERRORS = (ValueError, OverflowError, OSError, RecursionError, struct.error)


def tolerate() -> None:
    """Have every link of this process read properties so; again is no harm."""
    serialization.PROPERTY_CLASSES[spec.Basic.CLASS_ID] = read_properties


def read_properties(payload: Any, start: int) -> tuple[dict[str, Any], int]:
    """A content header's properties as py-amqp gives them, and where they end."""
    try:
        read: tuple[dict[str, Any], int] = serialization.decode_properties_basic(payload, start)
    except _ERRORS:
        raw = bytes(payload)
        at = raw.rfind(_OFFSET, start, len(raw) - 7)
        headers = {"x-stream-offset": struct.unpack_from(">q", raw, at + len(_OFFSET))[0]} if at >= 0 else {}
        return {"application_headers": headers}, len(raw)
    return read
