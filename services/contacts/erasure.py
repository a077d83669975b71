"""What is left of an erased contact: ids, counts and times, so that nothing of theirs is ever made again under the same ids. Pure.

What lists are sorted by is not among it (`last_seen_at`, a ticket's `created_at`): their indexes then pass over what was erased.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.common.errors import Forbidden

KEPT_OF_CONTACT = frozenset({"_id", "channel_id", "since", "records", "version", "outbox"})
# What their texts were, who wrote them, and what would tell one from another. Their times stay under another name.
DROPPED_OF_RECORDS = (
    "text", "highlighted", "subject", "description", "status", "author", "assignee", "fingerprint", "created_at", "updated_at",
)  # fmt: skip


def check_may_erase(actor: Mapping[str, Any]) -> None:
    """Raise Forbidden unless an admin acts."""
    if actor["kind"] != "agent" or actor["role"] != "admin":
        raise Forbidden("Contacts are erased by admins.")


def is_erased(document: Mapping[str, Any]) -> bool:
    """Whether only a tombstone is left of it."""
    return document.get("erased_at") is not None


def tombstone(contact: Mapping[str, Any], actor: Mapping[str, Any], at: datetime) -> tuple[dict[str, Any], list[str]]:
    """What an erased contact's document gains, and which parts it loses: all that are not known to be harmless."""
    gained = {"erased_at": at, "erased_by": {part: actor[part] for part in ("kind", "id")}, "erasing": True}
    return gained, [part for part in contact if part not in KEPT_OF_CONTACT]
