"""The bots' flows: given, checked before they are given, and played without anybody there."""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from gateway.schemas import base
from gateway.schemas.flow_blocks import MAX_BLOCK_TEXT

MAX_INPUTS = 100
MAX_VERSION = 2**31 - 1
_NAME = "A block's name has 1 to 64 letters, digits, _ or -."
_EXAMPLE = {"start": "hello", "blocks": {"hello": {"type": "message", "text": "Hi, I am the Acme bot.", "next": None}}}


class FlowSchema(base.Request):
    """What the bot says, asks and does: named blocks, one after the other.

    This is for the documentation. Any JSON object is passed on: messaging tells all that is wrong with it at once, whoever asks.
    """

    def load(self, data: Any, **options: Any) -> Any:
        """The object as it is. Raises ValidationError."""
        return dict(data) if isinstance(data, Mapping) else super().load(data, **options)

    start = fields.String(
        required=True,
        validate=base.Pattern(base.ID_PATTERN, _NAME),
        metadata={"description": "The first block.", "examples": ["hello"]},
    )
    blocks = fields.Dict(
        keys=fields.String(validate=base.Pattern(base.ID_PATTERN, _NAME)),
        values=fields.Dict(keys=fields.String(), metadata={"allOf": [{"$ref": "#/components/schemas/FlowBlock"}]}),
        required=True,
        validate=validate.Length(1, 500),
        metadata={
            "description": "The blocks by name.",
            "minProperties": 1,
            "maxProperties": 500,
            "examples": [_EXAMPLE["blocks"]],
        },
    )


class FlowDraftSchema(Schema):
    """A flow that may be anything: of the form of `PUT`'s body, or still on the way there."""

    class Meta:
        """Marshmallow's options: what is unknown is a problem to be told, not a refusal."""

        unknown = INCLUDE

    start = fields.Raw(allow_none=True, metadata={"description": "The first block.", "examples": ["hello"]})
    blocks = fields.Raw(allow_none=True, metadata={"description": "The blocks by name.", "examples": [_EXAMPLE["blocks"]]})


class FlowQuery(base.Request):
    """Which version of a flow."""

    version = base.QueryNumber(1, MAX_VERSION, metadata={"description": "Of this version; the present one unless given."})


class NewFlowQuery(base.Request):
    """What a new flow takes the place of."""

    expected_version = base.QueryNumber(
        0,
        MAX_VERSION,
        metadata={
            "description": "The version that it was made from, 0 for none: refused with `FLOW_CHANGED` when the channel has another by now."
        },
    )


def _author() -> fields.Nested:
    return fields.Nested(
        base.AuthorSchema, required=True, allow_none=True, metadata={"description": "Who put it, if that is known."}
    )


class ChannelFlowSchema(base.Resource):
    """A channel's flow."""

    flow = fields.Dict(
        required=True,
        allow_none=True,
        metadata={
            "description": "As it was put; null when no bot answers, as all else is then. Its form is that of `PUT`'s body."
        },
    )
    version = base.count("Its number within the channel: 1, 2, 3 …", 2, minimum=1, allow_none=True)
    created_at = base.moment("When it was put.", allow_none=True)
    created_by = _author()


class FlowVersionSchema(base.Resource):
    """One of the flows that a channel has had."""

    version = base.count("Its number within the channel: 1, 2, 3 …", 2, minimum=1)
    created_at = base.moment("When it was put.")
    created_by = _author()
    active = base.truth("Whether new conversations begin with it.")
    block_count = base.count("How many blocks it has.", 6, minimum=1)


FlowVersionPageSchema = base.page_of(FlowVersionSchema, "FlowVersion")


class FlowProblemSchema(base.Resource):
    """Something that keeps a flow from running."""

    place = base.said("Where: the dotted path within the flow.", "blocks.hello.next")
    message = base.said("What.", "There is no block gone.")


class CheckedFlowSchema(base.Resource):
    """What a check of a flow found."""

    valid = base.truth("Whether `PUT` would take it.")
    problems = fields.List(
        fields.Nested(FlowProblemSchema), required=True, metadata={"description": "Every one, none when valid."}
    )


