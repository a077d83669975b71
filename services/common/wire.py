"""JSON on the broker: how bodies are written and read, and what is refused."""

from typing import Any

import orjson

CONTENT_TYPE = "application/json"


class Undecodable(ValueError):
    """The body is not the JSON object it should be."""


def encode(value: Any) -> bytes:
    """JSON bytes; TypeError for anything that JSON has no type for, so convert times and ids before."""
    return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME)


def encode_to_keep(value: Any) -> bytes:
    """As `encode`, for what is kept for longer: orjson leaves each result in the 4 kB or more that it was written into."""
    return bytes(memoryview(encode(value)))


def decode_object(body: bytes | str | memoryview) -> dict[str, Any]:
    """The JSON object in `body`. Raises Undecodable."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Undecodable(str(error)) from None
    if not isinstance(value, dict):
        raise Undecodable("not a JSON object")
    return value
