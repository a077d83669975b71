"""How a contact is erased in the database: its profile by one write, from which on nothing of it is shown or added, then all else.

Whatever ends the process in between: `erasing` is in the contact's document until nothing is left, and a timer goes on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pymongo import IndexModel, ReturnDocument

from services.common.errors import StaleDocument
from services.common.store import Document
from services.contacts.erasure import DROPPED_OF_RECORDS, tombstone
from services.contacts.events import contact_erased
from services.contacts.note_store import NOTES
from services.contacts.profile_store import CONTACTS, ProfileStore
from services.contacts.ticket_store import COMMENTS, TICKETS

# Unsent events would tell what is to be forgotten; the contact's own last event tells enough.
_AS_ENTITY = {"outbox": [], "version": {"$add": ["$version", 1]}}


class ErasureStore(ProfileStore):
    """Contacts, notes, tickets and comments that are to be forgotten."""

    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        CONTACTS: [IndexModel([("erased_at", 1)], name="erasing", partialFilterExpression={"erasing": True})],
    }

    def erase_contact(self, contact: Document, actor: Mapping[str, Any], at: datetime) -> Document:
        """What is left of the contact, written over the version in hand, with its last event. Raises StaleDocument."""
        gained, lost = tombstone(contact | {"history": []}, actor, at)
        version = contact["version"] + 1
        event = contact_erased(contact | gained).entry(contact["_id"], version)
        erased = self.database[CONTACTS].find_one_and_update(
            {"_id": contact["_id"], "version": contact["version"]},
            {"$set": gained | {"version": version, "outbox": [event]}, "$unset": dict.fromkeys(lost, "")},
            return_document=ReturnDocument.AFTER,
        )
        if erased is None:
            raise StaleDocument(contact["_id"])
        self._committed(CONTACTS, erased, None)
        return erased

    def erase_records(self, contact_id: str, at: datetime) -> None:
        """Leave of an erased contact's notes, tickets and comments what may stay. What was done before is not done again."""
        dropped = {"$unset": list(DROPPED_OF_RECORDS)}
        # Tickets before comments: who comments writes to the ticket in hand, and from here on finds it gone.
        for collection, more in ((NOTES, _AS_ENTITY), (TICKETS, _AS_ENTITY), (COMMENTS, {})):
            kept: Document = {"erased_at": at, "made_at": "$created_at"}
            unfinished = {"contact_id": contact_id, "erased_at": None}
            self.database[collection].update_many(unfinished, [{"$set": kept | more}, dropped])
        self.database[CONTACTS].update_one({"_id": contact_id}, {"$unset": {"erasing": ""}})

    def find_erasing(self, erased_before: datetime, limit: int) -> list[Document]:
        """Contacts erased before a moment of whom more may be left, the oldest first."""
        query = {"erasing": True, "erased_at": {"$lt": erased_before}}
        return list(self.database[CONTACTS].find(query, {"erased_at": 1}).sort("erased_at", 1).limit(limit))
