"""Agents' accounts and availability."""

from typing import Any

from flask import Response

from gateway.answers import answer, created
from gateway.auth import admin_required, agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.schemas.agents import AgentChangesSchema, AgentPageSchema, AgentSchema, NewAgentSchema, OwnChangesSchema
from gateway.schemas.base import IdempotencyHeader, PageQuery
from gateway.schemas.presence import PresenceSchema

blueprint = Blueprint("agents", __name__, url_prefix="/v1/agents", description="The people who answer.")


@blueprint.route("")
@agent_required
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, AgentPageSchema)
def list_agents(page: dict[str, Any]) -> Response:
    """List the agents."""
    return answer(call("presence", "list_agents", **page))


@blueprint.route("", methods=["POST"])
@admin_required
@problems("EMAIL_TAKEN", "IDEMPOTENCY_KEY_REUSED")
@blueprint.arguments(IdempotencyHeader, location="headers")
@blueprint.arguments(NewAgentSchema)
@blueprint.response(201, AgentSchema)
def create_agent(headers: dict[str, Any], body: dict[str, Any]) -> Response:
    """Create an agent.

    For administrators.
    """
    return created(call("presence", "create_agent", **body, **headers, actor=caller().actor), "/v1/agents")


@blueprint.route("/me")
@agent_required
@problems("AGENT_NOT_FOUND")
@blueprint.response(200, AgentSchema)
def get_me() -> Response:
    """Show the caller."""
    return answer(call("presence", "get_agent", agent_id=caller().id))


@blueprint.route("/me", methods=["PATCH"])
@agent_required
@problems("AGENT_NOT_FOUND")
@blueprint.arguments(OwnChangesSchema)
@blueprint.response(200, AgentSchema)
def update_me(changes: dict[str, Any]) -> Response:
    """Change the caller's availability, name or password.

    A new password ends the caller's sessions.
    """
    return _update(caller().id, changes)


@blueprint.route("/<id:agent_id>")
@agent_required
@problems("AGENT_NOT_FOUND")
@blueprint.response(200, AgentSchema)
def get_agent(agent_id: str) -> Response:
    """Show an agent."""
    return answer(call("presence", "get_agent", agent_id=agent_id))


@blueprint.route("/<id:agent_id>/presence")
@agent_required
@problems("AGENT_NOT_FOUND")
@blueprint.response(200, PresenceSchema)
def explain_presence(agent_id: str) -> Response:
    """Show why an agent counts as connected or not.

    Their event streams with their age, what of late turned `connected` and why, and who chose the availability.
    """
    return answer(call("presence", "explain_presence", agent_id=agent_id))


@blueprint.route("/<id:agent_id>", methods=["PATCH"])
@agent_required
@problems("AGENT_NOT_FOUND", "EMAIL_TAKEN", "LAST_ADMIN")
@blueprint.arguments(AgentChangesSchema)
@blueprint.response(200, AgentSchema)
def update_agent(changes: dict[str, Any], agent_id: str) -> Response:
    """Change an agent.

    Administrators change anything of anybody; others only their own availability, name and password.
    """
    return _update(agent_id, changes)


def _update(agent_id: str, changes: dict[str, Any]) -> Response:
    return answer(call("presence", "update_agent", agent_id=agent_id, changes=changes, actor=caller().actor))
