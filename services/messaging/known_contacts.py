"""What messaging keeps of a contact: its name, what its flow may ask and fill in, whether it may write, and whether it is a user; pure."""

from collections.abc import Mapping
from typing import Any

# A contact's resource has these; a caller that names all of them says as much as the event of that version.
OF_RESOURCE = frozenset({"name_source", "email", "phone", "fields", "blocked", "country", "url"})


def is_whole(contact: Mapping[str, Any]) -> bool:
    """Whether the caller gave all that is kept of a contact, and not its name alone."""
    return contact.keys() >= OF_RESOURCE


def version_told(contact: Mapping[str, Any]) -> int:
    """The version up to which the caller told everything; the event of the contact's own, which says the rest, must still count as newer."""
    version: int = contact["version"]
    return version if is_whole(contact) and "external_id" in contact else version - 1


def is_user(contact: Mapping[str, Any] | None) -> bool:
    """Whether the website knows the contact as a user of its own; one that was kept by an earlier version counts as nobody's."""
    return contact is not None and contact.get("external_id") is not None


def may_begin(known: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether a session that found the contact as `told` may go on: it isn't when the contact became a user's since."""
    return "external_id" not in told or not is_user(known) or told["external_id"] == known["external_id"]


def keep(contact: Mapping[str, Any]) -> dict[str, Any]:
    """The read model's values of a contact's resource."""
    fields: dict[str, Any] = dict(contact["fields"])
    if contact["name_source"] != "generated":
        fields["name"] = contact["name"]
    fields |= {name: contact[name] for name in ("email", "phone") if contact[name]}
    pages = contact.get("url") or {}
    # Whoever doesn't know of users says nothing of them; a contact stays the user's that it is.
    user = {"external_id": contact["external_id"]} if "external_id" in contact else {}
    return user | {
        "name": contact["name"],
        "channel_id": contact["channel_id"],
        "blocked": contact["blocked"],
        "fields": fields,
        "country": (contact.get("country") or {}).get("code"),
        "first_url": (pages.get("first") or {}).get("url"),
        "last_url": (pages.get("last") or {}).get("url"),
    }
