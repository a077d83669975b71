"""The form of a flow's blocks and tests, for the documentation; messaging, which alone knows what a flow may do, checks them."""

from typing import Any

from gateway.schemas import base
from gateway.schemas.assignments import MAX_NAMED_AGENTS, PRIORITIES, STRATEGIES

MAX_DELAY_SECONDS = 604_800
MAX_CASES = 20
MAX_RETRIES = 20
MAX_LISTED = 100
MAX_BLOCK_TEXT = 2_000
Form = dict[str, Any]


def _object(description: str, required: list[str], properties: Form) -> Form:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _block(type_: str, description: str, required: list[str], /, **properties: Any) -> Form:
    return _object(description, ["type", *required], {"type": {"const": type_}, **properties})


def _text(description: str, *, optional: bool = False, maximum: int = MAX_BLOCK_TEXT) -> Form:
    return {
        "type": ["string", "null"] if optional else "string",
        "minLength": 1,
        "maxLength": maximum,
        "description": description,
    }


_SAID = "What to say. `{field}` inserts a collected value, `{field|someone}` or else what stands behind the bar."
_TEXT = _text(_SAID)
_OPTIONAL_TEXT = _text(_SAID, optional=True)
_BLOCK_NAME: Form = {"type": ["string", "null"], "pattern": base.ID_PATTERN}
_NEXT = {**_BLOCK_NAME, "description": "The block that follows; null ends the flow."}
_FIELD: Form = {
    "type": "string",
    "pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$",
    "description": "Where the answer is kept: `name`, `email`, `phone`, or else a custom field.",
}
_RETRY = {**_OPTIONAL_TEXT, "description": "Said when the answer is not of the kind."}
_RETRIES: Form = {
    "type": ["integer", "null"],
    "minimum": 1,
    "maximum": MAX_RETRIES,
    "default": None,
    "description": "How many wrong answers are met with the retry text; null for no limit.",
}
_OTHERWISE = {**_BLOCK_NAME, "default": None, "description": "Where to go when the retries are used up; null asks for a human."}
_AGENTS: Form = {
    "type": ["array", "null"],
    "items": {"type": "string", "pattern": base.ID_PATTERN},
    "minItems": 1,
    "maxItems": MAX_NAMED_AGENTS,
}
_TEAM: Form = {"type": ["string", "null"], "pattern": base.ID_PATTERN}


def _options(*, with_next: bool) -> Form:
    properties: Form = {
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


def _test(on: str, description: str, required: list[str], /, **properties: Any) -> Form:
    return _object(description, ["on", *required], {"on": {"const": on}, **properties})


def _joint(name: str, description: str) -> Form:
    tests = {"type": "array", "minItems": 1, "maxItems": 50, "items": {"$ref": "#/components/schemas/FlowTest"}}
    return _object(description, [name], {name: tests})


FLOW_TEST: Form = {
    "description": "Something that a condition block asks. Tests nest up to 5 deep, and a block has at most 50 of them.",
    "oneOf": [
        _test(
            "field",
            "A collected value. Texts are compared without regard to case; `above` and `below` compare numbers and ISO dates. "
            "`set` and `empty` take no `value`, `one_of` a list.",
            ["field", "is"],
            field=_FIELD,
            **{"is": {"enum": ["set", "empty", "equal", "unequal", "contains", "starts_with", "one_of", "above", "below"]}},
            value={
                "description": "What it is compared with.",
                "anyOf": [
                    {"type": "string", "minLength": 1, "maxLength": MAX_BLOCK_TEXT},
                    {"type": ["number", "boolean"]},
                    {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_LISTED,
                        "items": {"type": ["string", "number", "boolean"]},
                    },
                ],
            },
        ),
        _test(
            "country",
            "Where the visitor is, by ISO 3166-1 alpha-2 code. `known` takes no `value`.",
            ["is"],
            **{"is": {"enum": ["one_of", "none_of", "known"]}},
            value={
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_LISTED,
                "items": {"type": "string", "pattern": "^[A-Za-z]{2}$"},
            },
        ),
        _test(
            "url",
            "The page that the visitor looked at, by its address.",
            ["is", "value"],
            page={"enum": ["first", "last"], "default": "last"},
            **{"is": {"enum": ["contains", "starts_with", "equal"]}},
            value={"type": "string", "minLength": 1, "maxLength": MAX_BLOCK_TEXT},
        ),
        _test(
            "business_hours",
            "Whether the channel is open now.",
            ["is"],
            **{"is": {"enum": ["open", "closed"]}},
        ),
        _test(
            "agents",
            "Whether somebody could take a conversation now: anybody, one of these agents, or one of this team.",
            ["is"],
            **{"is": {"enum": ["available", "unavailable"]}},
            agents=_AGENTS,
            team=_TEAM,
        ),
        _joint("all", "Every one of these holds."),
        _joint("any", "At least one of these holds."),
        _object("This one doesn't hold.", ["not"], {"not": {"$ref": "#/components/schemas/FlowTest"}}),
    ],
}

_CASE = _object(
    "Where to go when something holds.",
    ["if", "next"],
    {"if": {"$ref": "#/components/schemas/FlowTest"}, "next": _NEXT},
)

FLOW_BLOCK: Form = {
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
            retry=_RETRY,
            retries=_RETRIES,
            otherwise=_OTHERWISE,
            options=_options(with_next=False),
            next=_NEXT,
        ),
        _block(
            "buttons",
            "Offers options, and waits for one of them.",
            ["text", "options"],
            text=_TEXT,
            field={**_FIELD, "type": ["string", "null"]},
            retry=_RETRY,
            retries=_RETRIES,
            otherwise=_OTHERWISE,
            options=_options(with_next=True),
        ),
        _block(
            "condition",
            "Goes the way of the first case that holds.",
            ["cases", "else"],
            cases={"type": "array", "minItems": 1, "maxItems": MAX_CASES, "items": _CASE},
            **{"else": {**_NEXT, "description": "Where to go when none holds; null ends the flow."}},
        ),
        _block(
            "set",
            "Keeps a value. One that is not of a personal field's kind leaves that field as it is.",
            ["field", "value", "next"],
            field=_FIELD,
            value={
                "description": "A text, in which `{field}` inserts a collected value, a number, true or false; null clears.",
                "type": ["string", "number", "boolean", "null"],
                "maxLength": MAX_BLOCK_TEXT,
            },
            next=_NEXT,
        ),
        _block(
            "ticket",
            "Opens a ticket of the contact.",
            ["subject", "next"],
            subject=_text("What it is about; with `{field}` as in what the bot says.", maximum=200),
            description=_text("The details; likewise.", optional=True),
            next=_NEXT,
        ),
        _block(
            "delay",
            "Waits for a while, whatever the visitor writes meanwhile.",
            ["seconds", "next"],
            seconds={"type": "integer", "minimum": 1, "maximum": MAX_DELAY_SECONDS},
            next=_NEXT,
        ),
        _block(
            "assign",
            "Asks for an agent.",
            [],
            text=_OPTIONAL_TEXT,
            strategy={"enum": list(STRATEGIES), "default": "least_busy", "description": "How to choose."},
            agents={
                **_AGENTS,
                "description": "Among whom: these agents. Excludes `team`; without either, everybody.",
            },
            team={
                **_TEAM,
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
