"""What this service refuses, and how it says so."""

from dataclasses import asdict

from services.assignment.agents import Assignee
from services.common.errors import Conflict, Invalid, NotFound


def conversation_not_found(conversation_id: str) -> NotFound:
    """No assignment was ever asked or made for it."""
    return NotFound(f"Conversation {conversation_id} has no assignment.", code="CONVERSATION_NOT_FOUND")


def agent_inactive(name: str) -> Invalid:
    """Nobody can answer from a deactivated account."""
    return Invalid("Some values are not valid.", errors={"agent_id": [f"The account of {name} is not active."]})


def already_assigned(assignee: Assignee | None) -> Conflict:
    """Somebody was faster: another has it than the caller saw, or nobody any more."""
    text = f"{assignee.name} has the conversation now." if assignee else "Nobody has the conversation now."
    return Conflict(text, code="ALREADY_ASSIGNED", data={"assignee": asdict(assignee) if assignee else None})
