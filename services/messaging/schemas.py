"""The arguments of the RPC methods about conversations; those about channels and flows are in `channel_schemas.py`."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from services.common.validation import ActorSchema, Arguments, Cursor, Id, Limit, PageArguments, trimmed
from services.messaging.channel_schemas import ChannelId
from services.messaging.flows.schemas import PRIORITIES, STRATEGIES, OptionSchema, check_agents_or_team

FOLDERS = ("unassigned", "assigned", "mine", "all", "archived")


def _actor() -> fields.Nested:
    return fields.Nested(ActorSchema, required=True)


def _client_message_id() -> fields.String:
    return fields.String(
        required=True, validate=validate.Regexp(r"^[\x21-\x7e]{1,100}\Z", error="1 to 100 printable ASCII characters.")
    )


class ContactSnapshot(Schema):
    """What the caller knows of the contact: its name, or its whole resource. What messaging doesn't keep is left out."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    id = Id(required=True)
    name = fields.String(required=True)
    version = fields.Integer(required=True)
    name_source = fields.String()
    email = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    known = fields.Dict(data_key="fields", attribute="fields")
    blocked = fields.Boolean()
    country = fields.Dict(allow_none=True)
    url = fields.Dict(allow_none=True)
    external_id = fields.String(allow_none=True)


class StartConversation(ChannelId):
    """The arguments of start_conversation."""

    contact = fields.Nested(ContactSnapshot, required=True)


class PostVisitorMessage(Arguments):
    """The arguments of post_visitor_message."""

    contact_id = Id(required=True)
    user = fields.Boolean(load_default=False)
    text = trimmed(load_default=None, allow_none=True)
    choice = trimmed(maximum=200, load_default=None, allow_none=True)
    client_message_id = _client_message_id()

    @validates_schema
    def check_content(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of text and choice."""
        if (data.get("text") is None) == (data.get("choice") is None):
            raise ValidationError({"text": ["Give either text or choice."]})


class ConversationId(Arguments):
    """A conversation."""

    conversation_id = Id(required=True)


class PostAgentMessage(ConversationId):
    """The arguments of post_agent_message."""

    text = trimmed(required=True)
    client_message_id = _client_message_id()
    actor = _actor()


class PostBotMessage(PostAgentMessage):
    """The arguments of post_bot_message."""

    choices = fields.List(
        fields.Nested(OptionSchema(exclude=("next",))), load_default=None, allow_none=True, validate=validate.Length(1, 20)
    )


class GetContactConversation(Arguments):
    """The arguments of get_contact_conversation."""

    contact_id = Id(required=True)
    user = fields.Boolean(load_default=False)


class ListConversations(PageArguments):
    """The arguments of list_conversations."""

    folder = fields.String(load_default="all", validate=validate.OneOf(FOLDERS))
    channel_id = Id(load_default=None, allow_none=True)
    agent_id = Id(load_default=None, allow_none=True)
    contact_id = Id(load_default=None, allow_none=True)
    viewer_id = Id(load_default=None, allow_none=True)
    q = trimmed(minimum=0, maximum=200, load_default=None, allow_none=True)

    @validates_schema
    def check_viewer(self, data: dict[str, Any], **_: Any) -> None:
        """`mine` needs somebody whose it is."""
        if data["folder"] == "mine" and not data.get("viewer_id"):
            raise ValidationError({"viewer_id": ["The folder mine needs it."]})


class ListMessages(ConversationId):
    """The arguments of list_messages."""

    after_seq = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**31))
    before_seq = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 2**31))
    limit = Limit(default=50, maximum=200)
    cursor = Cursor()

    @validates_schema
    def check_direction(self, data: dict[str, Any], **_: Any) -> None:
        """One direction at a time."""
        if data.get("after_seq") is not None and data.get("before_seq") is not None:
            raise ValidationError({"before_seq": ["Give either after_seq or before_seq."]})


class SetStatus(ConversationId):
    """The arguments of set_status."""

    status = fields.String(required=True, validate=validate.OneOf(["open", "archived"]))
    actor = _actor()


class MarkRead(ConversationId):
    """The arguments of mark_read."""

    seq = fields.Integer(required=True, strict=True, validate=validate.Range(0, 2**31))
    actor = _actor()


class SignalTyping(ConversationId):
    """The arguments of signal_typing."""

    typing = fields.Boolean(load_default=True)
    actor = _actor()


class ActOnConversation(ConversationId):
    """The arguments of return_to_bot."""

    actor = _actor()


class RequestAssignment(ActOnConversation):
    """The arguments of request_assignment."""

    strategy = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STRATEGIES))
    agents = fields.List(Id(), load_default=None, allow_none=True, validate=validate.Length(1, 200))
    team = Id(load_default=None, allow_none=True)
    priority = fields.String(load_default="normal", validate=validate.OneOf(PRIORITIES))

    @validates_schema
    def check_among_whom(self, data: dict[str, Any], **_: Any) -> None:
        """Agents or a team."""
        check_agents_or_team(data)
