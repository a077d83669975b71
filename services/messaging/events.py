"""What messaging tells the others; the catalogue is docs/events.md."""

from typing import Any

from services.common.envelope import NewEvent
from services.messaging import views

Document = dict[str, Any]


def channel_changed(kind: str, channel: Document, version: int) -> NewEvent:
    """`channel_created` or `channel_updated` with the resulting resource."""
    return NewEvent(kind, "channel", views.channel(channel | {"version": version}))


def channel_deleted(channel: Document) -> NewEvent:
    """Only its id is left."""
    return NewEvent("channel_deleted", "channel", {"id": channel["_id"]})


def conversation_changed(kind: str, conversation: Document) -> NewEvent:
    """`conversation_started`, `_updated`, `_assigned` or `_archived` with the resulting resource."""
    return NewEvent(kind, "conversation", views.conversation(conversation), contact_id=conversation["contact"]["id"])


def message_posted(message: Document, contact_id: str) -> NewEvent:
    """A message; until the relay has filed it under `messages`, this event is where it is kept."""
    return NewEvent("message_posted", "message", views.message(message), contact_id=contact_id, entity_id=message["_id"])


def message_updated(message: Document, contact_id: str) -> NewEvent:
    """How a message was delivered, or that it could not be."""
    return NewEvent("message_updated", "message", views.message(message), contact_id=contact_id, entity_id=message["_id"])


def typing_signalled(conversation: Document, author: dict[str, Any], *, typing: bool) -> NewEvent:
    """Somebody writes, or stopped."""
    data = {"conversation_id": conversation["_id"], "author": author, "typing": typing}
    return NewEvent("typing_signalled", "typing", data, contact_id=conversation["contact"]["id"])


def internal(kind: str, conversation: Document, **data: Any) -> NewEvent:
    """For services only, with the conversation's, channel's and contact's ids.

    `assignment_requested`, `conversation_taken`, `conversation_returned`, `answer_awaited`, `answer_given`, `field_collected`,
    `ticket_wanted`, `visitor_engaged`.
    """
    ids = {
        "conversation_id": conversation["_id"],
        "channel_id": conversation["channel"]["id"],
        "contact_id": conversation["contact"]["id"],
    }
    return NewEvent(kind, "conversation", ids | data, contact_id=conversation["contact"]["id"])
