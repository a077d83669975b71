"""The flow document: one schema per type of block. Conditions have their own module, `condition_schemas`."""

import re
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from services.common.validation import Id, trimmed

MAX_BLOCKS = 500
MAX_OPTIONS = 20
MAX_BLOCK_TEXT = 2_000
MAX_RETRIES = 20
MAX_AGENTS = 200
MAX_SUBJECT = 200
MAX_DELAY_SECONDS = 7 * 24 * 60 * 60
MAX_CUSTOM_FIELDS = 100  # what a contact keeps
MAX_NUMBER = 2**53 - 1  # what every JSON reader keeps exactly
PERSONAL_FIELDS = ("name", "email", "phone")
QUESTION_KINDS = ("text", "name", "email", "phone", "number", "date", "choice")
STRATEGIES = ("least_busy", "round_robin", "random")
PRIORITIES = ("high", "normal", "low")
ASKING = frozenset({"question", "buttons"})

IS_BLOCK_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
BLOCK_NAME = validate.Regexp(IS_BLOCK_NAME, error="A block's name has 1 to 64 letters, digits, _ or -.")
FIELD_NAME = validate.Regexp(
    r"^[A-Za-z][A-Za-z0-9_]{0,63}\Z", error="A field's name begins with a letter and has up to 64 letters, digits or _."
)


