"""Visits over RPC, and the event by which a channel tells of a visitor whom it met elsewhere."""

from collections.abc import Callable
from typing import Any

from services.common.envelope import Event
from services.common.errors import DocumentExists, StaleDocument
from services.common.events import subscribe
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import load
from services.contacts import domain, schemas
from services.contacts.entrypoints.means import Means, named_by_channel
from services.contacts.erasure import is_erased
from services.contacts.errors import ContactBlocked, ContactNotFound, OtherChannel, TokenOfNobody
from services.contacts.identity import decide_identity, may_be
from services.contacts.profiles import Visit, decide_visit, new_contact, with_words, without_outdated
from services.contacts.values import InvalidValue, clean_name
from services.contacts.views import contact_view

Wire = dict[str, Any]
Refresh = Callable[[Document], Document]


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
        user: Wire | None,
    ) -> Wire:
        """The contact, made on its first visit and refreshed by each later one.

        `name` is what the channel knows of the visitor. `user` is the website's signed-in one, verified by the caller: the contact is
        this user's, whichever `contact_id` says; else the given one becomes it. Texts that mean nothing (an odd address, URL, locale or
        time zone) are kept as text or left out. A blocked contact is answered as it is: who calls turns the visitor away, and nothing of
        the visit is kept. Raises OtherChannel (CONFLICT), ContactNotFound for an erased one and one of a user who isn't the present one.
        """
        visit = self.enrichment.read_visit(now(), ip=ip, page=page, locale=locale, time_zone=time_zone, user_agent=user_agent)
        named = _usable_name(name)
        user_id: str | None = None if user is None else user["id"]

        def refresh(contact: Document) -> Document:
            if contact["blocked"] or not may_be(contact, user_id):
                return {}
            changes = decide_visit(contact, visit)
            changes |= named_by_channel(contact | changes, named, visit.at)
            return changes if user is None else changes | decide_identity(contact | changes, user, visit.at)

        contact = retry_stale(lambda: self._visit(contact_id, channel_id, visit, refresh, user_id))
        if is_erased(contact):
            raise ContactNotFound("The contact was erased.")
        if not may_be(contact, user_id):
            raise ContactNotFound("The contact is a user who is not signed in.")
        return contact_view(contact)

    @rpc(schemas.RecordPage)
    def record_page(self, *, contact_id: str, user: bool, page: Wire) -> Wire:
        """The contact, whose running visit went on to this page.

        `user` says that who calls was verified as the website's user whose contact it is; without it such a contact is refused.
        Raises ContactNotFound, ContactBlocked, TokenOfNobody.
        """
        visit = self.enrichment.read_visit(now(), page=page)

        def attempt() -> Document:
            contact = self.store.get_contact(contact_id)
            if not user and not may_be(contact, None):
                raise TokenOfNobody("This token is from before the visitor signed in: begin a session again.")
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

        retry_stale(lambda: self._visit(met["contact_id"], met["channel_id"], visit, refresh))

    def _visit(self, contact_id: str, channel_id: str, visit: Visit, refresh: Refresh, user_id: str | None = None) -> Document:
        """The user's contact, else the one of this id, as the visit leaves it; or what is left of an erased one, unchanged."""
        user = None if user_id is None else self.store.find_user(channel_id, user_id)
        contact = user or self.store.find_contact(contact_id)
        try:
            if contact is None:
                fresh = new_contact(contact_id, channel_id, visit)
                return self.store.insert_contact(fresh | with_words(fresh, refresh(fresh)))
            if contact["channel_id"] != channel_id:
                raise OtherChannel("The contact belongs to another channel.")
            if is_erased(contact):
                return contact
            return self.store.update_contact(contact, with_words(contact, refresh(contact)))
        except DocumentExists:  # another visit made the contact, or the user's one, meanwhile
            raise StaleDocument(contact_id) from None


def _usable_name(name: str | None) -> str | None:
    try:
        return None if name is None else clean_name(name)
    except InvalidValue:
        return None
