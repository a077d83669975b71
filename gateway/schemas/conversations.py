"""Conversations and messages."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from gateway.schemas import base

FOLDERS = ("unassigned", "assigned", "mine", "all", "archived")


class ChannelRefSchema(base.PersonSchema):
    """A channel by id and name."""

    kind = base.one_of("Its kind.", "web", "messenger")


class QueuePlaceSchema(base.Resource):
    """A place in line."""

    position = base.count("1 is next.", 3, minimum=1)
    estimated_wait_seconds = base.count(
        "How long it will probably take from now on, by how long conversations lasted lately and who is there; null when too "
        "little is known, or nobody is there who could be asked.",
        240,
        allow_none=True,
    )


class BotStateSchema(base.Resource):
    """Where the bot's flow stands."""

    flow_version = base.count("The version of the flow that the conversation began with; null without one.", 2, allow_none=True)
    block = base.said("The block where it stands; null when the flow has ended.", "topic", allow_none=True)
    resumes_at = base.moment("When the bot's delay is over; null when there is none.", allow_none=True)


class LastMessageSchema(base.Resource):
    """The newest message, for lists."""

    seq = base.count("Its number.", 4, minimum=1)
    author = fields.Nested(base.AuthorSchema, required=True)
    preview = base.said("How its text begins.", "Do you ship to Portugal?")
    created_at = base.moment("When it was accepted.")


class ConversationSchema(base.Resource):
    """The thread between one contact and the bot and agents."""

    id = base.said("The conversation's id.", base.EXAMPLE_ID)
    status = base.one_of("A contact has at most one open conversation.", "open", "archived")
    handler = base.one_of("Whose turn it is: the bot's, nobody's yet, or the assignee's.", "bot", "queue", "agent")
    contact = fields.Nested(base.PersonSchema, required=True)
    channel = fields.Nested(ChannelRefSchema, required=True)
    assignee = fields.Nested(base.PersonSchema, required=True, allow_none=True)
    queue = fields.Nested(
        QueuePlaceSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Its place in line while it waits for an agent."},
    )
    bot = fields.Nested(BotStateSchema, required=True)
    last_message = fields.Nested(LastMessageSchema, required=True, allow_none=True)
    last_seq = base.count("The newest message's number; 0 without messages.", 4)
    unread_count = base.count("How many of the visitor's messages no agent has read.", 1)
    read_seq = base.count("Up to here agents have read.", 3)
    visitor_read_seq = base.count("Up to here the visitor has read.", 4)
    awaiting_answer_since = base.moment(
        "Since when the visitor waits for an answer of an agent, or of the bot while no agent has it; null when nobody is waiting. "
        "Implied by `message.created`, as `last_message` is.",
        allow_none=True,
    )
    created_at = base.moment("When it began.")
    archived_at = base.moment("When it was archived.", allow_none=True)
    archived_by = fields.Nested(
        base.AuthorSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Who archived it: an agent, the bot or an integration; null while it is open."},
    )
    version = base.version()


ConversationPageSchema = base.page_of(ConversationSchema, "Conversation")


class ConversationQuery(base.PageQuery):
    """Which conversations."""

    folder = base.choice("`mine` holds the caller's.", *FOLDERS, load_default="all")
    channel_id = base.identifier("Only of this channel.")
    agent_id = base.identifier("Only assigned to this agent.")
    contact_id = base.identifier("Only of this contact.")
    q = base.QueryText(
        validate=base.Pattern(r"^[^\u0000]{0,200}$", "At most 200 characters, without NUL."),
        metadata={"description": "Words of the contact's name or of the messages."},
    )


class StatusSchema(base.Request):
    """Archive, or open again."""

    status = base.choice("Archiving frees the assignee's capacity.", "open", "archived", required=True)


class ChoiceSchema(base.Resource):
    """One way to answer: a button."""

    label = base.said("What the button says.", "A quote")
    value = base.said("What choosing it sends.", "quote")


class DeliveryReasonSchema(base.Resource):
    """Why a message could not be delivered, or not yet."""

    code = base.said("`OUTSIDE_WINDOW`, or the channel's own code.", "551")
    message = base.said("In words.", "This person isn't available right now.")


class DeliverySchema(base.Resource):
    """How far a message came in a channel that tells, as Messenger does."""

    state = base.one_of(
        "`queued`, `sent`, `delivered` and `read` in this order, or `failed` for good.",
        "queued",
        "sent",
        "delivered",
        "read",
        "failed",
    )
    at = base.moment("Since when.")
    reason = fields.Nested(
        DeliveryReasonSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Why it failed, or why it is still queued after the first attempt."},
    )


class MessageSchema(base.Resource):
    """One turn of a conversation."""

    id = base.said("The message's id.", base.EXAMPLE_ID)
    conversation_id = base.said("Its conversation.", base.EXAMPLE_ID)
    seq = base.count("Its number within the conversation: 1, 2, 3 … without gaps.", 4, minimum=1)
    author = fields.Nested(base.AuthorSchema, required=True)
    text = base.said("What was said.", "Do you ship to Portugal?")
    choices = fields.List(
        fields.Nested(ChoiceSchema), required=True, allow_none=True, metadata={"description": "The buttons that the bot offers."}
    )
    created_at = base.moment("When it was accepted.")
    client_message_id = base.said("The sender's own id of it.", "b7f3…", allow_none=True)
    delivery = fields.Nested(
        DeliverySchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null in channels that don't tell, as on websites, and for what visitors write."},
    )


MessagePageSchema = base.page_of(MessageSchema, "Message")


class MessageQuery(base.Request):
    """Which messages; without either number, the newest."""

    after_seq = base.QueryNumber(0, base.MAX_SEQ, metadata={"description": "The messages that follow this number."})
    before_seq = base.QueryNumber(1, base.MAX_SEQ, metadata={"description": "The messages before this number."})
    limit = base.QueryNumber(1, 200, load_default=50, metadata={"description": "How many messages at most."})

    @validates_schema
    def check_direction(self, data: dict[str, Any], **_: Any) -> None:
        """One direction at a time."""
        if data.get("after_seq") is not None and data.get("before_seq") is not None:
            raise ValidationError("Give either after_seq or before_seq.", "before_seq")


def own_message_id() -> fields.String:
    """The sender's own id of a message."""
    return fields.String(
        required=True,
        validate=base.Pattern("^[!-~]{1,100}$", "1 to 100 printable ASCII characters without blanks."),
        metadata={
            "description": "Your own id of the message, a new UUID for instance: sending it again answers with the first result.",
            "examples": ["7b0e9d6c-2f43-4f5b-9e1c-6a1d8f2b3c4d"],
        },
    )


class NewMessageSchema(base.Request):
    """A message to be sent."""

    text = base.text("What to say.", "Yes, within three days.", required=True)
    client_message_id = own_message_id()


class ReadSchema(base.Request):
    """How far somebody has read."""

    seq = base.Number(
        0, base.MAX_SEQ, required=True, metadata={"description": "The newest message that was seen.", "examples": [4]}
    )


class TypingSchema(base.Request):
    """Whether somebody is writing."""

    optional_body = True

    typing = base.Flag(load_default=True, metadata={"description": "False when they stopped."})
