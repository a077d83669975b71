"""What this service reads of its neighbours' events; all else in them is passed over, also words that came later."""

from marshmallow import EXCLUDE, Schema, fields

from services.assignment.choice import STRATEGIES
from services.assignment.domain import PRIORITIES, WAIT
from services.assignment.reassignment import DISCONNECTED_AFTER, UNANSWERED_AFTER
from services.common.validation import Id, Word


class News(Schema):
    """The base of all of them."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE


class ActorNews(News):
    """Who did it; of a kind that may be new here."""

    kind = fields.String(required=True)
    id = Id(load_default=None, allow_none=True)
    name = fields.String(load_default=None, allow_none=True)


class ConversationNews(News):
    """Which conversation it is about."""

    conversation_id = Id(required=True)
    channel_id = Id(required=True)
    contact_id = Id(required=True)


class AssignmentRequested(ConversationNews):
    """The bot, an agent or an integration asks for an agent."""

    strategy = Word(STRATEGIES, otherwise=None, load_default=None, allow_none=True)
    agents = fields.List(Id(), load_default=None, allow_none=True)
    team_id = Id(load_default=None, allow_none=True)
    priority = Word(PRIORITIES, otherwise="normal", load_default="normal")
    unavailable = fields.String(load_default=WAIT, allow_none=True)
    requested_by = fields.Nested(ActorNews, load_default=None, allow_none=True)
    release = fields.Boolean(load_default=False)


class AssigneeSchema(News):
    """An agent by id and name."""

    id = Id(required=True)
    name = fields.String(required=True)


class ByAgent(ConversationNews):
    """An agent wrote into an unassigned conversation (`conversation_taken`), or answered its visitor (`answer_given`)."""

    agent = fields.Nested(AssigneeSchema, required=True)


class AnswerAwaited(ConversationNews):
    """The visitor wrote and awaits an answer."""

    since = fields.AwareDateTime(required=True, format="iso")


class ConversationReturned(ConversationNews):
    """The bot has the conversation again."""

    actor = fields.Nested(ActorNews, required=True)


class Reference(News):
    """A neighbour's resource, by id."""

    id = Id(required=True)


class ConversationArchived(News):
    """The conversation resource."""

    id = Id(required=True)
    channel = fields.Nested(Reference, required=True)
    contact = fields.Nested(Reference, required=True)
    archived_by = fields.Nested(ActorNews, load_default=None, allow_none=True)


class ContactErased(Reference):
    """All that was personal of a contact is gone."""

    at = fields.AwareDateTime(required=True, format="iso")


class Patience(News):
    """A channel's `reassignment`: seconds, null for never."""

    disconnected_after_seconds = fields.Integer(load_default=int(DISCONNECTED_AFTER.total_seconds()), allow_none=True)
    unanswered_after_seconds = fields.Integer(load_default=int(UNANSWERED_AFTER.total_seconds()), allow_none=True)


class ChannelNews(News):
    """The channel resource."""

    id = Id(required=True)
    kind = fields.String(required=True)
    reassignment = fields.Nested(Patience, load_default=lambda: Patience().load({}))


class ReachabilityNews(News):
    """Whether one of the agent's streams is open."""

    agent_id = Id(required=True)
    reachable = fields.Boolean(required=True)


class TeamNews(News):
    """The team resource."""

    id = Id(required=True)
    name = fields.String(required=True)
    agent_ids = fields.List(Id(), required=True)
