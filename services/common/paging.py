"""Cursors: opaque texts that hold where a listing stopped."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson

from services.common.errors import Invalid
from services.common.times import from_wire, to_wire

# A cursor's position is what sorts the listing; times are kept as text with a mark.
_TIME = "t:"
Item = TypeVar("Item")


def encode_cursor(*position: Any) -> str:
    """A cursor for the values of the sort keys (text, numbers, datetimes)."""
    values = [f"{_TIME}{to_wire(value)}" if hasattr(value, "tzinfo") else value for value in position]
    return urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> list[Any]:
    """The position in a cursor, of the given types. Raises Invalid (CURSOR_INVALID)."""
    try:
        values = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = [
            from_wire(value.removeprefix(_TIME)) if isinstance(value, str) and value.startswith(_TIME) else value
            for value in values
        ]
    except (ValueError, TypeError, AttributeError, OverflowError):
        position = []
    if len(position) != len(types) or not all(type(value) is kind for value, kind in zip(position, types, strict=True)):
        raise Invalid("This cursor is not one of ours.", code="CURSOR_INVALID")
    return position


def page(
    found: Sequence[Item], limit: int, view: Callable[[Item], Any], position: Callable[[Item], Sequence[Any]]
) -> dict[str, Any]:
    """A listing's answer from up to `limit` + 1 items found: the one too many says that there is a next page."""
    shown = found[:limit]
    more = len(found) > limit
    return {"items": [view(item) for item in shown], "next_cursor": encode_cursor(*position(shown[-1])) if more else None}
