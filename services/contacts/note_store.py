"""Notes in the database, and those of them that are shown on their contact."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pymongo import ASCENDING, IndexModel
from pymongo.client_session import ClientSession

from services.common.errors import DocumentExists
from services.common.store import Document
from services.contacts.erasure import is_erased
from services.contacts.errors import NoteNotFound
from services.contacts.events import note_created, note_deleted, note_updated
from services.contacts.listing import NEWEST_MADE, Position, before
from services.contacts.profile_store import CONTACTS, ProfileStore
from services.contacts.repeats import check_repeat

NOTES = "notes"
MAX_HIGHLIGHTED = 20
_WITHOUT_OUTBOX = {"outbox": 0}


class NoteStore(ProfileStore):
    """A note that is shown on its contact and the contact change in one transaction."""

    entities: ClassVar[Sequence[str]] = (NOTES,)
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        NOTES: [
            IndexModel([("contact_id", ASCENDING), ("deleted_at", ASCENDING), *NEWEST_MADE], name="of_contact"),
            IndexModel(
                [("contact_id", ASCENDING), ("highlighted", ASCENDING), *NEWEST_MADE],
                name="highlighted_of_contact",
                partialFilterExpression={"highlighted": True},
            ),
        ],
    }

    def get_note(self, note_id: str) -> Document:
        """The note. Raises NoteNotFound, also for a deleted one."""
        note = self.database[NOTES].find_one({"_id": note_id}, _WITHOUT_OUTBOX)
        if note is None or note["deleted_at"] is not None or is_erased(note):
            raise NoteNotFound("There is no such note.")
        return note

    def create_note(self, note: Document) -> Document:
        """The new note, or the one that this creation made before, as it stands. Raises ContactNotFound, KeyReused, NoteNotFound."""

        def work(session: ClientSession) -> Document:
            self.join_contact(note["contact_id"], session)
            made = self.insert(NOTES, dict(note), [note_created(note | {"version": 1})], session=session)
            if note["highlighted"]:
                self._show_highlighted(note["contact_id"], session)
            return made

        try:
            return self.transaction(work)
        except DocumentExists:
            check_repeat(self.database[NOTES].find_one({"_id": note["_id"]}, {"fingerprint": 1}), note)
            return self.get_note(note["_id"])

    def update_note(self, note: Document, changes: Mapping[str, Any]) -> Document:
        """The note with the changes. Raises StaleDocument."""
        changed = note | dict(changes) | {"version": note["version"] + 1}

        def update(session: ClientSession | None) -> Document:
            return self.update(NOTES, note, changes, [note_updated(changed)], session=session)

        return self._write_note(note["contact_id"], update, shown=note["highlighted"] or changed["highlighted"])

    def delete_note(self, note: Document, at: datetime) -> None:
        """Leave of the note only that it was there: it carries its last event, and keeps its id taken. Raises StaleDocument."""
        changes = {"text": "", "highlighted": False, "deleted_at": at, "updated_at": at}

        def update(session: ClientSession | None) -> Document:
            return self.update(NOTES, note, changes, [note_deleted(note)], session=session)

        self._write_note(note["contact_id"], update, shown=note["highlighted"])

    def list_notes(self, contact_id: str, after: Position | None, limit: int) -> list[Document]:
        """Up to `limit` notes of a contact, newest first."""
        query: Document = {"contact_id": contact_id, "deleted_at": None} | before("created_at", after)
        return list(self.database[NOTES].find(query, _WITHOUT_OUTBOX).sort([*NEWEST_MADE]).limit(limit))

    def _write_note(self, contact_id: str, write: Any, *, shown: bool) -> Document:
        if not shown:
            written: Document = write(None)
            return written

        def work(session: ClientSession) -> Document:
            note: Document = write(session)
            self._show_highlighted(contact_id, session)
            return note

        return self.transaction(work)

    def _show_highlighted(self, contact_id: str, session: ClientSession) -> None:
        contact = self.database[CONTACTS].find_one({"_id": contact_id}, {"outbox": 0, "history": 0}, session=session)
        if contact is None or is_erased(contact):
            raise NoteNotFound("The note's contact was erased.")
        highlighted = self.database[NOTES].find({"contact_id": contact_id, "highlighted": True}, _WITHOUT_OUTBOX, session=session)
        newest = list(highlighted.sort([*NEWEST_MADE]).limit(MAX_HIGHLIGHTED))
        self.update_contact(contact, {"highlighted_notes": newest}, session=session)
