"""Contacts in the database."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pymongo import ASCENDING, IndexModel
from pymongo.client_session import ClientSession

from services.common.store import Document, Store
from services.contacts.erasure import is_erased
from services.contacts.errors import ContactNotFound
from services.contacts.events import contact_created, contact_updated
from services.contacts.history import MAX_ENTRIES, Entry, changes_between
from services.contacts.listing import NEWEST_SEEN, Position, before

CONTACTS = "contacts"
# A long history is read by nobody but who asks for it.
_UNREAD = ("outbox", "history")
_BRIEF = dict.fromkeys(_UNREAD, 0)
_COUNT_PAGES: Sequence[Document] = (
    {"$set": {"page_count": {"$size": {"$ifNull": ["$url.pages", []]}}}},
    {"$unset": [*_UNREAD, "url.pages"]},
)


class ProfileStore(Store):
    """Contacts, each with its history; every write of one tells what it changed."""

    entities: ClassVar[Sequence[str]] = (CONTACTS,)
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        CONTACTS: [
            IndexModel([*NEWEST_SEEN], name="newest"),
            IndexModel([("channel_id", ASCENDING), *NEWEST_SEEN], name="newest_of_channel"),
            IndexModel([("words", ASCENDING)], name="words"),
            IndexModel(
                [("channel_id", ASCENDING), ("external_id", ASCENDING)],
                name="user_of_channel",
                unique=True,
                partialFilterExpression={"external_id": {"$type": "string"}},
            ),
        ],
    }

    def find_contact(self, contact_id: str) -> Document | None:
        """The contact, also what is left of an erased one, or None."""
        return self.database[CONTACTS].find_one({"_id": contact_id}, _BRIEF)

    def get_contact(self, contact_id: str) -> Document:
        """The contact. Raises ContactNotFound, also for an erased one."""
        contact = self.find_living(contact_id)
        if contact is None:
            raise _not_found()
        return contact

    def find_user(self, channel_id: str, external_id: str) -> Document | None:
        """The contact that is this user of the channel's website."""
        # Without the type the database wouldn't see that the index holds it.
        user = {"channel_id": channel_id, "external_id": {"$eq": external_id, "$type": "string"}}
        return self.database[CONTACTS].find_one(user, _BRIEF)

    def find_living(self, contact_id: str) -> Document | None:
        """The contact; None for an erased one, about whom nothing is kept any more. Raises ContactNotFound when there never was one."""
        contact = self.find_contact(contact_id)
        if contact is None:
            raise _not_found()
        return None if is_erased(contact) else contact

    def insert_contact(self, contact: Document) -> Document:
        """A first visit's contact. Raises DocumentExists when another process was faster, also with another contact of the same user."""
        document = contact | {"history": changes_between({}, contact), "records": 0}
        return self.insert(CONTACTS, document, [contact_created(contact | {"version": 1})])

    def update_contact(self, contact: Document, changes: Mapping[str, Any], *, session: ClientSession | None = None) -> Document:
        """The contact with the changes, if there are any. Raises StaleDocument, DocumentExists when its user has another contact."""
        if not changes:
            return contact
        changed = contact | dict(changes) | {"version": contact["version"] + 1}
        entries = changes_between(contact, changed)
        push = {"history": {"$each": entries, "$slice": -MAX_ENTRIES}} if entries else None
        events = [contact_updated(changed)]
        return self.update(CONTACTS, contact, changes, events, push=push, unread=("history",), session=session)

    def join_contact(self, contact_id: str, session: ClientSession) -> None:
        """Count one more note or ticket of the contact, in the transaction that makes it. Raises ContactNotFound.

        The write lets nobody erase the contact at the same moment and miss the new one.
        """
        living = {"_id": contact_id, "erased_at": None}
        if not self.database[CONTACTS].update_one(living, {"$inc": {"records": 1}}, session=session).matched_count:
            raise _not_found()

    def list_contacts(self, channel_id: str | None, words: Sequence[str], after: Position | None, limit: int) -> list[Document]:
        """Up to `limit` contacts, seen last first, that have for each of `words` a word beginning with it; their pages counted."""
        conditions: list[Document] = [{"words": {"$regex": f"^{re.escape(word)}"}} for word in words]
        if channel_id is not None:
            conditions.append({"channel_id": channel_id})
        conditions.append(before("last_seen_at", after))
        found: list[Document] = [{"$match": {"$and": conditions}}, {"$sort": dict(NEWEST_SEEN)}, {"$limit": limit}]
        return list(self.database[CONTACTS].aggregate([*found, *_COUNT_PAGES]))

    def read_history(self, contact_id: str) -> list[Entry]:
        """All that is kept of the contact's history. Raises ContactNotFound."""
        contact = self.database[CONTACTS].find_one({"_id": contact_id}, {"history": 1, "erased_at": 1})
        if contact is None or is_erased(contact):
            raise _not_found()
        entries: list[Entry] = contact.get("history", [])
        return entries


def _not_found() -> ContactNotFound:
    return ContactNotFound("There is no such contact.")
