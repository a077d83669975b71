"""The arguments of messaging's RPC methods."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from services.common.validation import ActorSchema, Arguments, Cursor, Id, Limit, PageArguments, trimmed
from services.messaging import hours
from services.messaging.flows.schemas import BLOCK_NAME, PRIORITIES, STRATEGIES, OptionSchema, check_agents_or_team

FOLDERS = ("unassigned", "assigned", "mine", "all", "archived")
_ORIGIN = validate.Regexp(
    r"^https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?\Z", error="Not an origin such as https://shop.example."
)


def _origins(**options: Any) -> fields.List[Any]:
    return fields.List(fields.String(validate=_ORIGIN), validate=validate.Length(max=50), **options)


def _actor() -> fields.Nested:
    return fields.Nested(ActorSchema, required=True)


def _client_message_id() -> fields.String:
    return fields.String(
        required=True, validate=validate.Regexp(r"^[\x21-\x7e]{1,100}\Z", error="1 to 100 printable ASCII characters.")
    )


def _check_day(spans: object) -> None:
    try:
        hours.read_day(spans)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _check_zone(name: str) -> None:
    if not hours.is_known_zone(name):
        raise ValidationError("Not a time zone of the IANA database, such as Europe/Berlin.")


class BusinessHours(Arguments):
    """A weekly schedule in a time zone."""

    time_zone = fields.String(required=True, validate=_check_zone)
    weekly = fields.Nested(
        Arguments.from_dict({day: fields.Raw(validate=_check_day) for day in hours.DAYS}, name="Weekly"), required=True
    )


def _business_hours(**options: Any) -> fields.Nested:
    return fields.Nested(BusinessHours, allow_none=True, **options)


def _seconds() -> fields.Integer:
    return fields.Integer(strict=True, allow_none=True, validate=validate.Range(10, 86_400))


class Reassignment(Arguments):
    """When a conversation leaves an agent who doesn't answer; None never."""

    disconnected_after_seconds = _seconds()
    unanswered_after_seconds = _seconds()


class CreateChannel(Arguments):
    """The arguments of create_channel."""

    kind = fields.String(required=True, validate=validate.OneOf(["web", "messenger"]))
    name = trimmed(maximum=100, required=True)
    allowed_origins = _origins(load_default=list)
    business_hours = _business_hours(load_default=None)
    reassignment = fields.Nested(Reassignment, load_default=dict)
    actor = _actor()
    idempotency_key = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 200))


class ChannelId(Arguments):
    """A channel."""

    channel_id = Id(required=True)


class ChannelChanges(Arguments):
    """What of a channel can be changed."""

    name = trimmed(maximum=100)
    allowed_origins = _origins()
    business_hours = _business_hours()
    reassignment = fields.Nested(Reassignment)


class UpdateChannel(ChannelId):
    """The arguments of update_channel."""

    changes = fields.Nested(ChannelChanges, required=True)
    actor = _actor()


class DeleteChannel(ChannelId):
    """The arguments of delete_channel."""

    actor = _actor()


class PutFlow(ChannelId):
    """The arguments of put_flow; the flow itself is checked by messaging.flows."""

    flow = fields.Dict(required=True)
    actor = _actor()


class PreviewAssignment(ChannelId):
    """The arguments of preview_assignment."""

    block = fields.String(load_default=None, allow_none=True, validate=BLOCK_NAME)


class ContactSnapshot(Arguments):
    """What the caller knows of the contact."""

    id = Id(required=True)
    name = fields.String(required=True)
    version = fields.Integer(required=True)


class StartConversation(ChannelId):
    """The arguments of start_conversation."""

    contact = fields.Nested(ContactSnapshot, required=True)


class PostVisitorMessage(Arguments):
    """The arguments of post_visitor_message."""

    contact_id = Id(required=True)
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


class ContactId(Arguments):
    """A contact."""

    contact_id = Id(required=True)


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
