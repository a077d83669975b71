"""How a request's values are read and refused: strictly, each fault under its field's name."""

from itertools import islice
from typing import Any, NoReturn

import marshmallow
import orjson
from flask import Request
from webargs.core import is_json, missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from services.common.errors import Invalid
from services.common.validation import flatten

# Deeper than any document of ours; orjson reads 1,024 levels and writes 254.
MAX_DEPTH = 32
# Of a body with thousands of unknown names not each has to be said.
MAX_ERRORS = 100


class Parser(FlaskParser):
    """webargs' parser for Flask, with JSON as RFC 8259 has it and no unknown names."""

    DEFAULT_UNKNOWN_BY_LOCATION = {
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
        "headers": marshmallow.EXCLUDE,
    }

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The body's value; `missing` for an empty body where the schema takes that. Raises Invalid, UnsupportedMediaType."""
        body = req.get_data(cache=True)
        if not body:
            if getattr(schema, "optional_body", False):
                return missing
            raise Invalid("This needs a JSON body.", code="MALFORMED_REQUEST")
        if not is_json(req.mimetype):
            raise UnsupportedMediaType("Send the body as application/json.")
        return read_json(body)

    def handle_error(self, error: marshmallow.ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Raises Invalid with each field's texts."""
        errors: dict[str, list[str]] = {}
        for messages in error.normalized_messages().values():
            errors |= flatten(messages)
        raise Invalid("Some values are not valid.", errors={name[:100]: errors[name] for name in islice(errors, MAX_ERRORS)})


def read_json(body: bytes) -> Any:
    """The value in a body. Raises Invalid (MALFORMED_REQUEST)."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is not JSON: {error}.", code="MALFORMED_REQUEST") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise Invalid(f"The body is nested more than {MAX_DEPTH} levels deep.", code="MALFORMED_REQUEST")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        children = list(value.values())
    elif isinstance(value, list):
        children = value
    else:
        return False
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in children)
