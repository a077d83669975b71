"""The arguments that calls about teams take."""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from services.common.validation import ActorSchema, Arguments, Id, PageArguments, trimmed
from services.presence.teams import MAX_MEMBERS

MAX_NAME = 100
MAX_LOOKED_FOR = 2_000


def ids(maximum: int, **options: Any) -> "fields.List[Any]":
    """Up to so many identifiers."""
    return fields.List(Id(), validate=validate.Length(max=maximum), **options)


class CreateTeam(Arguments):
    """A new team."""

    name = trimmed(maximum=MAX_NAME, required=True)
    agent_ids = ids(MAX_MEMBERS, load_default=list)
    actor = fields.Nested(ActorSchema, required=True)
    idempotency_key = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 255))


class TeamId(Arguments):
    """Which team."""

    team_id = Id(required=True)


class ListTeams(PageArguments):
    """Which page."""


class TeamChanges(Schema):
    """What of a team can change."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    name = trimmed(maximum=MAX_NAME)
    agent_ids = ids(MAX_MEMBERS)


class UpdateTeam(TeamId):
    """What to change."""

    changes = fields.Nested(TeamChanges, required=True)
    actor = fields.Nested(ActorSchema, required=True)


class TeamMember(TeamId):
    """Whom to add or remove."""

    agent_id = Id(required=True)
    actor = fields.Nested(ActorSchema, required=True)


class DeleteTeam(TeamId):
    """Which team to delete."""

    actor = fields.Nested(ActorSchema, required=True)


class FindUnknown(Arguments):
    """Whom to look for."""

    agent_ids = ids(MAX_LOOKED_FOR, load_default=list)
    team_ids = ids(MAX_LOOKED_FOR, load_default=list)
