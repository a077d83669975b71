"""What a visitor's widget sends and sees."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from gateway.schemas import base
from gateway.schemas.conversations import ChoiceSchema, QueuePlaceSchema, own_message_id

MIN_SESSION_KEY = 16
USER_ID_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,200}$"


class SessionKeyHeader(base.IdempotencyHeader):
    """Of the session call: whoever repeats it gets the visitor that it made, so it must be unguessable."""

    idempotency_key = fields.String(
        data_key="Idempotency-Key",
        validate=base.Pattern("^[!-~]{16,200}$", "16 to 200 printable ASCII characters without blanks, and random."),
        metadata={
            "description": "A random value, a new UUID for instance. A repeat without a visitor's token but with the same key "
            "finds the visitor that the first one made.",
            "examples": ["3f0c7e9a-8a55-4f0e-9a3b-0d9b1f6f2c11"],
        },
    )


class UserSchema(base.Request):
    """The website's signed-in user, by the website's word."""

    id = fields.String(
        required=True,
        validate=base.Pattern(USER_ID_PATTERN, "1 to 200 printable characters."),
        metadata={
            "description": "The website's own id of the user; it never changes and is nobody else's.",
            "examples": ["4711"],
        },
    )
    hash = fields.String(
        required=True,
        validate=base.Pattern("^[0-9A-Fa-f]{64}$", "Not 64 hexadecimal digits."),
        metadata={
            "description": "HMAC-SHA256 of the id by the channel's identity secret, in hexadecimal; computed by the website's server.",
            "examples": ["ef467732e8fee8043e358830fe2da86c1deb6729e0c5580825f016ee36d6c3bc"],
        },
    )
    name = base.free_text("Their name.", "Ada Lovelace", maximum=500, allow_none=True)
    email = base.free_text("Their e-mail address.", "ada@example.com", maximum=500, allow_none=True)
    phone = base.free_text("Their phone number.", "+351 21 123 4567", maximum=500, allow_none=True)


class VisitSchema(base.Request):
    """A visitor is there; long addresses and titles are cut."""

    optional_body = True

    url = base.free_text("The page's address.", "https://shop.example/shoes?utm_source=news", maximum=10_000, allow_none=True)
    title = base.free_text("The page's title.", "Shoes", maximum=2_000, allow_none=True)
    referrer = base.free_text("Where the visitor came from.", maximum=10_000, allow_none=True)
    locale = base.free_text("The language of the browser.", "pt-PT", maximum=100, allow_none=True)
    time_zone = base.free_text(
        "The time zone of the browser (IANA); one that is unknown is passed over.", "Europe/Lisbon", maximum=100, allow_none=True
    )
    visitor_token = fields.String(
        allow_none=True,
        validate=base.Pattern(r"^[\x20-\x7e]{0,4096}$", "Not a token."),
        metadata={
            "description": "Of the visitor's earlier session, if any; one that is no longer good, or of a user who is no longer "
            "signed in, begins a new visitor."
        },
    )
    user = fields.Nested(
        UserSchema, allow_none=True, metadata={"description": "The website's signed-in user; null or left out when nobody is."}
    )


class PageViewSchema(base.Request):
    """A page that the visitor goes to during a visit; long addresses and titles are cut."""

    url = base.text("The page's address.", "https://shop.example/shoes", required=True)
    title = base.free_text("The page's title.", "Shoes", maximum=2_000, allow_none=True)
    referrer = base.free_text("Where the visitor came from.", maximum=10_000, allow_none=True)


class VisitorAuthorSchema(base.Resource):
    """Who wrote a message; agents have no id here."""

    kind = base.one_of("What they are.", "visitor", "bot", "agent", "system")
    id = fields.String(allow_none=True, metadata={"description": "Their id; not there for agents."})
    name = base.said("Their name, where they have one.", "Ada", allow_none=True)


class VisitorMessageSchema(base.Resource):
    """A message as its visitor sees it."""

    id = base.said("The message's id.", base.EXAMPLE_ID)
    conversation_id = base.said("Its conversation.", base.EXAMPLE_ID)
    seq = base.count("Its number within the conversation: 1, 2, 3 … without gaps.", 4, minimum=1)
    author = fields.Nested(VisitorAuthorSchema, required=True)
    text = base.said("What was said.", "Hi, I am the Acme bot.")
    choices = fields.List(
        fields.Nested(ChoiceSchema), required=True, allow_none=True, metadata={"description": "Buttons to choose from."}
    )
    created_at = base.moment("When it was accepted.")
    client_message_id = base.said("The sender's own id of it.", allow_none=True)


VisitorMessagePageSchema = base.page_of(VisitorMessageSchema, "VisitorMessage")


class AgentNameSchema(base.Resource):
    """An agent as visitors see one."""

    name = base.said("The agent's name.", "Ada")


class VisitorConversationSchema(base.Resource):
    """A conversation as its visitor sees it."""

    id = base.said("The conversation's id.", base.EXAMPLE_ID)
    status = base.one_of("Writing into an archived one begins another.", "open", "archived")
    handler = base.one_of("Who answers.", "bot", "queue", "agent")
    assignee = fields.Nested(AgentNameSchema, required=True, allow_none=True)
    queue = fields.Nested(
        QueuePlaceSchema,
        required=True,
        allow_none=True,
        metadata={"description": "One's own place in line while waiting for an agent."},
    )
    last_seq = base.count("The newest message's number.", 4)
    visitor_read_seq = base.count("Up to here the visitor has read.", 4)
    created_at = base.moment("When it began.")
    archived_at = base.moment("When it was archived.", allow_none=True)
    version = base.version()


class VisitorPlaceSchema(base.Resource):
    """Whether the visitor waits for an agent."""

    state = base.one_of("How the conversation stands.", "unassigned", "queued", "assigned", "closed")
    queue_position = base.count("The place in line, 1 being next; null when not waiting.", 1, minimum=1, allow_none=True)


class VisitorContactSchema(base.Resource):
    """A profile as its visitor sees it."""

    id = base.said("The visitor's id.", base.EXAMPLE_ID)
    name = base.said("Their name, or one made up for them.", "Teal Otter")
    email = base.said("Their e-mail address.", allow_none=True)
    phone = base.said("Their phone number.", allow_none=True)
    locale = base.said("Their language.", "pt-PT", allow_none=True)


class WidgetSessionSchema(base.Resource):
    """What a widget needs to begin."""

    visitor_token = base.said("For `Authorization: Bearer …`; keep it for the visitor's next visit.")
    contact = fields.Nested(VisitorContactSchema, required=True)
    conversation = fields.Nested(VisitorConversationSchema, required=True)
    messages = fields.List(
        fields.Nested(VisitorMessageSchema), required=True, metadata={"description": "The newest 50, oldest first."}
    )


class NewVisitorMessageSchema(base.Request):
    """What the visitor says: either text or the value of a choice."""

    text = base.text("What was typed.", "Do you ship to Portugal?", allow_none=True)
    choice = base.text("The `value` of the button.", "quote", maximum=200, allow_none=True)
    client_message_id = own_message_id()

    @validates_schema
    def check_content(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of the two."""
        if (data.get("text") is None) == (data.get("choice") is None):
            raise ValidationError("Give either text or choice.", "text")
