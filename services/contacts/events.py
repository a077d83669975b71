"""The events of the contacts service: each made from the document as its write leaves it."""

from collections.abc import Mapping
from typing import Any

from services.common.envelope import NewEvent
from services.common.times import to_wire
from services.contacts.views import comment_view, contact_view, note_view, ticket_view

Document = Mapping[str, Any]


def contact_created(contact: Document) -> NewEvent:
    """A first visit made a profile."""
    return NewEvent("contact_created", "contact", contact_view(contact), contact_id=contact["_id"])


def contact_updated(contact: Document) -> NewEvent:
    """A profile has a new version: each version of a contact that isn't erased has exactly one of these two events."""
    return NewEvent("contact_updated", "contact", contact_view(contact), contact_id=contact["_id"])


def contact_erased(contact: Document) -> NewEvent:
    """All that was personal is gone: of the profile now, of notes, tickets and comments within moments."""
    data = {"id": contact["_id"], "channel_id": contact["channel_id"], "at": to_wire(contact["erased_at"])}
    return NewEvent("contact_erased", "contact", data, contact_id=contact["_id"])


def note_created(note: Document) -> NewEvent:
    """A remark was made."""
    return NewEvent("note_created", "note", note_view(note), contact_id=note["contact_id"])


def note_updated(note: Document) -> NewEvent:
    """A remark was changed or (un)highlighted."""
    return NewEvent("note_updated", "note", note_view(note), contact_id=note["contact_id"])


def note_deleted(note: Document) -> NewEvent:
    """A remark is gone."""
    data = {"id": note["_id"], "contact_id": note["contact_id"]}
    return NewEvent("note_deleted", "note", data, contact_id=note["contact_id"])


def ticket_created(ticket: Document) -> NewEvent:
    """A request is tracked."""
    return NewEvent("ticket_created", "ticket", ticket_view(ticket), contact_id=ticket["contact_id"])


def ticket_updated(ticket: Document) -> NewEvent:
    """A request has other words, another status or assignee, or one more comment."""
    return NewEvent("ticket_updated", "ticket", ticket_view(ticket), contact_id=ticket["contact_id"])


def comment_created(comment: Document) -> NewEvent:
    """Something was said about a request; kept in the outbox of its ticket, whose version it has."""
    data = comment_view(comment) | {"contact_id": comment["contact_id"]}
    return NewEvent("comment_created", "comment", data, contact_id=comment["contact_id"], entity_id=comment["_id"])
