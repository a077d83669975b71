"""How a view answers: the services' JSON as it is, written once."""

from typing import Any

import orjson
from flask import Response

CONTENT_TYPE = "application/json"


def answer(data: Any, status: int = 200, *, location: str | None = None) -> Response:
    """A JSON answer."""
    response = Response(orjson.dumps(data), status, content_type=CONTENT_TYPE)
    if location is not None:
        response.headers["Location"] = location
        # RFC 9110, 10.2.2 allows a relative reference, and only the client knows the public address.
        response.autocorrect_location_header = False
    return response


def created(data: dict[str, Any], collection: str | None = None) -> Response:
    """201 for a new resource, with its address when it has one under `collection`."""
    return answer(data, 201, location=f"{collection}/{data['id']}" if collection else None)


def nothing() -> Response:
    """204."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response
