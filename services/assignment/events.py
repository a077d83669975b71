"""The events of this service: an assignment changed, an agent's load changed."""

from typing import Any

from services.assignment.domain import Outcome
from services.assignment.views import assignment_view, decision_view
from services.common.envelope import NewEvent


def assignment_changed(document: dict[str, Any], outcome: Outcome, decision: dict[str, Any] | None) -> NewEvent:
    """An assignment as it now is, what came of it, and the decision; none when its state is only said again."""
    data = assignment_view(document) | {
        "outcome": outcome,
        "decision": decision and decision_view(decision),
        "conversation_version": document["conversation_version"],  # what had been heard of the conversation by then
    }
    return NewEvent("assignment_changed", "assignment", data, contact_id=document["contact_id"])


def agent_load_changed(agent_id: str, load: int, version: int) -> NewEvent:
    """How many conversations an agent has now."""
    data = {"agent_id": agent_id, "active_conversations": load, "version": version}
    return NewEvent("agent_load_changed", "agent_load", data)
