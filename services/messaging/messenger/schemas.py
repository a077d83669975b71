"""The arguments of the RPC methods that take Facebook's webhook."""

from marshmallow import fields, validate

from services.messaging.channel_schemas import ChannelId

# The gateway takes up to 1 MB.
MAX_BODY = 2_000_000


class VerifyWebhook(ChannelId):
    """The arguments of verify_messenger_webhook: Facebook's `hub.mode`, `hub.verify_token` and `hub.challenge`."""

    mode = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))
    verify_token = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=1000))
    challenge = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=1000))


class ReceiveWebhook(ChannelId):
    """The arguments of receive_messenger_webhook: the body as it came, and the header `X-Hub-Signature-256`."""

    body = fields.String(required=True, validate=validate.Length(max=MAX_BODY))
    signature = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=1000))
