"""The events of the contacts service: each made from the document as its write leaves it."""

from collections.abc import Mapping
from typing import Any

from services.common.envelope import NewEvent
from services.contacts.views import contact_view, note_view, ticket_view

Document = Mapping[str, Any]


def contact_created(contact: Document) -> NewEvent:
    """A first visit made a profile."""
    return NewEvent("contact_created", "contact", contact_view(contact), contact_id=contact["_id"])


def contact_updated(contact: Document) -> NewEvent:
    """A profile has a new version: each version has exactly one of these two events."""
    return NewEvent("contact_updated", "contact", contact_view(contact), contact_id=contact["_id"])


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
    """A request changed its words or its status."""
    return NewEvent("ticket_updated", "ticket", ticket_view(ticket), contact_id=ticket["contact_id"])
