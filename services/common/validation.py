"""Arguments through marshmallow: what every schema of ours shares, and how its errors are said."""

from collections.abc import Container, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from services.common.errors import Invalid

MAX_TEXT = 10_000


class Arguments(Schema):
    """The base of argument schemas: unknown names are errors."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE


class Id(fields.String):
    """An opaque identifier: short, printable, without blanks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Regexp(r"^[A-Za-z0-9_-]{1,64}\Z", error="Not an identifier."), **options)


class UserId(fields.String):
    """A website's own id of its user: printable, and compared as it is."""

    def __init__(self, **options: Any) -> None:
        check = validate.Regexp(r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}\Z", error="1 to 200 printable characters.")
        super().__init__(validate=check, **options)


class Word(fields.String):
    """One of the words that are known here, in an event; one that only a later version knows is read as `otherwise`."""

    def __init__(self, known: Container[str], *, otherwise: str | None, **options: Any) -> None:
        super().__init__(**options)
        self._known = known
        self._otherwise = otherwise

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        word = super()._deserialize(value, attr, data, **options)
        return word if word in self._known else self._otherwise


class Limit(fields.Integer):
    """A page size from 1 to `maximum`."""

    def __init__(self, *, default: int = 20, maximum: int = 100) -> None:
        super().__init__(load_default=default, strict=True, validate=validate.Range(1, maximum))


class Cursor(fields.String):
    """Where a listing goes on; None begins it."""

    def __init__(self) -> None:
        super().__init__(load_default=None, allow_none=True, validate=validate.Length(max=500))


class PageArguments(Arguments):
    """What every listing takes."""

    cursor = Cursor()
    limit = Limit()


class ActorSchema(Schema):
    """Who does it."""

    kind = fields.String(required=True, validate=validate.OneOf(["agent", "visitor", "bot", "system"]))
    id = Id(load_default=None, allow_none=True)
    name = fields.String(load_default=None, allow_none=True)
    role = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(["admin", "agent"]))


def trimmed(*, minimum: int = 1, maximum: int = MAX_TEXT, **options: Any) -> fields.String:
    """Text whose length counts without the blanks around it, free of NUL."""

    def check(text: str) -> None:
        if len(text.strip()) < minimum:
            raise ValidationError("Must not be blank." if minimum == 1 else f"Shorter than minimum length {minimum}.")
        if len(text) > maximum:
            raise ValidationError(f"Longer than maximum length {maximum}.")
        if "\x00" in text:
            raise ValidationError("Must not contain NUL.")

    # What the check does, for whoever compares versions.
    return fields.String(validate=check, metadata={"minLength": minimum, "maxLength": maximum}, **options)


def load(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """The validated values. Raises Invalid with each field's texts under its dotted path."""
    try:
        loaded: dict[str, Any] = schema.load(values)
    except ValidationError as error:
        raise Invalid("Some values are not valid.", errors=flatten(error.normalized_messages())) from None
    return loaded


def flatten(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages as {"contact.name": [texts]}."""
    if isinstance(messages, Mapping):
        flat: dict[str, list[str]] = {}
        for key, value in messages.items():
            path = prefix if key == "_schema" else (f"{prefix}.{key}" if prefix else str(key))
            flat |= flatten(value, path)
        return flat
    return {prefix or "body": [str(text) for text in (messages if isinstance(messages, list) else [messages])]}