class SimulatedInputSchema(base.Request):
    """What the visitor says: either text or the value of a choice."""

    text = base.text("What is typed.", "Mia Lund", allow_none=True)
    choice = base.text("The `value` of the button.", "quote", maximum=200, allow_none=True)

    @validates_schema
    def check_content(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of the two."""
        if (data.get("text") is None) == (data.get("choice") is None):
            raise ValidationError("Give either text or choice.", "text")


class SimulatedContactSchema(base.Request):
    """Who the visitor is supposed to be."""

    fields_ = fields.Dict(
        keys=fields.String(validate=base.Pattern("^[A-Za-z][A-Za-z0-9_]{0,63}$", "Not the name of a field.")),
        values=fields.Raw(allow_none=True, metadata={"type": ["string", "number", "boolean"], "maxLength": MAX_BLOCK_TEXT}),
        data_key="fields",
        attribute="fields",
        validate=validate.Length(max=100),
        metadata={
            "description": "What is known already, by name.",
            "maxProperties": 100,
            "examples": [{"name": "Mia Lund", "topic": "quote"}],
        },
    )
    country = fields.String(
        allow_none=True,
        validate=base.Pattern("^[A-Za-z]{2}$", "Not an ISO 3166-1 alpha-2 code."),
        metadata={"description": "Where they are: ISO 3166-1 alpha-2.", "examples": ["PT"]},
    )
    first_url = base.free_text("The first page.", "https://shop.example/", maximum=2_000, allow_none=True)
    last_url = base.free_text("The present page.", "https://shop.example/shoes", maximum=2_000, allow_none=True)


class FlowSimulationRequestSchema(base.Request):
    """Which flow to play, with what."""

    flow = fields.Dict(
        keys=fields.String(),
        allow_none=True,
        metadata={"description": "A flow as `PUT` takes it; the channel's own unless given.", "examples": [_EXAMPLE]},
    )
    inputs = fields.List(
        fields.Nested(SimulatedInputSchema),
        load_default=list,
        validate=validate.Length(max=MAX_INPUTS),
        metadata={
            "description": "What the visitor says, one after the other.",
            "examples": [[{"text": "Mia Lund"}, {"choice": "quote"}]],
        },
    )
    contact = fields.Nested(SimulatedContactSchema)
    open = base.Flag(allow_none=True, metadata={"description": "Whether it is within business hours; as it is now unless given."})
    available = base.Flag(allow_none=True, metadata={"description": "Whether agents are available; as it is now unless given."})


class SimulatedChoiceSchema(base.Resource):
    """One way to answer: a button."""

    label = base.said("What the button says.", "A quote")
    value = base.said("What choosing it sends.", "quote")


class SimulatedLineSchema(base.Resource):
    """One line of the transcript."""

    author = base.one_of("Who says it; the system tells what happens.", "bot", "visitor", "system")
    text = base.said("What is said or happens.", "What is your name?")
    choices = fields.List(
        fields.Nested(SimulatedChoiceSchema),
        required=True,
        allow_none=True,
        metadata={"description": "The buttons that are offered."},
    )
    block = base.said("The block that says it.", "name", allow_none=True)


class FlowSimulationSchema(base.Resource):
    """How a flow went. Nothing was stored, and nobody was told."""

    transcript = fields.List(fields.Nested(SimulatedLineSchema), required=True, metadata={"description": "In order."})
    fields_ = fields.Dict(
        keys=fields.String(),
        required=True,
        data_key="fields",
        metadata={"description": "What is known in the end.", "examples": [{"name": "Mia Lund", "topic": "quote"}]},
    )
    state = base.one_of(
        "`waiting` for the visitor, `assigned`: an agent is asked for, `closed`, or `ended`: nothing follows.",
        "waiting",
        "assigned",
        "closed",
        "ended",
    )
    block = base.said("Where it stands.", "topic", allow_none=True)
    unused_inputs = base.count("How many inputs were not come to.", 0)
