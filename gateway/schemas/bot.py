"""What integrations send, and the API tokens they send it with."""

from marshmallow import fields, validate

from gateway.schemas import base
from gateway.schemas.conversations import NewMessageSchema

SCOPES = ("bot",)


class NewChoiceSchema(base.Request):
    """A button to offer."""

    label = base.text("What the button says.", "A quote", maximum=80, required=True)
    value = base.text("What choosing it sends.", "quote", maximum=200, required=True)


class NewBotMessageSchema(NewMessageSchema):
    """A message to be sent, perhaps with buttons."""

    choices = fields.List(
        fields.Nested(NewChoiceSchema),
        allow_none=True,
        validate=validate.Length(1, 20),
        metadata={"description": "The buttons to offer."},
    )


class ApiTokenSchema(base.Resource):
    """An integration's token, without its secret."""

    id = base.said("The token's id.", base.EXAMPLE_ID)
    name = base.said("What it is for.", "CRM sync")
    scopes = fields.List(base.choice("What it may do.", *SCOPES), required=True)
    created_at = base.moment("When it was made.")
    last_used_at = base.moment("When it was last used, to the minute or so.", allow_none=True)


ApiTokenPageSchema = base.page_of(ApiTokenSchema, "ApiToken")


class CreatedApiTokenSchema(ApiTokenSchema):
    """A token that was just made."""

    token = base.said("For `Authorization: Bearer …`; shown this once.")


class NewApiTokenSchema(base.Request):
    """A token to be made."""

    name = base.text("What it is for.", "CRM sync", maximum=100, required=True)
    scopes = fields.List(
        base.choice("What it may do.", *SCOPES),
        required=True,
        validate=validate.Length(1, 10),
        metadata={"description": "What it may do.", "examples": [["bot"]]},
    )
