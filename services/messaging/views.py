"""Documents as the resources that callers, events and the API see."""

from typing import Any

from services.common.times import optional_to_wire, to_wire
from services.messaging.messenger import settings as messenger

Document = dict[str, Any]

PREVIEW_LENGTH = 120
# A visitor who waits for an agent that is gone notices within a minute, and leaves within five.
REASSIGNMENT = {"disconnected_after_seconds": 60, "unanswered_after_seconds": 300}


def channel(document: Document) -> dict[str, Any]:
    """The channel resource; its flow is read apart, as it can be long."""
    return {
        "id": document["_id"],
        "kind": document["kind"],
        "name": document["name"],
        "visitor_count": document["visitor_count"],
        "allowed_origins": document["allowed_origins"],
        "business_hours": document.get("business_hours"),
        "reassignment": REASSIGNMENT | document.get("reassignment", {}),
        "has_flow": document["flow_id"] is not None,
        "flow_version": document.get("flow_version"),
        "messenger": messenger.view(document),
        "has_identity_secret": document.get("identity_secret") is not None,
        "created_at": to_wire(document["created_at"]),
        "version": document["version"],
    }


def conversation(document: Document) -> dict[str, Any]:
    """The conversation resource, the same in lists, answers and events."""
    last = document["last_message"]
    return {
        "id": document["_id"],
        "status": document["status"],
        "handler": document["handler"],
        "contact": {"id": document["contact"]["id"], "name": document["contact"]["name"]},
        "channel": document["channel"],
        "assignee": document["assignee"],
        "queue": document["queue"],
        "bot": _bot(document),
        "last_message": last and last | {"created_at": to_wire(last["created_at"])},
        "last_seq": document["last_seq"],
        "unread_count": document["unread_count"],
        "read_seq": document["read_seq"],
        "visitor_read_seq": document["visitor_read_seq"],
        "created_at": to_wire(document["created_at"]),
        "archived_at": optional_to_wire(document["archived_at"]),
        "archived_by": document.get("archived_by"),
        "awaiting_answer_since": optional_to_wire(document.get("awaiting_answer_since")),
        "version": document["version"],
    }


def flow_version(document: Document, active_id: str | None) -> dict[str, Any]:
    """A version of a channel's flow, without the flow."""
    return {
        "version": document.get("version"),
        "created_at": to_wire(document["created_at"]),
        "created_by": document.get("created_by"),
        "active": document["_id"] == active_id,
        "block_count": document["block_count"],
    }


def message(document: Document) -> dict[str, Any]:
    """The message resource. Messages are kept in this very shape: their times sort as text."""
    return {
        "id": document["_id"],
        "conversation_id": document["conversation_id"],
        "seq": document["seq"],
        "author": document["author"],
        "text": document["text"],
        "choices": document["choices"],
        "created_at": document["created_at"],
        "client_message_id": document["client_message_id"],
        "delivery": document["delivery"],
    }


def preview(text: str) -> str:
    """The beginning of a message, for lists."""
    return text if len(text) <= PREVIEW_LENGTH else text[: PREVIEW_LENGTH - 1].rstrip() + "…"


def _bot(conversation: Document) -> dict[str, Any]:
    flow = conversation["flow"]
    return {
        "flow_version": flow.get("version"),
        "block": flow["at"],
        "resumes_at": optional_to_wire(conversation.get("wake_at")),
    }
