"""Who has a conversation, who had it and why, and who waits."""

from typing import Any

from flask import Response

from gateway.answers import answer
from gateway.auth import agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.schemas.base import PageQuery
from gateway.schemas.conversations import (
    AssigneeSchema,
    AssignmentRequestSchema,
    AssignmentSchema,
    ConversationSchema,
    DecisionPageSchema,
    QueuePageSchema,
)
from services.common.errors import Conflict, RemoteError

blueprint = Blueprint("assignments", __name__, url_prefix="/v1", description="Which agent has which conversation, and why.")


@blueprint.route("/conversations/<id:conversation_id>/assignee")
@agent_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.response(200, AssignmentSchema)
def get_assignment(conversation_id: str) -> Response:
    """Show who has a conversation."""
    conversation = call("messaging", "get_conversation", conversation_id=conversation_id)
    return answer(_assignment(conversation, "get_assignment"))


@blueprint.route("/conversations/<id:conversation_id>/assignee", methods=["PUT"])
@agent_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "AGENT_NOT_FOUND", "ALREADY_ASSIGNED", "CONFLICT")
@blueprint.arguments(AssigneeSchema)
@blueprint.response(200, AssignmentSchema)
def assign(body: dict[str, Any], conversation_id: str) -> Response:
    """Give a conversation to an agent.

    To oneself (take), to another (transfer), whoever has it now.
    """
    conversation = call("messaging", "get_conversation", conversation_id=conversation_id)
    if conversation["status"] == "archived":
        raise Conflict("The conversation is archived.", code="CONVERSATION_ARCHIVED")
    agent = call("presence", "get_agent", agent_id=body["agent_id"])
    assignment = call(
        "assignment",
        "assign_conversation",
        conversation_id=conversation_id,
        channel_id=conversation["channel"]["id"],
        contact_id=conversation["contact"]["id"],
        agent={key: agent[key] for key in ("id", "name", "role", "connected", "availability", "capacity", "active", "version")},
        actor=caller().actor,
    )
    return answer(assignment)


@blueprint.route("/conversations/<id:conversation_id>/assignee", methods=["DELETE"])
@agent_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "CONFLICT")
@blueprint.response(200, AssignmentSchema)
def unassign(conversation_id: str) -> Response:
    """Take a conversation from whoever has it."""
    conversation = call("messaging", "get_conversation", conversation_id=conversation_id)
    return answer(_assignment(conversation, "unassign_conversation", actor=caller().actor))


@blueprint.route("/conversations/<id:conversation_id>/assign", methods=["POST"])
@agent_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "CONFLICT")
@blueprint.arguments(AssignmentRequestSchema)
@blueprint.response(200, ConversationSchema)
def request_assignment(body: dict[str, Any], conversation_id: str) -> Response:
    """Have an agent found for a conversation.

    As the bot's assign block does: the conversation waits in the queue until somebody is eligible, often only for a moment.
    """
    return answer(call("messaging", "request_assignment", conversation_id=conversation_id, **body, actor=caller().actor))


@blueprint.route("/conversations/<id:conversation_id>/assignments")
@agent_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, DecisionPageSchema)
def list_assignments(page: dict[str, Any], conversation_id: str) -> Response:
    """List the decisions about a conversation, newest first."""
    return answer(call("assignment", "list_assignments", conversation_id=conversation_id, **page))


def _assignment(conversation: dict[str, Any], method: str, **arguments: Any) -> dict[str, Any]:
    try:
        assignment: dict[str, Any] = call("assignment", method, conversation_id=conversation["id"], **arguments)
    except RemoteError as error:
        if error.error_code != "CONVERSATION_NOT_FOUND":
            raise
        # It exists, and nobody was ever asked for.
        return {
            "conversation_id": conversation["id"],
            "state": "unassigned",
            "assignee": None,
            "queue_position": None,
            "changed_at": conversation["created_at"],
            "version": 0,
        }
    return assignment


@blueprint.route("/queue")
@agent_required
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, QueuePageSchema)
def list_queue(page: dict[str, Any]) -> Response:
    """List the conversations that wait for an agent, next one first."""
    return answer(call("assignment", "list_queue", **page))
