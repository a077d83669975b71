"""The arguments of the webhooks' RPC methods."""

from typing import Any

from marshmallow import fields, validate

from services.common.guard import MAX_URL
from services.common.validation import ActorSchema, Arguments, Id, PageArguments, trimmed
from services.messaging.webhooks.told import EVENTS

STATES = ("waiting", "delivered", "failed")
MAX_CHANNELS = 100
MAX_REPLAYED_BY_ID = 500


def _actor() -> fields.Nested:
    return fields.Nested(ActorSchema, required=True)


def _url(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(1, MAX_URL), **options)


def _events(**options: Any) -> fields.List[Any]:
    return fields.List(fields.String(validate=validate.OneOf(EVENTS)), validate=validate.Length(1, 50), **options)


def _channel_ids(**options: Any) -> fields.List[Any]:
    return fields.List(Id(), allow_none=True, validate=validate.Length(1, MAX_CHANNELS), **options)


def _description(**options: Any) -> fields.String:
    return trimmed(minimum=0, maximum=500, **options)


class CreateWebhook(Arguments):
    """The arguments of create_webhook."""

    url = _url(required=True)
    events = _events(required=True)
    channel_ids = _channel_ids(load_default=None)
    description = _description(load_default="")
    actor = _actor()
    idempotency_key = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 200))


class WebhookId(Arguments):
    """A webhook."""

    webhook_id = Id(required=True)


class WebhookChanges(Arguments):
    """What of a webhook can be changed."""

    url = _url()
    events = _events()
    channel_ids = _channel_ids()
    description = _description()
    enabled = fields.Boolean()


class UpdateWebhook(WebhookId):
    """The arguments of update_webhook."""

    changes = fields.Nested(WebhookChanges, required=True)
    actor = _actor()


class ActOnWebhook(WebhookId):
    """The arguments of rotate_webhook_secret, delete_webhook and ping_webhook."""

    actor = _actor()


class ListDeliveries(PageArguments):
    """The arguments of list_deliveries."""

    webhook_id = Id(required=True)
    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATES))


class GetDelivery(WebhookId):
    """The arguments of get_delivery."""

    delivery_id = Id(required=True)


class ReplayDeliveries(ActOnWebhook):
    """The arguments of replay_deliveries."""

    delivery_ids = fields.List(Id(), load_default=None, allow_none=True, validate=validate.Length(1, MAX_REPLAYED_BY_ID))
    state = fields.String(load_default="failed", validate=validate.OneOf(("failed", "delivered")))
    since = fields.AwareDateTime(load_default=None, allow_none=True)
