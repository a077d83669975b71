"""The flow document: one schema per type of block."""

import re
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from services.common.validation import Id, trimmed

MAX_BLOCKS = 500
MAX_OPTIONS = 20
MAX_BLOCK_TEXT = 2_000
PERSONAL_FIELDS = ("name", "email", "phone")
QUESTION_KINDS = ("text", "name", "email", "phone", "number", "date", "choice")
STRATEGIES = ("least_busy", "round_robin", "random")
PRIORITIES = ("high", "normal", "low")

BLOCK_NAME = validate.Regexp(r"^[A-Za-z0-9_-]{1,64}\Z", error="A block's name has 1 to 64 letters, digits, _ or -.")
_FIELD = validate.Regexp(
    r"^[A-Za-z][A-Za-z0-9_]{0,63}\Z", error="A field's name begins with a letter and has up to 64 letters, digits or _."
)


class _Block(Schema):
    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    type = fields.String(required=True)


def _text(**options: Any) -> fields.String:
    return trimmed(maximum=MAX_BLOCK_TEXT, **options)


def _next(*, required: bool = True) -> fields.String:
    missing: dict[str, Any] = {} if required else {"load_default": None}
    return fields.String(required=required, allow_none=True, validate=BLOCK_NAME, **missing)


def check_agents_or_team(wanted: dict[str, Any]) -> None:
    """Who may be asked is said by naming agents or by a team. Raises ValidationError."""
    if wanted.get("agents") is not None and wanted.get("team") is not None:
        raise ValidationError({"team": ["Name either agents or a team."]})


class OptionSchema(Schema):
    """One way to answer: a button."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    label = trimmed(maximum=80, required=True)
    value = trimmed(maximum=200, required=True)
    next = fields.String(allow_none=True, validate=BLOCK_NAME)


class MessageBlock(_Block):
    """Says something."""

    text = _text(required=True)
    next = _next()


class QuestionBlock(_Block):
    """Asks, and waits for an answer of its kind."""

    kind = fields.String(required=True, validate=validate.OneOf(QUESTION_KINDS))
    text = _text(required=True)
    field = fields.String(required=True, validate=_FIELD)
    retry = _text(load_default=None, allow_none=True)
    options = fields.List(fields.Nested(OptionSchema(exclude=("next",))), validate=validate.Length(1, MAX_OPTIONS))
    next = _next()


class ButtonsBlock(_Block):
    """Offers options, and waits for one of them."""

    text = _text(required=True)
    field = fields.String(load_default=None, allow_none=True, validate=_FIELD)
    retry = _text(load_default=None, allow_none=True)
    options = fields.List(fields.Nested(OptionSchema()), required=True, validate=validate.Length(1, MAX_OPTIONS))


class AssignBlock(_Block):
    """Asks for an agent."""

    text = _text(load_default=None, allow_none=True)
    strategy = fields.String(load_default="least_busy", validate=validate.OneOf(STRATEGIES))
    agents = fields.List(Id(), load_default=None, allow_none=True, validate=validate.Length(1, 200))
    team = Id(load_default=None, allow_none=True)
    priority = fields.String(load_default="normal", validate=validate.OneOf(PRIORITIES))
    unavailable = fields.String(load_default="wait", validate=BLOCK_NAME)

    @validates_schema
    def check_among_whom(self, data: dict[str, Any], **_: Any) -> None:
        """Agents or a team."""
        check_agents_or_team(data)


class GotoBlock(_Block):
    """Goes on elsewhere."""

    next = _next()


class CloseBlock(_Block):
    """Says goodbye and archives the conversation."""

    text = _text(load_default=None, allow_none=True)


class FlowSchema(Schema):
    """The document around the blocks; the blocks themselves are loaded by their type."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    start = fields.String(required=True, validate=BLOCK_NAME)
    blocks = fields.Dict(
        keys=fields.String(validate=BLOCK_NAME), values=fields.Dict(), required=True, validate=validate.Length(1, MAX_BLOCKS)
    )


BLOCKS: dict[str, Schema] = {
    "message": MessageBlock(),
    "question": QuestionBlock(),
    "buttons": ButtonsBlock(),
    "assign": AssignBlock(),
    "goto": GotoBlock(),
    "close": CloseBlock(),
}
ASKING = frozenset({"question", "buttons"})
PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]{0,63})\}")
