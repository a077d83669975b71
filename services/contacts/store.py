"""Every query and index of the contacts service: profiles, notes, tickets."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.client_session import ClientSession

from services.common.envelope import NewEvent
from services.common.errors import DocumentExists
from services.common.store import Document, Store
from services.contacts.errors import ContactNotFound, KeyReused, NoteNotFound, TicketNotFound
from services.contacts.events import (
    contact_created,
    contact_updated,
    note_created,
    note_deleted,
    note_updated,
    ticket_created,
    ticket_updated,
)

MAX_HIGHLIGHTED = 20
Position = tuple[datetime, str]

_NEWEST_SEEN = (("last_seen_at", DESCENDING), ("_id", DESCENDING))
_NEWEST_MADE = (("created_at", DESCENDING), ("_id", DESCENDING))
_WITHOUT_OUTBOX = {"outbox": 0}


class ContactStore(Store):
    """Contacts with the notes shown on them; a note that is shown and its contact change in one transaction."""

    entities = ("contacts", "notes", "tickets")
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        "contacts": [
            IndexModel([*_NEWEST_SEEN], name="newest"),
            IndexModel([("channel_id", ASCENDING), *_NEWEST_SEEN], name="newest_of_channel"),
            IndexModel([("words", ASCENDING)], name="words"),
        ],
        "notes": [
            IndexModel([("contact_id", ASCENDING), ("deleted_at", ASCENDING), *_NEWEST_MADE], name="of_contact"),
            IndexModel(
                [("contact_id", ASCENDING), ("highlighted", ASCENDING), *_NEWEST_MADE],
                name="highlighted_of_contact",
                partialFilterExpression={"highlighted": True},
            ),
        ],
        "tickets": [
            IndexModel([("contact_id", ASCENDING), *_NEWEST_MADE], name="of_contact"),
            IndexModel([("contact_id", ASCENDING), ("status", ASCENDING), *_NEWEST_MADE], name="of_contact_by_status"),
        ],
    }

    def find_contact(self, contact_id: str) -> Document | None:
        """The contact, or None."""
        return self.database["contacts"].find_one({"_id": contact_id}, _WITHOUT_OUTBOX)

    def get_contact(self, contact_id: str) -> Document:
        """The contact. Raises ContactNotFound."""
        contact = self.find_contact(contact_id)
        if contact is None:
            raise ContactNotFound("There is no such contact.")
        return contact

    def insert_contact(self, contact: Document) -> Document:
        """A first visit's contact. Raises DocumentExists when another process was faster."""
        return self.insert("contacts", contact, [contact_created(contact | {"version": 1})])

    def update_contact(self, contact: Document, changes: Mapping[str, Any], *, session: ClientSession | None = None) -> Document:
        """The contact with the changes, if there are any. Raises StaleDocument."""
        if not changes:
            return contact
        changed = contact | dict(changes) | {"version": contact["version"] + 1}
        return self.update("contacts", contact, changes, [contact_updated(changed)], session=session)

    def list_contacts(self, channel_id: str | None, words: Sequence[str], after: Position | None, limit: int) -> list[Document]:
        """Up to `limit` contacts, seen last first, that have for each of `words` a word beginning with it."""
        conditions: list[Document] = [{"words": {"$regex": f"^{re.escape(word)}"}} for word in words]
        if channel_id is not None:
            conditions.append({"channel_id": channel_id})
        if after is not None:
            conditions.append(_beyond("last_seen_at", after))
        query = {"$and": conditions} if conditions else {}
        return list(self.database["contacts"].find(query, _WITHOUT_OUTBOX).sort([*_NEWEST_SEEN]).limit(limit))

    def get_note(self, note_id: str) -> Document:
        """The note. Raises NoteNotFound, also for a deleted one."""
        note = self.database["notes"].find_one({"_id": note_id}, _WITHOUT_OUTBOX)
        if note is None or note["deleted_at"] is not None:
            raise NoteNotFound("There is no such note.")
        return note

    def create_note(self, note: Document) -> Document:
        """The new note, or the one that this creation made before, as it stands. Raises KeyReused, NoteNotFound."""

        def insert(session: ClientSession | None) -> Document:
            return self.insert("notes", dict(note), [note_created(note | {"version": 1})], session=session)

        try:
            return self._write_note(note["contact_id"], insert, shown=note["highlighted"])
        except DocumentExists:
            _check_fingerprint(self.database["notes"].find_one({"_id": note["_id"]}, {"fingerprint": 1}), note)
            return self.get_note(note["_id"])

    def update_note(self, note: Document, changes: Mapping[str, Any]) -> Document:
        """The note with the changes. Raises StaleDocument."""
        changed = note | dict(changes) | {"version": note["version"] + 1}

        def update(session: ClientSession | None) -> Document:
            return self.update("notes", note, changes, [note_updated(changed)], session=session)

        return self._write_note(note["contact_id"], update, shown=note["highlighted"] or changed["highlighted"])

    def delete_note(self, note: Document, at: datetime) -> None:
        """Leave of the note only that it was there: it carries its last event, and keeps its id taken. Raises StaleDocument."""
        changes = {"text": "", "highlighted": False, "deleted_at": at, "updated_at": at}

        def update(session: ClientSession | None) -> Document:
            return self.update("notes", note, changes, [note_deleted(note)], session=session)

        self._write_note(note["contact_id"], update, shown=note["highlighted"])

    def _write_note(self, contact_id: str, write: Any, *, shown: bool) -> Document:
        if not shown:
            written: Document = write(None)
            return written

        def work(session: ClientSession) -> Document:
            note: Document = write(session)
            notes = self.database["notes"]
            highlighted = notes.find({"contact_id": contact_id, "highlighted": True}, _WITHOUT_OUTBOX, session=session)
            contact = self.database["contacts"].find_one({"_id": contact_id}, _WITHOUT_OUTBOX, session=session)
            if contact is None:
                raise ContactNotFound("There is no such contact.")
            newest = list(highlighted.sort([*_NEWEST_MADE]).limit(MAX_HIGHLIGHTED))
            self.update_contact(contact, {"highlighted_notes": newest}, session=session)
            return note

        return self.transaction(work)

    def list_notes(self, contact_id: str, after: Position | None, limit: int) -> list[Document]:
        """Up to `limit` notes of a contact, newest first."""
        query: Document = {"contact_id": contact_id, "deleted_at": None}
        return self._newest("notes", query, after, limit)

    def get_ticket(self, ticket_id: str) -> Document:
        """The ticket. Raises TicketNotFound."""
        ticket = self.database["tickets"].find_one({"_id": ticket_id}, _WITHOUT_OUTBOX)
        if ticket is None:
            raise TicketNotFound("There is no such ticket.")
        return ticket

    def create_ticket(self, ticket: Document) -> Document:
        """The new ticket, or the one that this creation made before, as it stands. Raises KeyReused."""
        try:
            return self.insert("tickets", dict(ticket), [ticket_created(ticket | {"version": 1})])
        except DocumentExists:
            existing = self.get_ticket(ticket["_id"])
            _check_fingerprint(existing, ticket)
            return existing

    def update_ticket(self, ticket: Document, changes: Mapping[str, Any]) -> Document:
        """The ticket with the changes. Raises StaleDocument."""
        changed = ticket | dict(changes) | {"version": ticket["version"] + 1}
        events: list[NewEvent] = [ticket_updated(changed)]
        return self.update("tickets", ticket, changes, events)

    def list_tickets(self, contact_id: str, status: str | None, after: Position | None, limit: int) -> list[Document]:
        """Up to `limit` tickets of a contact, newest first, of one status or all."""
        query: Document = {"contact_id": contact_id} | ({"status": status} if status is not None else {})
        return self._newest("tickets", query, after, limit)

    def _newest(self, collection: str, query: Document, after: Position | None, limit: int) -> list[Document]:
        if after is not None:
            query = query | _beyond("created_at", after)
        return list(self.database[collection].find(query, _WITHOUT_OUTBOX).sort([*_NEWEST_MADE]).limit(limit))


def _beyond(key: str, after: Position) -> Document:
    moment, document_id = after
    # The first condition is implied by the second, and bounds the index's scan.
    return {key: {"$lte": moment}, "$or": [{key: {"$lt": moment}}, {key: moment, "_id": {"$lt": document_id}}]}


def _check_fingerprint(existing: Document | None, wanted: Document) -> None:
    if existing is not None and existing["fingerprint"] != wanted["fingerprint"]:
        raise KeyReused("This idempotency key came before, with other arguments.")
