"""The entrypoints of the contacts service; README.md is their contract."""

from datetime import datetime
from typing import Any

from services.common.envelope import Event
from services.common.errors import DocumentExists
from services.common.events import subscribe
from services.common.logs import get_logger
from services.common.paging import decode_cursor, page
from services.common.rpc import rpc
from services.common.service import Service
from services.common.storage import Storage
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import load
from services.contacts import domain, schemas
from services.contacts.domain import Collected, Writer
from services.contacts.enrichment import Enrichment
from services.contacts.errors import OtherChannel
from services.contacts.profiles import Visit, decide_visit, new_contact, with_words
from services.contacts.records import changed_parts, new_note, new_ticket
from services.contacts.search import words_sought
from services.contacts.store import ContactStore, Position
from services.contacts.values import InvalidValue, clean_name
from services.contacts.views import contact_view, note_view, ticket_view

log = get_logger(__name__)

Result = dict[str, Any]


class ContactsService(Service):
    """Profiles, notes and tickets."""

    name = "contacts"
    store: ContactStore = Storage(ContactStore)
    enrichment = Enrichment()

    @rpc(schemas.OpenSession)
    def open_session(
        self,
        *,
        contact_id: str,
        channel_id: str,
        ip: str | None,
        page: Result | None,
        locale: str | None,
        user_agent: str | None,
        name: str | None,
    ) -> Result:
        """The contact, made on its first visit and refreshed by each later one.

        `name` is what the channel knows of the visitor. Texts that mean nothing (an odd address, URL or locale) are kept as text
        or left out. Raises OtherChannel (CONFLICT).
        """
        visit = self.enrichment.read_visit(now(), ip, page, locale, user_agent)
        return contact_view(retry_stale(lambda: self._visit(contact_id, channel_id, visit, _usable_name(name))))

    def _visit(self, contact_id: str, channel_id: str, visit: Visit, name: str | None) -> Document:
        contact = self.store.find_contact(contact_id)
        if contact is None:
            fresh = new_contact(contact_id, channel_id, visit)
            try:
                return self.store.insert_contact(fresh | with_words(fresh, _named_by_channel(fresh, name, visit.at)))
            except DocumentExists:
                contact = self.store.get_contact(contact_id)
        if contact["channel_id"] != channel_id:
            raise OtherChannel("The contact belongs to another channel.")
        changes = decide_visit(contact, visit)
        changes |= _named_by_channel(contact | changes, name, visit.at)
        return self.store.update_contact(contact, with_words(contact, changes))

    @rpc(schemas.GetContact)
    def get_contact(self, *, contact_id: str) -> Result:
        """The contact. Raises ContactNotFound."""
        return contact_view(self.store.get_contact(contact_id))

    @rpc(schemas.ListContacts)
    def list_contacts(self, *, channel_id: str | None, q: str | None, cursor: str | None, limit: int) -> Result:
        """Contacts seen last first: of a channel, or found by the beginnings of words of name, e-mail and phone, or all."""
        found = self.store.list_contacts(channel_id, words_sought(q), _position(cursor), limit + 1)
        return page(found, limit, contact_view, lambda contact: (contact["last_seen_at"], contact["_id"]))

    @rpc(schemas.UpdateContact)
    def update_contact(self, *, contact_id: str, changes: Result, actor: Result) -> Result:
        """The contact with the actor's changes of name, email, phone or blocked.

        Raises ContactNotFound, FieldReadOnly, Forbidden, Invalid (errors by the fields' names).
        """
        return self._write(contact_id, changes, actor, custom=False)

    @rpc(schemas.SetFields)
    def set_fields(self, *, contact_id: str, fields: Result, actor: Result) -> Result:
        """The contact with the bot's values: of personal fields by their names, of custom fields by any other; null clears.

        Raises ContactNotFound, FieldReadOnly, Forbidden, Invalid (errors by the fields' names).
        """
        return self._write(contact_id, fields, actor, custom=True)

    def _write(self, contact_id: str, wanted: Result, actor: Result, *, custom: bool) -> Result:
        writer = Writer(actor["kind"], actor["id"], actor["name"])

        def attempt() -> Document:
            contact = self.store.get_contact(contact_id)
            changes = domain.decide_write(contact, wanted, writer, now(), custom=custom)
            return self.store.update_contact(contact, with_words(contact, changes))

        return contact_view(retry_stale(attempt))

    @subscribe("messaging", "field_collected")
    def collect_field(self, event: Event) -> None:
        """Keep what messaging's bot collected, once for each event. Raises ContactNotFound, so that the event is tried again."""
        collected = load(schemas.FieldCollected(), event.data)
        version = event.version if event.kind == "conversation" else collected["version_hint"]
        source = Collected(event.id, collected["conversation_id"], version, event.at)

        def attempt() -> None:
            contact = self.store.get_contact(collected["contact_id"])
            changes = domain.decide_collected(contact, collected["field"], collected["value"], source)
            if "ignored" in changes:
                reason = changes["ignored"][-1]["reason"]
                log.info("collected_value_ignored", contact_id=contact["_id"], field=collected["field"], reason=reason)
            self.store.update_contact(contact, with_words(contact, changes))

        retry_stale(attempt)

    @rpc(schemas.CreateNote)
    def create_note(self, *, contact_id: str, text: str, highlighted: bool, actor: Result, idempotency_key: str | None) -> Result:
        """A new note on a contact. Raises ContactNotFound, Forbidden, KeyReused."""
        domain.check_note_writer(actor)
        note = new_note(contact_id=contact_id, text=text, highlighted=highlighted, actor=actor, key=idempotency_key, at=now())
        self.store.get_contact(contact_id)
        return note_view(self.store.create_note(note))

    @rpc(schemas.ListNotes)
    def list_notes(self, *, contact_id: str, cursor: str | None, limit: int) -> Result:
        """A contact's notes, newest first. Raises ContactNotFound."""
        self.store.get_contact(contact_id)
        found = self.store.list_notes(contact_id, _position(cursor), limit + 1)
        return page(found, limit, note_view, _made)

    @rpc(schemas.UpdateNote)
    def update_note(self, *, note_id: str, changes: Result, actor: Result) -> Result:
        """The actor's own note with another text or highlighting. Raises NoteNotFound, Forbidden."""

        def attempt() -> Document:
            note = self.store.get_note(note_id)
            domain.check_note_owner(note, actor, admins=False)
            new = changed_parts(note, changes, now())
            return self.store.update_note(note, new) if new else note

        return note_view(retry_stale(attempt))

    @rpc(schemas.DeleteNote)
    def delete_note(self, *, note_id: str, actor: Result) -> Result:
        """`{id}`; the actor's own note is gone, or any for an admin. Raises NoteNotFound, Forbidden."""

        def attempt() -> None:
            note = self.store.get_note(note_id)
            domain.check_note_owner(note, actor, admins=True)
            self.store.delete_note(note, now())

        retry_stale(attempt)
        return {"id": note_id}

    @rpc(schemas.CreateTicket)
    def create_ticket(
        self,
        *,
        contact_id: str,
        subject: str,
        description: str,
        conversation_id: str | None,
        actor: Result,
        idempotency_key: str | None,
    ) -> Result:
        """A new open ticket of a contact. Raises ContactNotFound, Forbidden, KeyReused."""
        domain.check_ticket_writer(actor)
        ticket = new_ticket(
            contact_id=contact_id,
            subject=subject,
            description=description,
            conversation_id=conversation_id,
            actor=actor,
            key=idempotency_key,
            at=now(),
        )
        self.store.get_contact(contact_id)
        return ticket_view(self.store.create_ticket(ticket))

    @rpc(schemas.ListTickets)
    def list_tickets(self, *, contact_id: str, status: str | None, cursor: str | None, limit: int) -> Result:
        """A contact's tickets, newest first. Raises ContactNotFound."""
        self.store.get_contact(contact_id)
        found = self.store.list_tickets(contact_id, status, _position(cursor), limit + 1)
        return page(found, limit, ticket_view, _made)

    @rpc(schemas.UpdateTicket)
    def update_ticket(self, *, ticket_id: str, changes: Result, actor: Result) -> Result:
        """The ticket with another subject, description or status. Raises TicketNotFound, Forbidden."""
        domain.check_ticket_writer(actor)

        def attempt() -> Document:
            ticket = self.store.get_ticket(ticket_id)
            new = changed_parts(ticket, changes, now())
            return self.store.update_ticket(ticket, new) if new else ticket

        return ticket_view(retry_stale(attempt))


def _named_by_channel(contact: Document, name: str | None, at: datetime) -> Document:
    return {} if name is None else domain.decide_write(contact, {"name": name}, Writer("channel"), at, custom=False)


def _usable_name(name: str | None) -> str | None:
    try:
        return None if name is None else clean_name(name)
    except InvalidValue:
        return None


def _position(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    moment, document_id = decode_cursor(cursor, datetime, str)
    return moment, document_id


def _made(record: Document) -> tuple[datetime, str]:
    return record["created_at"], record["_id"]
