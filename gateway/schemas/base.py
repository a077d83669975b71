"""The fields and shapes that the nouns share: bounded, described, and strict about types."""

import re
from typing import Any, ClassVar

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from services.common.validation import MAX_TEXT

MAX_SEQ = 2**31 - 1
ID_PATTERN = "^[A-Za-z0-9_-]{1,64}$"
# Something besides blanks, and no NUL.
TEXT_PATTERN = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
EXAMPLE_ID = "0192f3c1a7b87cc29d1e4f5a6b7c8d9e"
EXAMPLE_TIME = "2026-11-24T07:31:47.120Z"


class Request(Schema):
    """The base of what the API takes: unknown names are errors."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    # Whether a call may come without a body, which is then taken as {}.
    optional_body: ClassVar[bool] = False


class Resource(Schema):
    """The base of what the API answers: more may come, so clients ignore what they don't know."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE


class Pattern(validate.Regexp):
    """The whole value matches; `$` alone would let a line break pass."""

    def __init__(self, pattern: str, error: str) -> None:
        # ECMA 262, which OpenAPI's patterns are, has no \Z: the documented pattern ends in $.
        super().__init__(re.compile(pattern), error=error)

    def __call__(self, value: Any) -> Any:
        """The value. Raises ValidationError."""
        if value is not None and self.regex.fullmatch(value) is None:
            raise ValidationError(self.error or "Not of the expected form.")
        return value


class Flag(fields.Boolean):
    """A JSON boolean and nothing that resembles one."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return bool(super()._deserialize(value, attr, data, **kwargs))


class Number(fields.Integer):
    """A JSON integer, which 4.0 is and true is not."""

    def __init__(self, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(minimum, maximum), **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class QueryNumber(fields.Integer):
    """An integer in a query: decimal digits."""

    def __init__(self, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(validate=validate.Range(minimum, maximum), **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not re.fullmatch("-?[0-9]{1,12}", str(value)):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class QueryText(fields.String):
    """A word in a query: not given and empty are the same."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, **kwargs) or None


def _said(description: str, example: Any) -> dict[str, Any]:
    return {"description": description} | ({} if example is None else {"examples": [example]})


def identifier(description: str, **options: Any) -> fields.String:
    """An opaque id that a client sends."""
    return fields.String(validate=Pattern(ID_PATTERN, "Not an identifier."), metadata=_said(description, EXAMPLE_ID), **options)


def text(description: str, example: str | None = None, *, maximum: int = MAX_TEXT, **options: Any) -> fields.String:
    """Text that says something."""
    checks = [validate.Length(1, maximum), Pattern(TEXT_PATTERN, "Must not be blank, nor contain NUL.")]
    return fields.String(validate=checks, metadata=_said(description, example), **options)


def free_text(description: str, example: str | None = None, *, maximum: int = MAX_TEXT, **options: Any) -> fields.String:
    """Text that may be empty."""
    checks = [validate.Length(0, maximum), Pattern(r"^[^\u0000]*$", "Must not contain NUL.")]
    return fields.String(validate=checks, metadata=_said(description, example), **options)


def choice(description: str, *choices: str, **options: Any) -> fields.String:
    """One of a few words that a client sends."""
    return fields.String(validate=validate.OneOf(choices), metadata={"description": description}, **options)


def one_of(description: str, *choices: str, **options: Any) -> fields.String:
    """One of a few words in an answer."""
    return fields.String(required=True, validate=validate.OneOf(choices), metadata={"description": description}, **options)


def said(description: str, example: Any = None, **options: Any) -> fields.String:
    """Text in an answer, always there."""
    return fields.String(required=True, metadata=_said(description, example), **options)


def count(description: str, example: int = 0, *, minimum: int = 0, **options: Any) -> fields.Integer:
    """A whole number in an answer, always there."""
    return fields.Integer(required=True, validate=validate.Range(minimum), metadata=_said(description, example), **options)


