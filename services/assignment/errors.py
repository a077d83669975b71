"""What this service refuses, and how it says so."""

from services.common.errors import Invalid, NotFound


def conversation_not_found(conversation_id: str) -> NotFound:
    """No assignment was ever asked or made for it."""
    return NotFound(f"Conversation {conversation_id} has no assignment.", code="CONVERSATION_NOT_FOUND")


def agent_inactive(name: str) -> Invalid:
    """Nobody can answer from a deactivated account."""
    return Invalid("Some values are not valid.", errors={"agent_id": [f"The account of {name} is not active."]})
