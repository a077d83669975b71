"""Documents as the resources that RPC results, events and HTTP answers show."""

from collections.abc import Mapping
from typing import Any

from services.common.times import to_wire

Document = Mapping[str, Any]
Resource = dict[str, Any]


def contact_view(contact: Document) -> Resource:
    """The contact: all but its provenance and bookkeeping."""
    url = contact["url"]
    return {
        "id": contact["_id"],
        "channel_id": contact["channel_id"],
        "name": contact["name"],
        "name_source": contact["name_source"],
        "email": contact["email"],
        "phone": contact["phone"],
        "fields": dict(contact["fields"]),
        "since": to_wire(contact["since"]),
        "last_seen_at": to_wire(contact["last_seen_at"]),
        "ip": contact["ip"],
        "url": url
        and {
            "first": _page_view(url["first"]),
            "last": _page_view(url["last"]),
            "pages": [_page_view(page) for page in url["pages"]],
        },
        "country": contact["country"],
        "locale": contact["locale"],
        "browser": contact["browser"],
        "platform": contact["platform"],
        "blocked": contact["blocked"],
        "highlighted_notes": [note_view(note) for note in contact["highlighted_notes"]],
        "version": contact["version"],
    }


def note_view(note: Document) -> Resource:
    """The note."""
    return {
        "id": note["_id"],
        "contact_id": note["contact_id"],
        "text": note["text"],
        "highlighted": note["highlighted"],
        "author": note["author"],
        "created_at": to_wire(note["created_at"]),
        "updated_at": to_wire(note["updated_at"]),
        "version": note["version"],
    }


def ticket_view(ticket: Document) -> Resource:
    """The ticket."""
    return {
        "id": ticket["_id"],
        "contact_id": ticket["contact_id"],
        "conversation_id": ticket["conversation_id"],
        "subject": ticket["subject"],
        "description": ticket["description"],
        "status": ticket["status"],
        "author": ticket["author"],
        "created_at": to_wire(ticket["created_at"]),
        "updated_at": to_wire(ticket["updated_at"]),
        "version": ticket["version"],
    }


def _page_view(page: Document) -> Resource:
    return dict(page) | {"at": to_wire(page["at"])}
