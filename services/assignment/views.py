"""The wire shapes of assignments, decisions, places in line and simulations."""

from dataclasses import asdict
from typing import Any

from services.assignment.domain import NORMAL_PRIORITY, PRIORITIES, Told
from services.assignment.places import Place
from services.common.times import optional_to_wire, to_wire

Document = dict[str, Any]

_PRIORITY_WORDS = {number: word for word, number in PRIORITIES.items()}


def assignment_view(document: Document) -> Document:
    """The assignment resource; what concerns the line is null (`returned` false) for one that does not wait."""
    waits = document["state"] == "queued"
    return {
        "conversation_id": document["_id"],
        "state": document["state"],
        "assignee": document["agent"],
        "queue_position": document["queue_position"],
        "estimated_wait_seconds": document.get("estimated_wait_seconds"),
        "requested_at": to_wire(document["requested_at"]) if waits else None,
        "priority": _priority(document) if waits else None,
        "returned": waits and document.get("returned", False),
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
        "candidates": [_candidate_view(candidate) for candidate in document["candidates"]],
        "ordering": document["ordering"],
        "seed": document["seed"],
        "assignee": document["assignee"],
        "remark": document.get("remark"),
        "waited_seconds": document.get("waited_seconds"),
        "estimated_wait_seconds": document.get("estimated_wait_seconds"),
    }


def place_view(document: Document) -> Document:
    """A conversation in line."""
    return {
        "conversation_id": document["_id"],
        "channel_id": document["channel_id"],
        "contact_id": document["contact_id"],
        "position": document["queue_position"],
        "requested_at": to_wire(document["requested_at"]),
        "priority": _priority(document),
        "returned": document.get("returned", False),
        "reason": document.get("reason"),
        "estimated_wait_seconds": document.get("estimated_wait_seconds"),
        "agents": document["allowed"],
        "team_id": document.get("team_id"),
    }


def simulation_view(told: Told, place: Place | None) -> Document:
    """What would come of a request."""
    decision = told.decisions[-1]
    return {
        "outcome": told.outcome,
        "assignee": asdict(decision.assignee) if decision.assignee else None,
        "rule": decision.rule,
        "reason": decision.reason,
        "candidates": [_candidate_view(asdict(candidate)) for candidate in decision.candidates],
        "ordering": list(decision.ordering),
        "seed": decision.seed,
        "queue_position": place.position if place else None,
        "estimated_wait_seconds": place.estimate if place else None,
        "at": to_wire(decision.at),
    }


def _candidate_view(candidate: Document) -> Document:
    return candidate | {"last_assigned_at": optional_to_wire(candidate["last_assigned_at"])}


def _priority(document: Document) -> str:
    return _PRIORITY_WORDS[document.get("priority", NORMAL_PRIORITY)]
