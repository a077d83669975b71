"""Channels: where visitors come from, when somebody is there for them, and how long they may be kept waiting."""

from typing import Any

from marshmallow import fields, validate

from gateway.schemas import base

ZONE_PATTERN = "^[A-Za-z0-9_+/-]{1,64}$"
OPENING_PATTERN = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
PRINTABLE = "^[!-~]{1,1000}$"
MAX_OPENINGS = 24  # a day
REASSIGNMENT_SECONDS = (10, 86_400)
ORIGIN_PATTERN = r"^https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?$"


def _origins(**options: Any) -> fields.List[Any]:
    return fields.List(
        fields.String(validate=base.Pattern(ORIGIN_PATTERN, "Not an origin such as https://shop.example.")),
        validate=validate.Length(max=50),
        metadata={
            "description": "The web pages that may use the channel; none means any.",
            "examples": [["https://shop.example"]],
        },
        **options,
    )


def _day() -> fields.List[Any]:
    return fields.List(
        fields.List(
            fields.String(validate=base.Pattern(OPENING_PATTERN, "Not a time such as 09:00.")), validate=validate.Length(equal=2)
        ),
        validate=validate.Length(max=MAX_OPENINGS),
        metadata={
            "description": "From when until when, in order and without overlap; the last may end at `24:00`.",
            "examples": [[["09:00", "12:30"], ["13:00", "17:00"]]],
        },
    )


class WeekSchema(base.Request):
    """When the channel is open, day by day; a day that is missing is closed."""

    monday = _day()
    tuesday = _day()
    wednesday = _day()
    thursday = _day()
    friday = _day()
    saturday = _day()
    sunday = _day()


class BusinessHoursSchema(base.Request):
    """A weekly schedule, in the wall clock of a place."""

    time_zone = fields.String(
        required=True,
        validate=base.Pattern(ZONE_PATTERN, "Not a time zone such as Europe/Berlin."),
        metadata={"description": "An IANA time zone, whose daylight saving is followed.", "examples": ["Europe/Berlin"]},
    )
    weekly = fields.Nested(WeekSchema, required=True)


class ReassignmentSchema(base.Request):
    """When a conversation whose visitor waits for an answer returns from its agent to the head of the line; null for never.

    What is not named stays as it is.
    """

    disconnected_after_seconds = base.Number(
        *REASSIGNMENT_SECONDS,
        allow_none=True,
        metadata={"description": "So long after the agent's connection was lost; 60 to begin with.", "examples": [60]},
    )
    unanswered_after_seconds = base.Number(
        *REASSIGNMENT_SECONDS,
        allow_none=True,
        metadata={
            "description": "So long after the visitor began to wait, whatever the agent does; 300 to begin with.",
            "examples": [300],
        },
    )


class ChannelReassignmentSchema(base.Resource):
    """When a conversation whose visitor waits for an answer returns from its agent to the head of the line; null for never."""

    disconnected_after_seconds = base.count("So long after the agent's connection was lost.", 60, minimum=10, allow_none=True)
    unanswered_after_seconds = base.count(
        "So long after the visitor began to wait, whatever the agent does.", 300, minimum=10, allow_none=True
    )


def _business_hours(**options: Any) -> fields.Nested:
    return fields.Nested(
        BusinessHoursSchema,
        allow_none=True,
        metadata={
            "description": "When agents are there; null for always. Outside of them an assign block goes its `unavailable` way at "
            "once; one that says `wait` waits whatever the hour."
        },
        **options,
    )


def _secret(description: str) -> fields.String:
    return fields.String(
        load_only=True,
        allow_none=True,
        validate=base.Pattern(PRINTABLE, "Up to 1000 printable ASCII characters without blanks."),
        metadata={"description": f"{description} Written, never shown; null takes it away.", "writeOnly": True},
    )


