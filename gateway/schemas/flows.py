"""The bots' flows: documented here, checked by messaging, which alone knows what a flow may do."""

from typing import Any

from marshmallow import fields, validate

from gateway.schemas import base
from gateway.schemas.assignments import MAX_NAMED_AGENTS, PRIORITIES, STRATEGIES


class FlowSchema(base.Request):
    """What the bot says, asks and does: named blocks, one after the other."""

    start = fields.String(
        required=True,
        validate=base.Pattern(base.ID_PATTERN, "A block's name has 1 to 64 letters, digits, _ or -."),
        metadata={"description": "The first block.", "examples": ["hello"]},
    )
    blocks = fields.Dict(
        keys=fields.String(validate=base.Pattern(base.ID_PATTERN, "A block's name has 1 to 64 letters, digits, _ or -.")),
        values=fields.Dict(keys=fields.String()),
        required=True,
        validate=validate.Length(1, 500),
        metadata={
            "description": "The blocks by name.",
            "minProperties": 1,
            "maxProperties": 500,
            "propertyNames": {"pattern": base.ID_PATTERN},
            "additionalProperties": {"$ref": "#/components/schemas/FlowBlock"},
            "examples": [{"hello": {"type": "message", "text": "Hi, I am the Acme bot.", "next": None}}],
        },
    )


class ChannelFlowSchema(base.Resource):
    """A channel's flow."""

    flow = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "As it was put; null when no bot answers. Its form is that of `PUT`'s body."},
    )


def _block(type_: str, description: str, required: list[str], /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "required": ["type", *required],
        "properties": {"type": {"const": type_}, **properties},
        "additionalProperties": False,
    }


_TEXT: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 2000,
    "description": "`{field}` inserts a collected value.",
}
_OPTIONAL_TEXT = {**_TEXT, "type": ["string", "null"]}
_NEXT: dict[str, Any] = {
    "type": ["string", "null"],
    "pattern": base.ID_PATTERN,
    "description": "The block that follows; null ends the flow.",
}
_FIELD = {
    "type": "string",
    "pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$",
    "description": "Where the answer is kept: `name`, `email`, `phone`, or else a custom field.",
}


def _options(*, with_next: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "label": {"type": "string", "minLength": 1, "maxLength": 80},
        "value": {"type": "string", "minLength": 1, "maxLength": 200},
    }
    if with_next:
        properties["next"] = _NEXT
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": 20,
        "items": {"type": "object", "required": ["label", "value"], "properties": properties, "additionalProperties": False},
    }


FLOW_BLOCK: dict[str, Any] = {
    "description": "One step of a flow. More types may come.",
    "oneOf": [
        _block("message", "Says something.", ["text", "next"], text=_TEXT, next=_NEXT),
        _block(
            "question",
            "Asks, and waits for an answer of its kind.",
            ["kind", "text", "field", "next"],
            kind={"enum": ["text", "name", "email", "phone", "number", "date", "choice"]},
            text=_TEXT,
            field=_FIELD,
            retry={**_OPTIONAL_TEXT, "description": "Said when the answer is not of the kind."},
            options=_options(with_next=False),
            next=_NEXT,
        ),
        _block(
            "buttons",
            "Offers options, and waits for one of them.",
            ["text", "options"],
            text=_TEXT,
            field={**_FIELD, "type": ["string", "null"]},
            retry=_OPTIONAL_TEXT,
            options=_options(with_next=True),
        ),
        _block(
            "assign",
            "Asks for an agent.",
            [],
            text=_OPTIONAL_TEXT,
            strategy={"enum": list(STRATEGIES), "default": "least_busy", "description": "How to choose."},
            agents={
                "type": ["array", "null"],
                "items": {"type": "string", "pattern": base.ID_PATTERN},
                "minItems": 1,
                "maxItems": MAX_NAMED_AGENTS,
                "description": "Among whom: these agents. Excludes `team`; without either, everybody.",
            },
            team={
                "type": ["string", "null"],
                "pattern": base.ID_PATTERN,
                "description": "Among whom: the agents of this team, as it is when the choice is made. Excludes `agents`.",
            },
            priority={
                "enum": list(PRIORITIES),
                "default": "normal",
                "description": "Who waits with a higher one is served first.",
            },
            unavailable={
                "type": "string",
                "pattern": base.ID_PATTERN,
                "default": "wait",
                "description": "`wait`, or the block to go to when nobody is there, and at once outside the channel's business hours.",
            },
        ),
        _block("goto", "Goes on elsewhere.", ["next"], next=_NEXT),
        _block("close", "Says goodbye and archives the conversation.", [], text=_OPTIONAL_TEXT),
    ],
    "discriminator": {"propertyName": "type"},
}
