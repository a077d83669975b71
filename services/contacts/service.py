"""The contacts service, put together from its entrypoints; README.md is their contract."""

from typing import ClassVar, cast

from services.common.service import Service
from services.common.storage import Storage
from services.contacts.enrichment import Enrichment
from services.contacts.entrypoints.contacts import ContactMethods
from services.contacts.entrypoints.erasing import ErasureMethods
from services.contacts.entrypoints.notes import NoteMethods
from services.contacts.entrypoints.tickets import TicketMethods
from services.contacts.entrypoints.visits import VisitMethods
from services.contacts.store import ContactStore


class ContactsService(ContactMethods, VisitMethods, NoteMethods, TicketMethods, ErasureMethods, Service):
    """Profiles, notes and tickets."""

    name: ClassVar[str] = "contacts"
    store = cast("ContactStore", Storage(ContactStore))  # the store is what the provider injects
    enrichment = Enrichment()
