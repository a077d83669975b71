"""Tickets and their comments over RPC, and the events that open tickets and rename who sees to them."""

from typing import Any

from services.common.envelope import Event
from services.common.events import subscribe
from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import load
from services.contacts import domain, schemas
from services.contacts.entrypoints.means import Means
from services.contacts.listing import made, read_position
from services.contacts.records import changed_parts, new_comment, new_ticket, new_wanted_ticket
from services.contacts.views import comment_view, ticket_view

NOBODY = "none"

Wire = dict[str, Any]


class TicketMethods(Means):
    """Open, show, list, change and discuss tickets."""

    @rpc(schemas.CreateTicket)
    def create_ticket(
        self,
        *,
        contact_id: str,
        subject: str,
        description: str,
        conversation_id: str | None,
        assignee: dict[str, str] | None,
        actor: Wire,
        idempotency_key: str | None,
    ) -> Wire:
        """A new open ticket of a contact. Raises ContactNotFound, Forbidden, KeyReused."""
        domain.check_ticket_writer(actor)
        ticket = new_ticket(
            contact=self.store.get_contact(contact_id),
            subject=subject,
            description=description,
            conversation_id=conversation_id,
            assignee=assignee,
            actor=actor,
            key=idempotency_key,
            at=now(),
        )
        return self._show(self.store.create_ticket(ticket))

    @rpc(schemas.FindRepeatedTicket)
    def find_repeated_ticket(
        self,
        *,
        contact_id: str,
        subject: str,
        description: str,
        conversation_id: str | None,
        assignee_id: str,
        actor: Wire,
        idempotency_key: str,
    ) -> Wire:
        """`{ticket}`: what this creation made before, as it stands, or null.

        For callers who look whether there is such an agent: of a ticket that is there already, nobody has to ask again. Raises
        ContactNotFound, Forbidden, KeyReused.
        """
        domain.check_ticket_writer(actor)
        wanted = new_ticket(
            contact=self.store.get_contact(contact_id),
            subject=subject,
            description=description,
            conversation_id=conversation_id,
            assignee={"id": assignee_id, "name": ""},
            actor=actor,
            key=idempotency_key,
            at=now(),
        )
        ticket = self.store.find_repeated_ticket(wanted)
        return {"ticket": None if ticket is None else self._show(ticket)}

    @rpc(schemas.GetTicket)
    def get_ticket(self, *, ticket_id: str) -> Wire:
        """The ticket. Raises TicketNotFound."""
        return ticket_view(self.store.get_ticket(ticket_id))

    @rpc(schemas.ListTickets)
    def list_tickets(
        self,
        *,
        contact_id: str | None,
        status: str | None,
        assignee_id: str | None,
        channel_id: str | None,
        cursor: str | None,
        limit: int,
    ) -> Wire:
        """Tickets, newest first: all, or those of a contact, status, channel, and agent or "none". Raises ContactNotFound."""
        if contact_id is not None:
            self.store.get_contact(contact_id)
        wanted = {"contact_id": contact_id, "status": status, "assignee.id": assignee_id, "channel_id": channel_id}
        conditions = {part: None if value == NOBODY else value for part, value in wanted.items() if value is not None}
        found = self.store.list_tickets(conditions, read_position(cursor), limit + 1)
        return page(found, limit, ticket_view, made)

    @rpc(schemas.UpdateTicket)
    def update_ticket(self, *, ticket_id: str, changes: Wire, actor: Wire) -> Wire:
        """The ticket with another subject, description, status or assignee. Raises TicketNotFound, Forbidden."""
        domain.check_ticket_writer(actor)

        def attempt() -> Document:
            ticket = self.store.get_ticket(ticket_id)
            new = changed_parts(ticket, changes, now())
            return self.store.update_ticket(ticket, new) if new else ticket

        return self._show(retry_stale(attempt))

    @rpc(schemas.CreateComment)
    def create_comment(self, *, ticket_id: str, text: str, actor: Wire, idempotency_key: str | None) -> Wire:
        """A new comment on a ticket. Raises TicketNotFound, Forbidden, KeyReused."""
        domain.check_ticket_writer(actor)

        def attempt() -> Document:
            ticket = self.store.get_ticket(ticket_id)
            comment = new_comment(ticket, text=text, actor=actor, key=idempotency_key, at=now())
            return self.store.create_comment(ticket, comment)

        return comment_view(retry_stale(attempt))

    @rpc(schemas.ListComments)
    def list_comments(self, *, ticket_id: str, cursor: str | None, limit: int) -> Wire:
        """A ticket's comments, oldest first. Raises TicketNotFound."""
        self.store.get_ticket(ticket_id)
        found = self.store.list_comments(ticket_id, read_position(cursor), limit + 1)
        return page(found, limit, comment_view, made)

    @subscribe("messaging", "ticket_wanted")
    def open_wanted_ticket(self, event: Event) -> None:
        """Open the ticket that a flow asks for, once for each event. Raises ContactNotFound, so that the event is tried again."""
        wanted = load(schemas.TicketWanted(), event.data)
        contact = self.store.find_living(wanted["contact_id"])
        if contact is None:
            return
        ticket = new_wanted_ticket(
            event.id,
            contact=contact,
            subject=wanted["subject"],
            description=wanted["description"],
            conversation_id=wanted["conversation_id"],
            at=event.at,
        )
        self.store.create_ticket(ticket)

    @subscribe("presence", "agent_created", "agent_updated")
    def rename_agent(self, event: Event) -> None:
        """Bring an agent's name to its tickets, if it may be a new one: mostly its load changed."""
        agent = load(schemas.AgentNews(), event.data)
        if self.store.follow_agent(agent["id"], event.version, agent["name"]):
            self._bring_name(agent["id"], None)

    def _show(self, ticket: Document) -> Wire:
        """The ticket, after a look whether its agent has another name by now."""
        assignee = ticket.get("assignee")
        if assignee is not None:
            self._bring_name(assignee["id"], assignee["name"])
        return ticket_view(ticket)

    def _bring_name(self, agent_id: str, shown: str | None) -> None:
        # Two renames may be handled at once: whoever wrote looks again, so the newest name is the last one written.
        while (name := self.store.find_agent_name(agent_id)) not in (None, shown):
            self.store.rename_assignee(agent_id, str(name))
            shown = name
