"""What every group of entrypoints works with."""

from datetime import datetime

from services.common.store import Document
from services.contacts import domain
from services.contacts.domain import Writer
from services.contacts.enrichment import Enrichment
from services.contacts.store import ContactStore


class Means:
    """The base of the groups of entrypoints; the service injects these."""

    store: ContactStore
    enrichment: Enrichment


def named_by_channel(contact: Document, name: str | None, at: datetime) -> Document:
    """What of the document changes when its channel gives this name; nothing without one."""
    return {} if name is None else domain.decide_write(contact, {"name": name}, Writer("channel"), at, custom=False)