class Strict(Schema):
    """The base of every part of a flow: unknown names are errors."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE


class Block(Strict):
    """What every block has."""

    type = fields.String(required=True)


def way(**options: Any) -> fields.String:
    """The block that follows; null ends the flow."""
    return fields.String(allow_none=True, validate=BLOCK_NAME, **options)


class Few(fields.List[Any]):
    """A list of 1 to `maximum` members; of too many none is looked at."""

    def __init__(self, member: Any, *, maximum: int, **options: Any) -> None:
        self._is_few = validate.Length(1, maximum)
        super().__init__(member, validate=self._is_few, **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list):
            self._is_few(value)
        return super()._deserialize(value, *args, **kwargs)


def check_agents_or_team(wanted: dict[str, Any]) -> None:
    """Who may be asked is said by naming agents or by a team. Raises ValidationError."""
    if wanted.get("agents") is not None and wanted.get("team") is not None:
        raise ValidationError({"team": ["Name either agents or a team."]})


def check_plain(value: object) -> None:
    """Whether it is a text, a number of a usable size, true or false. Raises ValidationError."""
    if isinstance(value, str):
        _TEXT.deserialize(value)
    elif not isinstance(value, bool | int | float):
        raise ValidationError("Must be text, a number, true or false.")
    elif not abs(value) <= MAX_NUMBER:  # nor is what is not a number at all
        raise ValidationError("Not a number of a usable size.")


def _text(**options: Any) -> fields.String:
    return trimmed(maximum=MAX_BLOCK_TEXT, **options)


def _optional_text() -> fields.String:
    return _text(load_default=None, allow_none=True)


_TEXT = _text()


class OptionSchema(Strict):
    """One way to answer: a button."""

    label = trimmed(maximum=80, required=True)
    value = trimmed(maximum=200, required=True)
    next = way()


class MessageBlock(Block):
    """Says something."""

    text = _text(required=True)
    next = way(required=True)


class _AskingBlock(Block):
    text = _text(required=True)
    retry = _optional_text()
    retries = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, MAX_RETRIES))
    otherwise = way(load_default=None)

    @validates_schema(skip_on_field_errors=False)
    def check_otherwise(self, data: dict[str, Any], **_: Any) -> None:
        """Without a limit nobody would ever get there."""
        if data.get("otherwise") is not None and "retries" in data and data["retries"] is None:
            raise ValidationError({"otherwise": ["Never taken: retries sets no limit."]})

    @validates_schema(skip_on_field_errors=False)
    def check_values(self, data: dict[str, Any], **_: Any) -> None:
        """Options are told apart by their values."""
        options = data.get("options")
        values = [option.get("value") for option in options if isinstance(option, dict)] if isinstance(options, list) else []
        values = [value for value in values if value is not None]
        if len(set(values)) < len(values):
            raise ValidationError({"options": ["Two options have the same value."]})


class QuestionBlock(_AskingBlock):
    """Asks, and waits for an answer of its kind."""

    kind = fields.String(required=True, validate=validate.OneOf(QUESTION_KINDS))
    field = fields.String(required=True, validate=FIELD_NAME)
    options = Few(fields.Nested(OptionSchema(exclude=("next",))), maximum=MAX_OPTIONS)
    next = way(required=True)

    @validates_schema(skip_on_field_errors=False)
    def check_personal(self, data: dict[str, Any], **_: Any) -> None:
        """A personal field is filled with what was read as such."""
        field, kind = data.get("field"), data.get("kind")
        if field in PERSONAL_FIELDS and kind is not None and kind != field:
            raise ValidationError({"kind": [f"The field {field} is filled by a question of kind {field}."]})

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def check_options(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        """A choice needs something to choose from."""
        if "kind" in data and (data["kind"] == "choice") != ("options" in original):
            raise ValidationError({"options": ["A question of kind choice has options, and no other has."]})


class ButtonsBlock(_AskingBlock):
    """Offers options, and waits for one of them."""

    field = fields.String(load_default=None, allow_none=True, validate=FIELD_NAME)
    options = Few(fields.Nested(OptionSchema()), maximum=MAX_OPTIONS, required=True)

    @validates_schema(skip_on_field_errors=False)
    def check_personal(self, data: dict[str, Any], **_: Any) -> None:
        """An option's value is nobody's name or address."""
        field = data.get("field")
        if field in PERSONAL_FIELDS:
            raise ValidationError({"field": [f"The field {field} is filled by a question of kind {field}."]})


class SetBlock(Block):
    """Gives a field a value, or takes it away."""

    field = fields.String(required=True, validate=FIELD_NAME)
    value = fields.Raw(required=True, allow_none=True, validate=check_plain)
    next = way(required=True)

    @validates_schema(skip_on_field_errors=False)
    def check_personal(self, data: dict[str, Any], **_: Any) -> None:
        """Personal fields are texts; everybody has a name."""
        field, value = data.get("field"), data.get("value", "")
        if field in PERSONAL_FIELDS and isinstance(value, bool | int | float):
            raise ValidationError({"value": [f"The field {field} holds text."]})
        if field == "name" and value is None:
            raise ValidationError({"value": ["A visitor's name can't be taken away."]})


class TicketBlock(Block):
    """Opens a ticket."""

    subject = trimmed(maximum=MAX_SUBJECT, required=True)
    description = _optional_text()
    next = way(required=True)


class DelayBlock(Block):
    """Goes on after a while."""

    seconds = fields.Integer(required=True, strict=True, validate=validate.Range(1, MAX_DELAY_SECONDS))
    next = way(required=True)


class AssignBlock(Block):
    """Asks for an agent."""

    text = _optional_text()
    strategy = fields.String(load_default="least_busy", validate=validate.OneOf(STRATEGIES))
    agents = Few(Id(), maximum=MAX_AGENTS, load_default=None, allow_none=True)
    team = Id(load_default=None, allow_none=True)
    priority = fields.String(load_default="normal", validate=validate.OneOf(PRIORITIES))
    unavailable = fields.String(load_default="wait", validate=BLOCK_NAME)

    @validates_schema(skip_on_field_errors=False)
    def check_among_whom(self, data: dict[str, Any], **_: Any) -> None:
        """Agents or a team."""
        check_agents_or_team(data)


class GotoBlock(Block):
    """Goes on elsewhere."""

    next = way(required=True)


class CloseBlock(Block):
    """Says goodbye and archives the conversation."""

    text = _optional_text()


class FlowSchema(Strict):
    """The document around the blocks; the blocks themselves are loaded by their type."""

    start = fields.String(required=True, validate=BLOCK_NAME)
    blocks = fields.Dict(keys=fields.String(validate=BLOCK_NAME), values=fields.Dict(), required=True)
