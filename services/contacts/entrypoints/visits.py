"""Visits over RPC, and the event by which a channel tells of a visitor whom it met elsewhere."""

from typing import Any

from services.common.envelope import Event
from services.common.errors import DocumentExists
from services.common.events import subscribe
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import load
from services.contacts import domain, schemas
from services.contacts.entrypoints.means import Means, named_by_channel
from services.contacts.erasure import is_erased
from services.contacts.errors import ContactBlocked, ContactNotFound, OtherChannel
from services.contacts.profiles import Visit, decide_visit, new_contact, with_words, without_outdated
from services.contacts.values import InvalidValue, clean_name
from services.contacts.views import contact_view

Wire = dict[str, Any]


class VisitMethods(Means):
    """The first visit makes a profile, each later one refreshes it."""

    @rpc(schemas.OpenSession)
    def open_session(
        self,
        *,
        contact_id: str,
        channel_id: str,
        ip: str | None,
        page: Wire | None,
        locale: str | None,
        time_zone: str | None,
        user_agent: str | None,
        name: str | None,
    ) -> Wire:
        """The contact, made on its first visit and refreshed by each later one.

        `name` is what the channel knows of the visitor. Texts that mean nothing (an odd address, URL, locale or time zone) are kept
        as text or left out. A blocked contact is answered as it is: who calls turns the visitor away, and nothing of the visit is
        kept. Raises OtherChannel (CONFLICT), ContactNotFound for an erased one.
        """
        visit = self.enrichment.read_visit(now(), ip=ip, page=page, locale=locale, time_zone=time_zone, user_agent=user_agent)
        named = _usable_name(name)

        def refresh(contact: Document) -> Document:
            if contact["blocked"]:
                return {}
            changes = decide_visit(contact, visit)
            return changes | named_by_channel(contact | changes, named, visit.at)

        contact = retry_stale(lambda: self._visit(contact_id, channel_id, visit, named, refresh))
        if is_erased(contact):
            raise ContactNotFound("The contact was erased.")
        return contact_view(contact)

    @rpc(schemas.RecordPage)
    def record_page(self, *, contact_id: str, page: Wire) -> Wire:
        """The contact, whose running visit went on to this page. Raises ContactNotFound, ContactBlocked."""
        visit = self.enrichment.read_visit(now(), page=page)

        def attempt() -> Document:
            contact = self.store.get_contact(contact_id)
            if contact["blocked"]:
                raise ContactBlocked("The visitor is blocked.")
            return self.store.update_contact(contact, decide_visit(contact, visit))

        return contact_view(retry_stale(attempt))

    @subscribe("messaging", "visitor_met")
    def meet_visitor(self, event: Event) -> None:
        """Make the profile of a visitor who writes by another way than the web, and keep what that way tells of them.

        Repeats change nothing, nor does what was told earlier than what is known. Raises OtherChannel, so that it is put aside.
        """
        met = load(schemas.VisitorMet(), event.data)
        at = met["at"] or event.at
        visit = self.enrichment.read_visit(at, locale=met["locale"], time_zone=met["time_zone"])
        name = _usable_name(met["name"])

        def refresh(contact: Document) -> Document:
            changes = decide_visit(contact, without_outdated(contact, visit))
            news = name if domain.is_channels_news(contact, at) else None
            return changes | named_by_channel(contact | changes, news, at)

        retry_stale(lambda: self._visit(met["contact_id"], met["channel_id"], visit, name, refresh))

    def _visit(self, contact_id: str, channel_id: str, visit: Visit, name: str | None, refresh: Any) -> Document:
        """The contact as the visit leaves it, or what is left of an erased one, unchanged."""
        contact = self.store.find_contact(contact_id)
        if contact is None:
            fresh = new_contact(contact_id, channel_id, visit)
            try:
                return self.store.insert_contact(fresh | with_words(fresh, named_by_channel(fresh, name, visit.at)))
            except DocumentExists:
                contact = self.store.find_contact(contact_id) or fresh
        if contact["channel_id"] != channel_id:
            raise OtherChannel("The contact belongs to another channel.")
        if is_erased(contact):
            return contact
        return self.store.update_contact(contact, with_words(contact, refresh(contact)))


def _usable_name(name: str | None) -> str | None:
    try:
        return None if name is None else clean_name(name)
    except InvalidValue:
        return None
