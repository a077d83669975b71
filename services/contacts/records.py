"""The documents of notes and tickets, and the ids that make a repeated creation find its first result."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.common.ids import derived_id, fingerprint, new_id

Document = dict[str, Any]
Actor = Mapping[str, Any]


def new_note(*, contact_id: str, text: str, highlighted: bool, actor: Actor, key: str | None, at: datetime) -> Document:
    """A note that isn't stored yet."""
    content = {"contact_id": contact_id, "text": text.strip(), "highlighted": highlighted}
    return _record("create_note", content, actor, key, at) | {"deleted_at": None}


def new_ticket(
    *, contact_id: str, subject: str, description: str, conversation_id: str | None, actor: Actor, key: str | None, at: datetime
) -> Document:
    """An open ticket that isn't stored yet."""
    content = {
        "contact_id": contact_id,
        "conversation_id": conversation_id,
        "subject": subject.strip(),
        "description": description.strip(),
    }
    return _record("create_ticket", content, actor, key, at) | {"status": "open"}


def changed_parts(record: Mapping[str, Any], wanted: Mapping[str, Any], at: datetime) -> Document:
    """What of the wanted values is new, with the time of the change; nothing when all is so already."""
    values = {part: value.strip() if isinstance(value, str) else value for part, value in wanted.items()}
    changes = {part: value for part, value in values.items() if value != record[part]}
    return changes | {"updated_at": at} if changes else {}


def _record(operation: str, content: Document, actor: Actor, key: str | None, at: datetime) -> Document:
    return content | {
        "_id": new_id() if key is None else derived_id("contacts", operation, actor["id"], key),
        "fingerprint": fingerprint(content),
        "author": {part: actor[part] for part in ("kind", "id", "name")},
        "created_at": at,
        "updated_at": at,
    }
