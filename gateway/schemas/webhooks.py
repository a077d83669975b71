"""Webhooks of integrations, and the log of what was sent to them."""

from typing import Any

from marshmallow import fields, validate

from gateway.schemas import base

EVENTS = (
    "conversation.created",
    "conversation.updated",
    "conversation.assigned",
    "conversation.archived",
    "message.created",
    "message.updated",
    "contact.created",
    "contact.updated",
    "contact.deleted",
    "ticket.created",
    "ticket.updated",
)
STATES = ("waiting", "delivered", "failed")
MAX_REPLAYED = 500
MAX_CHANNELS = 100
MAX_DESCRIPTION = 500
URL_PATTERN = "^https?://[!-~]{1,1990}$"


def _url(**options: Any) -> fields.String:
    return fields.String(
        validate=base.Pattern(URL_PATTERN, "Not an address such as https://crm.example/foyer."),
        metadata={
            "description": "Where to send: `https`, and no private or local address unless the operators allow it.",
            "examples": ["https://crm.example/foyer"],
        },
        **options,
    )


def _events(**options: Any) -> fields.List[Any]:
    return fields.List(
        base.choice("A kind of event.", *EVENTS),
        validate=validate.Length(1, len(EVENTS)),
        metadata={"description": "What to send.", "examples": [["message.created", "conversation.archived"]]},
        **options,
    )


def _channels(**options: Any) -> fields.List[Any]:
    return fields.List(
        base.identifier("A channel."),
        allow_none=True,
        validate=validate.Length(1, MAX_CHANNELS),
        metadata={"description": "Only what happens in these channels; null for all.", "examples": [[base.EXAMPLE_ID]]},
        **options,
    )


class WebhookSchema(base.Resource):
    """Where an integration wants to be told of what happens."""

    id = base.said("The webhook's id.", base.EXAMPLE_ID)
    url = base.said("Where to.", "https://crm.example/foyer")
    description = base.said("What it is for.", "CRM")
    events = fields.List(
        fields.String(), required=True, metadata={"description": "What is sent.", "examples": [["message.created"]]}
    )
    channel_ids = fields.List(
        fields.String(), required=True, allow_none=True, metadata={"description": "Of which channels; null for all."}
    )
    enabled = base.truth("Whether anything is sent.")
    failing_since = base.moment(
        "Since when nothing but failures came back; null when the last delivery went well.", allow_none=True
    )
    disabled_reason = base.said("Why it was disabled, if that was not by hand.", "Answered 410 Gone.", allow_none=True)
    created_at = base.moment("When it was made.")
    version = base.version()


WebhookPageSchema = base.page_of(WebhookSchema, "Webhook")


class WebhookSecretSchema(WebhookSchema):
    """A webhook with the secret that was just made for it."""

    secret = base.said(
        "Signs what is sent (Standard Webhooks): base64 after `whsec_`. Shown this once.",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )


class NewWebhookSchema(base.Request):
    """A webhook to be made."""

    url = _url(required=True)
    events = _events(required=True)
    channel_ids = _channels()
    description = base.free_text("What it is for.", "CRM", maximum=MAX_DESCRIPTION)


class WebhookChangesSchema(base.Request):
    """What of a webhook can change."""

    url = _url()
    events = _events()
    channel_ids = _channels()
    description = base.free_text("What it is for.", "CRM", maximum=MAX_DESCRIPTION)
    enabled = base.Flag(metadata={"description": "Whether to send. What happens meanwhile is not sent later."})


class DeliveryInLogSchema(base.Resource):
    """One event on its way to a webhook."""

    id = base.said("The delivery's id: the header `webhook-id`, the same at every repetition.", base.EXAMPLE_ID)
    webhook_id = base.said("The webhook.", base.EXAMPLE_ID)
    type = base.said("What happened; `ping` for a trial.", "message.created")
    conversation_id = base.said("The conversation that it is about.", base.EXAMPLE_ID, allow_none=True)
    contact_id = base.said("The contact that it is about.", base.EXAMPLE_ID, allow_none=True)
    state = base.one_of("How it stands.", *STATES)
    attempts = base.count("How often it was tried.", 1)
    last_attempt_at = base.moment("When it was last tried.", allow_none=True)
    next_attempt_at = base.moment("When it will be tried next.", allow_none=True)
    last_status = base.count("The HTTP status that last came back.", 503, allow_none=True)
    last_error = base.said("What last went wrong.", "Answered 503.", allow_none=True)
    created_at = base.moment("When it was noted.")
    delivered_at = base.moment("When it was taken.", allow_none=True)


DeliveryPageSchema = base.page_of(DeliveryInLogSchema, "Delivery")


class DeliveryWithPayloadSchema(DeliveryInLogSchema):
    """One event on its way to a webhook, with what is sent."""

    payload = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "`{type, timestamp, data}`, as it is sent; null when the contact was erased."},
    )


class DeliveryQuery(base.PageQuery):
    """Which deliveries."""

    state = base.choice("Only those that stand so.", *STATES)


class ReplaySchema(base.Request):
    """Which deliveries to send again: these, or else all of a state."""

    optional_body = True

    delivery_ids = fields.List(
        base.identifier("A delivery."),
        allow_none=True,
        validate=validate.Length(1, MAX_REPLAYED),
        metadata={"description": "These ones, whatever their state.", "examples": [[base.EXAMPLE_ID]]},
    )
    state = base.choice("All that stand so, when none are named.", "delivered", "failed", load_default="failed")
    since = fields.String(
        allow_none=True,
        validate=base.Pattern(
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$",
            "Not a time such as 2026-11-24T07:31:47Z.",
        ),
        metadata={"description": "Only those noted since then.", "examples": [base.EXAMPLE_TIME]},
    )


class ReplayedSchema(base.Resource):
    """How many deliveries are sent again."""

    replayed = base.count("How many.", 12)
