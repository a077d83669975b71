"""What this service takes: the arguments of its methods, and of its neighbours' events the part that it reads."""

from marshmallow import EXCLUDE, Schema, fields, validate

from services.assignment.choice import STRATEGIES
from services.assignment.domain import WAIT
from services.common.validation import ActorSchema, Arguments, Id, PageArguments


class AgentSchema(Schema):
    """An agent resource, as presence answers and tells it."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    id = Id(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(["admin", "agent"]))
    connected = fields.Boolean(required=True)
    availability = fields.String(required=True, validate=validate.OneOf(["available", "busy"]))
    capacity = fields.Integer(required=True, strict=True, validate=validate.Range(0))
    active = fields.Boolean(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(1))


class ConversationArguments(Arguments):
    """Of `get_assignment`."""

    conversation_id = Id(required=True)


class ListAssignmentsArguments(PageArguments):
    """Of `list_assignments`."""

    conversation_id = Id(required=True)


class ListQueueArguments(PageArguments):
    """Of `list_queue`."""


class UnassignArguments(ConversationArguments):
    """Of `unassign_conversation`."""

    actor = fields.Nested(ActorSchema, required=True)


class AssignArguments(UnassignArguments):
    """Of `assign_conversation`."""

    channel_id = Id(required=True)
    contact_id = Id(required=True)
    agent = fields.Nested(AgentSchema, required=True)


class EventData(Schema):
    """The base of what is read from a conversation's events."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    conversation_id = Id(required=True)
    channel_id = Id(required=True)
    contact_id = Id(required=True)


class AssignmentRequested(EventData):
    """The bot, an agent or an integration asks for an agent."""

    strategy = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STRATEGIES))
    agents = fields.List(Id(), load_default=None, allow_none=True)
    unavailable = fields.String(load_default=WAIT, allow_none=True)
    requested_by = fields.Nested(ActorSchema, load_default=None, allow_none=True)
    release = fields.Boolean(load_default=False)


class AssigneeSchema(Schema):
    """An agent by id and name."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    id = Id(required=True)
    name = fields.String(required=True)


class ConversationTaken(EventData):
    """An agent wrote into an unassigned conversation."""

    agent = fields.Nested(AssigneeSchema, required=True)


class ConversationReturned(EventData):
    """The bot has the conversation again."""

    actor = fields.Nested(ActorSchema, required=True)


class ReferenceSchema(Schema):
    """A neighbour's resource, by id."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    id = Id(required=True)


class ConversationArchived(Schema):
    """The conversation resource."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    id = Id(required=True)
    channel = fields.Nested(ReferenceSchema, required=True)
    contact = fields.Nested(ReferenceSchema, required=True)
