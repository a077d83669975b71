"""Profiles over RPC, and the event that tells what the bot collected."""

from typing import Any

from services.common.envelope import Event
from services.common.events import subscribe
from services.common.logs import get_logger
from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import load
from services.contacts import domain, history, schemas
from services.contacts.domain import Collected, Writer
from services.contacts.entrypoints.means import Means
from services.contacts.listing import read_position, seen
from services.contacts.profiles import with_words
from services.contacts.search import words_sought
from services.contacts.views import contact_view, entry_view, ignored_view, whole_contact_view

log = get_logger(__name__)

Wire = dict[str, Any]


class ContactMethods(Means):
    """Read, find and change profiles."""

    @rpc(schemas.GetContact)
    def get_contact(self, *, contact_id: str) -> Wire:
        """The contact. Raises ContactNotFound."""
        return whole_contact_view(self.store.get_contact(contact_id))

    @rpc(schemas.ListContacts)
    def list_contacts(self, *, channel_id: str | None, q: str | None, cursor: str | None, limit: int) -> Wire:
        """Contacts seen last first: of a channel, or found by the beginnings of words of name, e-mail and phone, or all."""
        found = self.store.list_contacts(channel_id, words_sought(q), read_position(cursor), limit + 1)
        return page(found, limit, contact_view, seen)

    @rpc(schemas.ListHistory)
    def list_history(self, *, contact_id: str, cursor: str | None, limit: int) -> Wire:
        """What the contact's values became and were, who set each and when, newest first. Raises ContactNotFound."""
        after = read_position(cursor)
        found = history.newest_first(self.store.read_history(contact_id), after, limit + 1)
        return page(found, limit, entry_view, history.position_of)

    @rpc(schemas.GetContact)
    def list_ignored(self, *, contact_id: str) -> Wire:
        """`{items}`: the newest 20 values that were written and not taken, newest first. Raises ContactNotFound."""
        ignored = self.store.get_contact(contact_id)["ignored"]
        return {"items": [ignored_view(record) for record in reversed(ignored)]}

    @rpc(schemas.UpdateContact)
    def update_contact(self, *, contact_id: str, changes: Wire, actor: Wire) -> Wire:
        """The contact with the actor's changes of name, email, phone or blocked.

        Raises ContactNotFound, FieldReadOnly, Forbidden, Invalid (errors by the fields' names).
        """
        return self._write(contact_id, changes, actor, custom=False)

    @rpc(schemas.SetFields)
    def set_fields(self, *, contact_id: str, fields: Wire, actor: Wire) -> Wire:
        """The contact with the bot's values: of personal fields by their names, of custom fields by any other; null clears.

        Raises ContactNotFound, FieldReadOnly, Forbidden, Invalid (errors by the fields' names).
        """
        return self._write(contact_id, fields, actor, custom=True)

    @subscribe("messaging", "field_collected")
    def collect_field(self, event: Event) -> None:
        """Keep what messaging's bot collected, once for each event. Raises ContactNotFound, so that the event is tried again."""
        collected = load(schemas.FieldCollected(), event.data)
        version = event.version if event.kind == "conversation" else collected["version_hint"]
        source = Collected(event.id, collected["conversation_id"], version, event.at)

        def attempt() -> None:
            contact = self.store.find_living(collected["contact_id"])
            if contact is None:
                return
            changes = domain.decide_collected(contact, collected["field"], collected["value"], source)
            if "ignored" in changes:
                reason = changes["ignored"][-1]["reason"]
                log.info("collected_value_ignored", contact_id=contact["_id"], field=collected["field"], reason=reason)
            self.store.update_contact(contact, with_words(contact, changes))

        retry_stale(attempt)

    def _write(self, contact_id: str, wanted: Wire, actor: Wire, *, custom: bool) -> Wire:
        writer = Writer(actor["kind"], actor["id"], actor["name"])

        def attempt() -> Document:
            contact = self.store.get_contact(contact_id)
            changes = domain.decide_write(contact, wanted, writer, now(), custom=custom)
            return self.store.update_contact(contact, with_words(contact, changes))

        return whole_contact_view(retry_stale(attempt))
