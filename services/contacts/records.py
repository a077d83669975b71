"""The documents of notes, tickets and comments, and the ids that make a repeated creation find its first result."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.common.ids import derived_id, fingerprint, new_id
from services.common.validation import MAX_TEXT

MAX_SUBJECT = 200
NO_SUBJECT = "(no subject)"
BOT = {"kind": "bot", "id": None, "name": None}

Document = dict[str, Any]
Actor = Mapping[str, Any]


def new_note(*, contact_id: str, text: str, highlighted: bool, actor: Actor, key: str | None, at: datetime) -> Document:
    """A note that isn't stored yet."""
    content = {"contact_id": contact_id, "text": text.strip(), "highlighted": highlighted}
    return _record("create_note", content, actor, key, at) | {"updated_at": at, "deleted_at": None}


def new_ticket(
    *,
    contact: Mapping[str, Any],
    subject: str,
    description: str,
    conversation_id: str | None,
    assignee: Mapping[str, str] | None,
    actor: Actor,
    key: str | None,
    at: datetime,
) -> Document:
    """An open ticket that isn't stored yet."""
    content = {
        "contact_id": contact["_id"],
        "conversation_id": conversation_id,
        "subject": subject.strip(),
        "description": description.strip(),
    }
    # By the id alone: the agent may have another name by the time the call is repeated.
    asked = content | ({} if assignee is None else {"assignee_id": assignee["id"]})
    return _record("create_ticket", content, actor, key, at, asked=asked) | _as_opened(contact, assignee, at)


def new_wanted_ticket(
    event_id: str, *, contact: Mapping[str, Any], subject: str, description: str | None, conversation_id: str, at: datetime
) -> Document:
    """The ticket of a flow's block, one for each event. Its texts come of templates: they are cut, and none is refused."""
    content = {
        "contact_id": contact["_id"],
        "conversation_id": conversation_id,
        "subject": _usable(subject, MAX_SUBJECT) or NO_SUBJECT,
        "description": _usable(description or "", MAX_TEXT),
    }
    ticket = _record("ticket_wanted", content, BOT, None, at) | _as_opened(contact, None, at)
    return ticket | {"_id": derived_id("contacts", "ticket_wanted", event_id)}


def new_comment(ticket: Mapping[str, Any], *, text: str, actor: Actor, key: str | None, at: datetime) -> Document:
    """A comment that isn't stored yet."""
    content = {"ticket_id": ticket["_id"], "contact_id": ticket["contact_id"], "text": text.strip()}
    return _record("create_comment", content, actor, key, at)


def changed_parts(record: Mapping[str, Any], wanted: Mapping[str, Any], at: datetime) -> Document:
    """What of the wanted values is new, with the time of the change; nothing when all is so already."""
    values = {part: value.strip() if isinstance(value, str) else value for part, value in wanted.items()}
    changes = {part: value for part, value in values.items() if value != record.get(part)}
    return changes | {"updated_at": at} if changes else {}


def _as_opened(contact: Mapping[str, Any], assignee: Mapping[str, str] | None, at: datetime) -> Document:
    return {
        "channel_id": contact["channel_id"],
        "status": "open",
        "assignee": None if assignee is None else dict(assignee),
        "comment_count": 0,
        "updated_at": at,
    }


def _record(
    operation: str, content: Document, actor: Actor, key: str | None, at: datetime, asked: Mapping[str, Any] | None = None
) -> Document:
    return content | {
        "_id": new_id() if key is None else derived_id("contacts", operation, actor["id"], key),
        "fingerprint": fingerprint(asked or content),
        "author": {part: actor[part] for part in ("kind", "id", "name")},
        "created_at": at,
    }


def _usable(text: str, length: int) -> str:
    return text.replace("\x00", "").strip()[:length].strip()
