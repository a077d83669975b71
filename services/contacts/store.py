"""The database of the contacts service, put together from its nouns; each store beside this file has its queries and indexes."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pymongo import IndexModel

from services.contacts.erasure_store import ErasureStore
from services.contacts.note_store import NoteStore
from services.contacts.profile_store import CONTACTS, ProfileStore
from services.contacts.ticket_store import TicketStore


class ContactStore(NoteStore, TicketStore, ErasureStore):
    """Profiles, notes, tickets and comments."""

    entities: ClassVar[Sequence[str]] = (*ProfileStore.entities, *NoteStore.entities, *TicketStore.entities)
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        **NoteStore.indexes,
        **TicketStore.indexes,
        CONTACTS: [*ProfileStore.indexes[CONTACTS], *ErasureStore.indexes[CONTACTS]],
    }