class MessengerSettingsSchema(base.Request):
    """How a channel of kind `messenger` is joined to its Facebook page. What is not named stays as it is."""

    page_id = fields.String(
        allow_none=True,
        validate=base.Pattern("^[0-9]{1,32}$", "A page's id has digits only."),
        metadata={"description": "The page, which no other channel may have; null for none.", "examples": ["104857600000000"]},
    )
    page_access_token = _secret("The page's access token, for sending.")
    app_secret = _secret("The app's secret, by which Facebook signs what it sends.")
    verify_token = _secret("What Facebook repeats when the webhook is set up: a text of your own.")
    human_agent_tag = base.Flag(
        metadata={
            "description": "Whether the app may answer by agents up to 7 days after the visitor's last message (`HUMAN_AGENT`)."
        }
    )


class FaultSchema(base.Resource):
    """What keeps messages from being sent."""

    code = base.said("Facebook's code.", "190")
    message = base.said("Facebook's words.", "Error validating access token.")
    since = base.moment("Since when.")


class ChannelMessengerSchema(base.Resource):
    """How the channel is joined to its Facebook page; of secrets only whether they are there."""

    page_id = base.said("The page.", "104857600000000", allow_none=True)
    has_page_access_token = base.truth("Whether messages can be sent.")
    has_app_secret = base.truth("Whether what Facebook sends can be believed.")
    has_verify_token = base.truth("Whether the webhook can be set up.")
    human_agent_tag = base.truth("Whether agents may answer up to 7 days after the visitor's last message.")
    fault = fields.Nested(
        FaultSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Why Facebook refuses the token; null while it doesn't. A new token ends it."},
    )


class ChannelSchema(base.Resource):
    """Where visitors come from."""

    id = base.said("The channel's id.", base.EXAMPLE_ID)
    kind = base.one_of("A website, or a Facebook page.", "web", "messenger")
    name = base.said("The name that agents see.", "Acme website")
    visitor_count = base.count("How many visitors ever talked to it.", 1200)
    allowed_origins = fields.List(
        fields.String(), required=True, metadata={"description": "The web pages that may use it; none means any."}
    )
    has_flow = base.truth("Whether a bot answers.")
    has_identity_secret = base.truth("Whether the website can say who its signed-in users are.")
    flow_version = base.count("Which version of its flow new conversations begin with; null without a flow.", 2, allow_none=True)
    messenger = fields.Nested(
        ChannelMessengerSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Of kind `messenger`: its page; null otherwise."},
    )
    business_hours = _business_hours(required=True)
    reassignment = fields.Nested(ChannelReassignmentSchema, required=True)
    created_at = base.moment("When it was made.")
    version = base.version()


ChannelPageSchema = base.page_of(ChannelSchema, "Channel")


class IdentitySecretSchema(base.Resource):
    """By which a website says who its signed-in users are."""

    identity_secret = base.said(
        "The key, as text; shown this once, and for your server alone.",
        "5f2b0c9ad1e84c37b6f0a9d2713e58c46b1d7f3a0e92c5584d6a1b7c3f80e925",
    )


class NewChannelSchema(base.Request):
    """A channel to be created."""

    kind = base.choice("A website, or a Facebook page.", "web", "messenger", required=True)
    name = base.text("The name that agents see.", "Acme website", maximum=100, required=True)
    allowed_origins = _origins(load_default=list)
    business_hours = _business_hours()
    reassignment = fields.Nested(ReassignmentSchema)
    messenger = fields.Nested(MessengerSettingsSchema, metadata={"description": "Of kind `messenger` alone."})


class ChannelChangesSchema(base.Request):
    """What of a channel can change."""

    name = base.text("The name that agents see.", "Acme website", maximum=100)
    allowed_origins = _origins()
    business_hours = _business_hours()
    reassignment = fields.Nested(ReassignmentSchema)
    messenger = fields.Nested(MessengerSettingsSchema, metadata={"description": "Of kind `messenger` alone."})
