"""A contact's document: how the first visit makes it, and what each later one refreshes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.contacts.names import generated_name
from services.contacts.search import words_of
from services.contacts.values import national_digits
from services.contacts.visits import Page, add_page

SYSTEM = {"kind": "system", "id": None, "name": None}
OF_A_VISIT = ("ip", "country", "locale", "time_zone", "browser", "platform")
SEARCHED = ("name", "email", "phone", "external_id")


@dataclass(frozen=True)
class Visit:
    """What is known of a visit; None for what isn't, which keeps what was known before."""

    at: datetime
    ip: str | None = None
    country: Mapping[str, str] | None = None
    page: Page | None = None
    locale: str | None = None
    time_zone: str | None = None
    browser: str | None = None
    platform: str | None = None


def new_contact(contact_id: str, channel_id: str, visit: Visit) -> dict[str, Any]:
    """The document of a contact nobody has met before, as the visit shows it."""
    contact: dict[str, Any] = {
        "_id": contact_id,
        "channel_id": channel_id,
        "external_id": None,
        "name": generated_name(contact_id),
        "name_source": "generated",
        "email": None,
        "phone": None,
        "fields": {},
        "since": visit.at,
        "last_seen_at": visit.at,
        "ip": None,
        "country": None,
        "url": None,
        "locale": None,
        "time_zone": None,
        "browser": None,
        "platform": None,
        "blocked": False,
        "highlighted_notes": [],
        "provenance": {"name": SYSTEM | {"at": visit.at}},
        "ignored": [],
        "applied": [],
    }
    contact |= decide_visit(contact, visit)
    return contact | search_words(contact)


def decide_visit(contact: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """What a visit changes of the document. The country goes with the address, even to none."""
    changes: dict[str, Any] = {}
    if visit.at > contact["last_seen_at"]:
        changes["last_seen_at"] = visit.at
    told = {part: getattr(visit, part) for part in OF_A_VISIT}
    refreshed = {part: value for part, value in told.items() if value is not None and value != contact.get(part)}
    if "ip" in refreshed and visit.country != contact["country"]:
        refreshed["country"] = visit.country
    pages = add_page(contact["url"], visit.page)
    if pages != contact["url"]:
        refreshed["url"] = pages
    if refreshed:
        stamp = SYSTEM | {"at": visit.at}
        changes |= refreshed | {"provenance": dict(contact["provenance"]) | dict.fromkeys(refreshed, stamp)}
    return changes


def without_outdated(contact: Mapping[str, Any], visit: Visit) -> Visit:
    """The visit without what is known from later: of one that is heard of by an event, which others may have overtaken."""
    known = {part: contact["provenance"].get(part) for part in OF_A_VISIT}
    outdated: dict[str, Any] = {part: None for part, by in known.items() if by and by["at"] > visit.at}
    return replace(visit, **outdated)


def search_words(contact: Mapping[str, Any]) -> dict[str, list[str]]:
    """The part of the document by which it is found."""
    phone: str | None = contact["phone"]
    return {"words": words_of(contact["name"], contact["email"], phone, national_digits(phone), contact.get("external_id"))}


def with_words(contact: Mapping[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The changes, with the search's words where they alter what is searched."""
    if changes.keys().isdisjoint(SEARCHED):
        return changes
    return changes | search_words(dict(contact) | changes)
