"""The arguments of what an operator asks of presence."""

from marshmallow import fields, validate

from services.common.validation import ActorSchema, Arguments, Id, Limit
from services.presence.schemas import MAX_EMAIL


class FindAgent(Arguments):
    """Whose."""

    email = fields.String(required=True, validate=validate.Length(1, MAX_EMAIL))


class RevokeSessions(Arguments):
    """Whose; everybody's without an agent."""

    agent_id = Id(load_default=None, allow_none=True)
    actor = fields.Nested(ActorSchema, required=True)


class RevokeApiTokens(Arguments):
    """Those that somebody made; all without."""

    created_by = Id(load_default=None, allow_none=True)
    actor = fields.Nested(ActorSchema, required=True)


class Announce(Arguments):
    """Which page: those after an id."""

    cursor = Id(load_default=None, allow_none=True)
    limit = Limit(default=100)
    actor = fields.Nested(ActorSchema, required=True)
