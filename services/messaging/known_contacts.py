"""What messaging keeps of a contact: its name, what its flow may ask and fill in, and whether it may write; pure."""

from collections.abc import Mapping
from typing import Any

# A contact's resource has these; a caller that names all of them says as much as the event of that version.
OF_RESOURCE = frozenset({"name_source", "email", "phone", "fields", "blocked", "country", "url"})


def is_whole(contact: Mapping[str, Any]) -> bool:
    """Whether the caller gave all that is kept of a contact, and not its name alone."""
    return contact.keys() >= OF_RESOURCE


def keep(contact: Mapping[str, Any]) -> dict[str, Any]:
    """The read model's values of a contact's resource."""
    fields: dict[str, Any] = dict(contact["fields"])
    if contact["name_source"] != "generated":
        fields["name"] = contact["name"]
    fields |= {name: contact[name] for name in ("email", "phone") if contact[name]}
    pages = contact.get("url") or {}
    return {
        "name": contact["name"],
        "channel_id": contact["channel_id"],
        "blocked": contact["blocked"],
        "fields": fields,
        "country": (contact.get("country") or {}).get("code"),
        "first_url": (pages.get("first") or {}).get("url"),
        "last_url": (pages.get("last") or {}).get("url"),
    }
