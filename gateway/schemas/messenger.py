"""What Facebook sends to a page's webhook: its own forms, named as Facebook names them."""

from marshmallow import fields

from gateway.schemas import base


class ChallengeQuery(base.Request):
    """Facebook asks whether the webhook is ours."""

    mode = fields.String(
        data_key="hub.mode",
        required=True,
        validate=base.Pattern("^[!-~]{1,100}$", "Not a mode."),
        metadata={"description": "What is asked: `subscribe`.", "examples": ["subscribe"]},
    )
    verify_token = fields.String(
        data_key="hub.verify_token",
        required=True,
        validate=base.Pattern(r"^[\x20-\x7e]{1,1000}$", "Not a token."),
        metadata={"description": "The channel's `verify_token`.", "examples": ["a-text-of-your-own"]},
    )
    challenge = fields.String(
        data_key="hub.challenge",
        required=True,
        validate=base.Pattern(r"^[\x20-\x7e]{1,1000}$", "Not a challenge."),
        metadata={"description": "What is to be answered.", "examples": ["1158201444"]},
    )
