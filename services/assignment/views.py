"""The wire shapes of assignments, decisions and places in line."""

from typing import Any

from services.common.times import optional_to_wire, to_wire

Document = dict[str, Any]


def assignment_view(document: Document) -> Document:
    """`{conversation_id, state, assignee: {id, name} | null, queue_position: int | null, changed_at, version}`."""
    return {
        "conversation_id": document["_id"],
        "state": document["state"],
        "assignee": document["agent"],
        "queue_position": document["queue_position"],
        "changed_at": to_wire(document["changed_at"]),
        "version": document["version"],
    }


def decision_view(document: Document) -> Document:
    """One item of a conversation's assignment history."""
    return {
        "id": document["_id"],
        "conversation_id": document["conversation_id"],
        "seq": document["seq"],
        "at": to_wire(document["at"]),
        "action": document["action"],
        "actor": document["actor"],
        "rule": document["rule"],
        "reason": document["reason"],
        "candidates": [
            candidate | {"last_assigned_at": optional_to_wire(candidate["last_assigned_at"])}
            for candidate in document["candidates"]
        ],
        "ordering": document["ordering"],
        "seed": document["seed"],
        "assignee": document["assignee"],
    }


def place_view(document: Document) -> Document:
    """A conversation in line."""
    return {
        "conversation_id": document["_id"],
        "channel_id": document["channel_id"],
        "position": document["queue_position"],
        "requested_at": to_wire(document["requested_at"]),
    }