def truth(description: str) -> fields.Boolean:
    """Yes or no in an answer, always there."""
    return fields.Boolean(required=True, metadata={"description": description})


def moment(description: str, **options: Any) -> fields.String:
    """A time in an answer: RFC 3339 in UTC with milliseconds."""
    return fields.String(
        required=True, metadata={"description": description, "format": "date-time", "examples": [EXAMPLE_TIME]}, **options
    )


def version(minimum: int = 1) -> fields.Integer:
    """The version of a resource."""
    said = "Grows by one with every change: of two states, the one with the higher version is the later."
    return count(said, 3, minimum=minimum)


def email(description: str, **options: Any) -> fields.Email:
    """An e-mail address that a client sends."""
    return fields.Email(validate=validate.Length(max=254), metadata=_said(description, "ada@example.com"), **options)


class PageQuery(Request):
    """What every listing takes."""

    takes_cursor: ClassVar[bool] = True

    cursor = QueryText(
        validate=Pattern("^[A-Za-z0-9_=-]{0,500}$", "Not a cursor."),
        metadata={"description": "`next_cursor` of the page before; without it the listing begins."},
    )
    limit = QueryNumber(1, 100, load_default=20, metadata={"description": "How many items at most.", "examples": [20]})


class IdempotencyHeader(Schema):
    """Of calls that create."""

    idempotency_key = fields.String(
        data_key="Idempotency-Key",
        validate=Pattern("^[!-~]{1,200}$", "1 to 200 printable ASCII characters without blanks."),
        metadata={
            "description": "Your name for this creation, a new UUID for instance. A repeat with the same key and the same values "
            "answers with the first result instead of creating again.",
            "examples": ["3f0c7e9a-8a55-4f0e-9a3b-0d9b1f6f2c11"],
        },
    )


class PersonSchema(Resource):
    """Somebody by id and name."""

    id = said("The id.", EXAMPLE_ID)
    name = said("The name.", "Ada Lovelace")


class AuthorSchema(Resource):
    """Who wrote or did something."""

    kind = one_of("What they are.", "visitor", "bot", "agent", "system")
    id = said("Their id, where they have one.", EXAMPLE_ID, allow_none=True)
    name = said("Their name, where they have one.", "Ada Lovelace", allow_none=True)


class ProblemSchema(Resource):
    """Why a request failed (RFC 9457)."""

    type = said("Always `about:blank`: `code` tells problems apart.", "about:blank")
    title = said("The status in words.", "Not Found")
    status = fields.Integer(required=True, metadata={"description": "The HTTP status.", "examples": [404]})
    detail = said("What happened, for people.", "There is no such conversation.")
    instance = said("The path that was asked.", "/v1/conversations/42")
    code = said("What happened, for programs; stable.", "CONVERSATION_NOT_FOUND")
    request_id = said("Finds this request in the logs; also in the header `X-Request-ID`.", EXAMPLE_ID)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={
            "description": "With `VALIDATION_FAILED` and `INVALID_FLOW`: what is wrong, by the dotted path of each value.",
            "examples": [{"text": ["Missing data for required field."]}],
        },
    )
    fields_ = fields.List(fields.String(), data_key="fields", metadata={"description": "With `FIELD_READ_ONLY`: which ones."})
    assignee = fields.Nested(
        PersonSchema,
        allow_none=True,
        metadata={"description": "With `ALREADY_ASSIGNED`: who has the conversation now; null when nobody has it."},
    )
    flow_version = fields.Integer(
        allow_none=True, metadata={"description": "With `FLOW_CHANGED`: the version that the channel has; null for none."}
    )


def page_of(schema: type[Schema], name: str) -> type[Schema]:
    """The schema of a listing's answer."""
    return Resource.from_dict(
        {
            "items": fields.List(fields.Nested(schema), required=True),
            "next_cursor": said("Where the next page begins; null on the last one.", allow_none=True),
        },
        name=f"{name}PageSchema",
    )
