"""Who has a conversation, who had it and why, and who waits."""

from typing import Any

from flask import Response

from gateway.answers import answer
from gateway.assignments import assignment_of, expected_assignee, simulate
from gateway.auth import agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.people import require_known
from gateway.schemas.assignments import (
    NOBODY,
    AssigneeSchema,
    AssignmentRequestSchema,
    AssignmentSchema,
    DecisionPageSchema,
    QueuePageSchema,
    SimulationRequestSchema,
    SimulationSchema,
    UnassignQuery,
)
from gateway.schemas.base import PageQuery
from gateway.schemas.conversations import ConversationSchema
from services.common.errors import Conflict

AGENT_SNAPSHOT = ("id", "name", "role", "connected", "availability", "capacity", "active", "version")

blueprint = Blueprint("assignments", __name__, url_prefix="/v1", description="Which agent has which conversation, and why.")


@blueprint.route("/conversations/<id:conversation_id>/assignee")
@agent_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.response(200, AssignmentSchema)
def get_assignment(conversation_id: str) -> Response:
    """Show who has a conversation."""
    conversation = call("messaging", "get_conversation", conversation_id=conversation_id)
    return answer(assignment_of(conversation, "get_assignment"))


@blueprint.route("/conversations/<id:conversation_id>/assignee", methods=["PUT"])
@agent_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "AGENT_NOT_FOUND", "ALREADY_ASSIGNED", "CONFLICT")
@blueprint.arguments(AssigneeSchema)
@blueprint.response(200, AssignmentSchema)
def assign(body: dict[str, Any], conversation_id: str) -> Response:
    """Give a conversation to an agent.

    To oneself (take) or to another (transfer), whoever has it now, and also to an agent who is busy, disconnected or at capacity; an
    account that was closed is refused with `VALIDATION_FAILED` at `agent_id`. Of two hands at once one wins, and the other is refused
    with `ALREADY_ASSIGNED` and told in `assignee` who has it. To an agent who has it already, nothing changes.
    """
    # First of all: it stands for the moment when the request arrived.
    expected = body["expected_assignee_id"] if "expected_assignee_id" in body else expected_assignee(conversation_id)
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
        agent={name: agent[name] for name in AGENT_SNAPSHOT},
        actor=caller().actor,
        expected_assignee_id=expected,
        remark=body.get("remark"),
    )
    return answer(assignment)


@blueprint.route("/conversations/<id:conversation_id>/assignee", methods=["DELETE"])
@agent_required
@problems("CONVERSATION_NOT_FOUND", "ALREADY_ASSIGNED", "CONFLICT")
@blueprint.arguments(UnassignQuery, location="query")
@blueprint.response(200, AssignmentSchema)
def unassign(query: dict[str, Any], conversation_id: str) -> Response:
    """Take a conversation from whoever has it, or out of the line.

    When somebody else has got it meanwhile, it is refused with `ALREADY_ASSIGNED` and told in `assignee` who. Where nobody has it,
    nothing changes.
    """
    given = query.get("expected_assignee_id")
    expected = expected_assignee(conversation_id) if given is None else None if given == NOBODY else given
    conversation = call("messaging", "get_conversation", conversation_id=conversation_id)
    assignment = assignment_of(
        conversation,
        "unassign_conversation",
        actor=caller().actor,
        expected_assignee_id=expected,
        remark=query.get("remark"),
    )
    return answer(assignment)


@blueprint.route("/conversations/<id:conversation_id>/assign", methods=["POST"])
@agent_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "CONFLICT")
@blueprint.arguments(AssignmentRequestSchema)
@blueprint.response(200, ConversationSchema)
def request_assignment(body: dict[str, Any], conversation_id: str) -> Response:
    """Have an agent found for a conversation.

    As the bot's assign block does: the conversation waits in line until somebody is eligible, often only for a moment.
    """
    require_known(body)
    return answer(call("messaging", "request_assignment", conversation_id=conversation_id, **body, actor=caller().actor))


@blueprint.route("/conversations/<id:conversation_id>/assignments")
@agent_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, DecisionPageSchema)
def list_assignments(page: dict[str, Any], conversation_id: str) -> Response:
    """List the decisions about a conversation, newest first.

    Each with who or which rule made it; automatic ones with every agent that was considered and why they were eligible or not; those
    that ended a wait with the wait beside its first estimate.
    """
    return answer(call("assignment", "list_assignments", conversation_id=conversation_id, **page))


@blueprint.route("/queue")
@agent_required
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, QueuePageSchema)
def list_queue(page: dict[str, Any]) -> Response:
    """List the conversations that wait for an agent, next one first.

    First those that their agents could not go on with, then by priority, then by the time of the request.
    """
    return answer(call("assignment", "list_queue", **page))


@blueprint.route("/assignment/simulate", methods=["POST"])
@agent_required
@problems("CHANNEL_NOT_FOUND")
@blueprint.arguments(SimulationRequestSchema)
@blueprint.response(200, SimulationSchema)
def simulate_assignment(body: dict[str, Any]) -> Response:
    """Ask who would get a conversation of a channel now, and why.

    Assigns nothing. By the wishes of the channel's assign block, overridden by those given here; `agents` or `team`, even when null, take
    the place of both of the block's. Outside business hours a block with another way to go answers `unavailable`, and still shows the
    candidates.
    """
    require_known(body)
    wishes = {name: value for name, value in body.items() if name not in {"channel_id", "block"}}
    return answer(simulate(body["channel_id"], body.get("block"), wishes))
