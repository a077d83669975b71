"""What the methods of this service take; what it reads of its neighbours' events is in `news.py`."""

from marshmallow import EXCLUDE, Schema, fields, validate

from services.assignment.choice import STRATEGIES
from services.assignment.domain import PRIORITIES, WAIT
from services.common.validation import ActorSchema, Arguments, Id, PageArguments, trimmed

MAX_REMARK = 500
MAX_NAMED = 1_000
MAX_NOTED = 1_000


class AgentSchema(Schema):
    """An agent resource, as presence answers and tells it; of a later version it may say more, and in other words."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    id = Id(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    connected = fields.Boolean(required=True)
    availability = fields.String(required=True)  # whoever is not `available` is not chosen
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


class LeaveQueueArguments(ConversationArguments):
    """Of `leave_queue`."""

    actor = fields.Nested(ActorSchema, required=True)


class UnassignArguments(LeaveQueueArguments):
    """Of `unassign_conversation`. Without an `expected_assignee_id` nothing is checked; null expects nobody."""

    expected_assignee_id = Id(allow_none=True)
    remark = trimmed(maximum=MAX_REMARK, load_default=None, allow_none=True)


class AssignArguments(UnassignArguments):
    """Of `assign_conversation`."""

    channel_id = Id(required=True)
    contact_id = Id(required=True)
    agent = fields.Nested(AgentSchema, required=True)


class NoteVisitorsArguments(Arguments):
    """Of `note_visitors`."""

    contact_ids = fields.List(Id(), required=True, validate=validate.Length(max=MAX_NOTED))


class SimulateArguments(Arguments):
    """Of `simulate_assignment`."""

    channel_id = Id(required=True)
    strategy = fields.String(load_default="least_busy", validate=validate.OneOf(STRATEGIES))
    agents = fields.List(Id(), load_default=None, allow_none=True, validate=validate.Length(max=MAX_NAMED))
    team_id = Id(load_default=None, allow_none=True)
    priority = fields.String(load_default="normal", validate=validate.OneOf(list(PRIORITIES)))
    unavailable = fields.String(load_default=WAIT)
