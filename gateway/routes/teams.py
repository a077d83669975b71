"""Teams: named groups of agents."""

from typing import Any

from flask import Response

from gateway.answers import answer, created, nothing
from gateway.auth import admin_required, agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.schemas.base import IdempotencyHeader, PageQuery
from gateway.schemas.teams import NewTeamSchema, TeamChangesSchema, TeamPageSchema, TeamSchema

blueprint = Blueprint(
    "teams", __name__, url_prefix="/v1/teams", description="Groups of agents, for what is not everybody's to answer."
)


@blueprint.route("")
@agent_required
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, TeamPageSchema)
def list_teams(page: dict[str, Any]) -> Response:
    """List the teams, by name."""
    return answer(call("presence", "list_teams", **page))


@blueprint.route("", methods=["POST"])
@admin_required
@problems("TEAM_NAME_TAKEN", "CONFLICT", "IDEMPOTENCY_KEY_REUSED", "TEAM_NOT_FOUND")
@blueprint.arguments(IdempotencyHeader, location="headers")
@blueprint.arguments(NewTeamSchema)
@blueprint.response(201, TeamSchema)
def create_team(headers: dict[str, Any], body: dict[str, Any]) -> Response:
    """Create a team.

    For administrators. There are at most 200. A repeat by its key of one that was deleted since is not found.
    """
    return created(call("presence", "create_team", **body, **headers, actor=caller().actor), "/v1/teams")


@blueprint.route("/<id:team_id>")
@agent_required
@problems("TEAM_NOT_FOUND")
@blueprint.response(200, TeamSchema)
def get_team(team_id: str) -> Response:
    """Show a team."""
    return answer(call("presence", "get_team", team_id=team_id))


@blueprint.route("/<id:team_id>", methods=["PATCH"])
@admin_required
@problems("TEAM_NOT_FOUND", "TEAM_NAME_TAKEN")
@blueprint.arguments(TeamChangesSchema)
@blueprint.response(200, TeamSchema)
def update_team(changes: dict[str, Any], team_id: str) -> Response:
    """Change a team's name or agents.

    For administrators. `agent_ids` replaces all; to add or remove one, use the routes for that.
    """
    return answer(call("presence", "update_team", team_id=team_id, changes=changes, actor=caller().actor))


@blueprint.route("/<id:team_id>", methods=["DELETE"])
@admin_required
@problems("TEAM_NOT_FOUND")
@blueprint.response(204)
def delete_team(team_id: str) -> Response:
    """Delete a team.

    For administrators. Whoever waits for it, and every flow that names it, is served by everybody from then on; the decisions say so.
    """
    call("presence", "delete_team", team_id=team_id, actor=caller().actor)
    return nothing()


@blueprint.route("/<id:team_id>/agents/<id:agent_id>", methods=["PUT"])
@admin_required
@problems("TEAM_NOT_FOUND", "AGENT_NOT_FOUND", "CONFLICT")
@blueprint.response(200, TeamSchema)
def add_agent(team_id: str, agent_id: str) -> Response:
    """Add an agent to a team.

    For administrators. One who is in it already stays where they are. A team has at most 1,000 agents.
    """
    return _answer_member("add_agent_to_team", team_id, agent_id)


@blueprint.route("/<id:team_id>/agents/<id:agent_id>", methods=["DELETE"])
@admin_required
@problems("TEAM_NOT_FOUND")
@blueprint.response(200, TeamSchema)
def remove_agent(team_id: str, agent_id: str) -> Response:
    """Remove an agent from a team.

    For administrators. One who is not in it is no error.
    """
    return _answer_member("remove_agent_from_team", team_id, agent_id)


def _answer_member(method: str, team_id: str, agent_id: str) -> Response:
    return answer(call("presence", method, team_id=team_id, agent_id=agent_id, actor=caller().actor))
