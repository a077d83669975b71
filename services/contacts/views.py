"""Documents as the resources that RPC results, events and HTTP answers show.

A document of an earlier version lacks what came later, and shows null or nothing in its place.
"""

from collections.abc import Mapping
from typing import Any

from services.common.times import to_wire

Document = Mapping[str, Any]
Resource = dict[str, Any]


def contact_view(contact: Document) -> Resource:
    """The contact as events and lists tell of it: of its pages the first, the last and their number.

    The rest are much and change little: `whole_contact_view` has them.
    """
    return {
        "id": contact["_id"],
        "channel_id": contact["channel_id"],
        "external_id": contact.get("external_id"),
        "name": contact["name"],
        "name_source": contact["name_source"],
        "email": contact["email"],
        "phone": contact["phone"],
        "fields": dict(contact["fields"]),
        "since": to_wire(contact["since"]),
        "last_seen_at": to_wire(contact["last_seen_at"]),
        "ip": contact["ip"],
        "url": _pages_view(contact),
        "country": contact["country"],
        "locale": contact["locale"],
        "time_zone": contact.get("time_zone"),
        "browser": contact["browser"],
        "platform": contact["platform"],
        "blocked": contact["blocked"],
        "highlighted_notes": [note_view(note) for note in contact["highlighted_notes"]],
        "version": contact["version"],
    }


def whole_contact_view(contact: Document) -> Resource:
    """The contact with all its pages, and without its history, provenance and bookkeeping."""
    view = contact_view(contact)
    if view["url"] is not None:
        view["url"]["pages"] = [_page_view(page) for page in contact["url"]["pages"]]
    return view


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
        "channel_id": ticket.get("channel_id"),
        "conversation_id": ticket["conversation_id"],
        "subject": ticket["subject"],
        "description": ticket["description"],
        "status": ticket["status"],
        "assignee": ticket.get("assignee"),
        "comment_count": ticket.get("comment_count", 0),
        "author": ticket["author"],
        "created_at": to_wire(ticket["created_at"]),
        "updated_at": to_wire(ticket["updated_at"]),
        "version": ticket["version"],
    }


def comment_view(comment: Document) -> Resource:
    """What was said about a ticket."""
    return {
        "id": comment["_id"],
        "ticket_id": comment["ticket_id"],
        "text": comment["text"],
        "author": comment["author"],
        "created_at": to_wire(comment["created_at"]),
    }


def entry_view(entry: Document) -> Resource:
    """One change of one value."""
    return dict(entry) | {"at": to_wire(entry["at"])}


def ignored_view(record: Document) -> Resource:
    """A value that was written and not taken, signed as the history's are."""
    by = record["by"]
    return {
        "field": record["field"],
        "value": record["value"],
        "reason": record["reason"],
        "by": {part: by[part] for part in ("kind", "id", "name")},
        "at": to_wire(by["at"]),
        "conversation_id": by.get("conversation_id"),
    }


def erasure_view(contact: Document) -> Resource:
    """What is said of an erased contact."""
    return {"id": contact["_id"], "erased_at": to_wire(contact["erased_at"])}


def _pages_view(contact: Document) -> Resource | None:
    url = contact["url"]
    if url is None:
        return None
    # Listings count the pages in the database, and leave them there.
    count = len(url["pages"]) if "pages" in url else contact["page_count"]
    return {"first": _page_view(url["first"]), "last": _page_view(url["last"]), "page_count": count}


def _page_view(page: Document) -> Resource:
    return dict(page) | {"at": to_wire(page["at"])}
