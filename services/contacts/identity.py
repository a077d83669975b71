"""Signed-in users of a website: whose contact is whose, and how one becomes a user's. Pure.

A contact is of one user for ever, or of nobody known. What was verified is the user's id alone; whatever comes with it is as good as
what a visitor tells the bot.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.contacts.domain import CHANNEL, PERSONAL, decide_told


def may_be(contact: Mapping[str, Any], user_id: str | None) -> bool:
    """Whether whoever comes is this contact: this user, or somebody who isn't known as a user yet; None for who isn't signed in."""
    return contact.get("external_id") in (None, user_id)


def decide_identity(contact: Mapping[str, Any], user: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What changes when a verified user is this contact, who is a user's from then on."""
    changes: dict[str, Any] = {}
    if contact.get("external_id") is None:
        provenance = dict(contact["provenance"]) | {"external_id": dict(CHANNEL) | {"at": at}}
        changes = {"external_id": user["id"], "provenance": provenance}
    told = {name: text for name in PERSONAL if (text := (user[name] or "").strip())}
    return changes | decide_told(dict(contact) | changes, told, at)
