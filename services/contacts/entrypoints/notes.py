"""Agents' notes over RPC."""

from typing import Any

from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.contacts import domain, schemas
from services.contacts.entrypoints.means import Means
from services.contacts.listing import made, read_position
from services.contacts.records import changed_parts, new_note
from services.contacts.views import note_view

Wire = dict[str, Any]


class NoteMethods(Means):
    """Make, list, change and delete notes."""

    @rpc(schemas.CreateNote)
    def create_note(self, *, contact_id: str, text: str, highlighted: bool, actor: Wire, idempotency_key: str | None) -> Wire:
        """A new note on a contact. Raises ContactNotFound, Forbidden, KeyReused."""
        domain.check_note_writer(actor)
        note = new_note(contact_id=contact_id, text=text, highlighted=highlighted, actor=actor, key=idempotency_key, at=now())
        return note_view(self.store.create_note(note))

    @rpc(schemas.ListNotes)
    def list_notes(self, *, contact_id: str, cursor: str | None, limit: int) -> Wire:
        """A contact's notes, newest first. Raises ContactNotFound."""
        self.store.get_contact(contact_id)
        found = self.store.list_notes(contact_id, read_position(cursor), limit + 1)
        return page(found, limit, note_view, made)

    @rpc(schemas.UpdateNote)
    def update_note(self, *, note_id: str, changes: Wire, actor: Wire) -> Wire:
        """The actor's own note with another text or highlighting. Raises NoteNotFound, Forbidden."""

        def attempt() -> Document:
            note = self.store.get_note(note_id)
            domain.check_note_owner(note, actor, admins=False)
            new = changed_parts(note, changes, now())
            return self.store.update_note(note, new) if new else note

        return note_view(retry_stale(attempt))

    @rpc(schemas.DeleteNote)
    def delete_note(self, *, note_id: str, actor: Wire) -> Wire:
        """`{id}`; the actor's own note is gone, or any for an admin. Raises NoteNotFound, Forbidden."""

        def attempt() -> None:
            note = self.store.get_note(note_id)
            domain.check_note_owner(note, actor, admins=True)
            self.store.delete_note(note, now())

        retry_stale(attempt)
        return {"id": note_id}
