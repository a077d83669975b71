"""What the assignment service says of a conversation, and what it would do for one: the questions that take more than one call."""

from typing import Any

from gateway.context import call
from services.common.errors import RemoteError

WAIT = "wait"


def assignment_of(conversation: dict[str, Any], method: str, **arguments: Any) -> dict[str, Any]:
    """The assignment of a conversation that exists, as `method` of the assignment service answers. Raises DomainError."""
    try:
        assignment: dict[str, Any] = call("assignment", method, conversation_id=conversation["id"], **arguments)
    except RemoteError as error:
        if error.error_code != "CONVERSATION_NOT_FOUND":
            raise
        # Nobody was ever asked for.
        return {
            "conversation_id": conversation["id"],
            "state": "unassigned",
            "assignee": None,
            "queue_position": None,
            "estimated_wait_seconds": None,
            "requested_at": None,
            "priority": None,
            "returned": False,
            "changed_at": conversation["created_at"],
            "version": 0,
        }
    return assignment


def expected_assignee(conversation_id: str) -> str | None:
    """The id of who has the conversation at this moment, None for nobody. Raises DomainError."""
    try:
        assignee = call("assignment", "get_assignment", conversation_id=conversation_id)["assignee"]
    except RemoteError as error:
        if error.error_code != "CONVERSATION_NOT_FOUND":
            raise
        return None
    return None if assignee is None else str(assignee["id"])


def simulate(channel_id: str, block: str | None, wishes: dict[str, Any]) -> dict[str, Any]:
    """Who would get a conversation of the channel now: what its flow asks for, overridden by `wishes`, put to the assignment service.

    Raises DomainError.
    """
    preview = call("messaging", "preview_assignment", channel_id=channel_id, **({} if block is None else {"block": block}))
    simulated = call(
        "assignment",
        "simulate_assignment",
        channel_id=channel_id,
        **_wanted(preview, wishes),
        unavailable=preview["unavailable"],
    )
    closed = not preview["open"] and preview["unavailable"] != WAIT
    hours = {name: preview[name] for name in ("block", "open", "opens_at")}
    return {**simulated, **(_closed(preview) if closed else {}), "channel_id": channel_id, **hours}


def _wanted(preview: dict[str, Any], wishes: dict[str, Any]) -> dict[str, Any]:
    # Whom to ask is one wish with two forms: whoever gives either, even as null, takes the place of both.
    among = wishes if wishes.keys() & {"agents", "team"} else preview
    return {
        "strategy": wishes.get("strategy") or preview["strategy"],
        "agents": among.get("agents"),
        "team_id": among.get("team"),
        "priority": wishes.get("priority") or preview["priority"],
    }


def _closed(preview: dict[str, Any]) -> dict[str, Any]:
    until = f"until {preview['opens_at']}" if preview["opens_at"] else "for good"
    return {
        "outcome": "unavailable",
        "assignee": None,
        "rule": "business_hours",
        "reason": f"The channel is closed {until}: the flow goes on with its block {preview['unavailable']}.",
        "queue_position": None,
        "estimated_wait_seconds": None,
    }
