"""Tickets and their comments in the database, and the names of the agents who see to them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pymongo import ASCENDING, IndexModel
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from services.common.errors import DocumentExists
from services.common.store import Document
from services.contacts.erasure import is_erased
from services.contacts.errors import TicketNotFound
from services.contacts.events import comment_created, ticket_created, ticket_updated
from services.contacts.listing import NEWEST_MADE, OLDEST_MADE, Position, before, since
from services.contacts.profile_store import ProfileStore
from services.contacts.repeats import check_repeat

TICKETS = "tickets"
COMMENTS = "comments"
AGENTS = "agents"
_WITHOUT_OUTBOX = {"outbox": 0}


class TicketStore(ProfileStore):
    """A comment and the ticket that counts it change in one transaction; the ticket tells of both."""

    entities: ClassVar[Sequence[str]] = (TICKETS,)
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        TICKETS: [
            IndexModel([*keys, *NEWEST_MADE], name=name)
            for name, keys in {
                "newest": [],
                "by_status": [("status", ASCENDING)],
                "of_contact": [("contact_id", ASCENDING)],
                "of_contact_by_status": [("contact_id", ASCENDING), ("status", ASCENDING)],
                "of_assignee": [("assignee.id", ASCENDING)],
                "of_assignee_by_status": [("assignee.id", ASCENDING), ("status", ASCENDING)],
                "of_channel": [("channel_id", ASCENDING)],
                "of_channel_by_status": [("channel_id", ASCENDING), ("status", ASCENDING)],
                "of_channel_and_assignee": [("channel_id", ASCENDING), ("assignee.id", ASCENDING)],
            }.items()
        ],
        COMMENTS: [
            IndexModel([("ticket_id", ASCENDING), *OLDEST_MADE], name="of_ticket"),
            IndexModel([("contact_id", ASCENDING)], name="of_contact"),
        ],
    }

    def get_ticket(self, ticket_id: str) -> Document:
        """The ticket. Raises TicketNotFound."""
        ticket = self.database[TICKETS].find_one({"_id": ticket_id}, _WITHOUT_OUTBOX)
        if ticket is None or is_erased(ticket):
            raise TicketNotFound("There is no such ticket.")
        return ticket

    def create_ticket(self, ticket: Document) -> Document:
        """The new ticket, or the one that this creation made before, as it stands. Raises ContactNotFound, KeyReused."""

        def work(session: ClientSession) -> Document:
            self.join_contact(ticket["contact_id"], session)
            return self.insert(TICKETS, dict(ticket), [ticket_created(ticket | {"version": 1})], session=session)

        try:
            return self.transaction(work)
        except DocumentExists:
            return self.find_repeated_ticket(ticket) or self.get_ticket(ticket["_id"])

    def find_repeated_ticket(self, ticket: Document) -> Document | None:
        """What this creation made before, as it stands, or None. Raises KeyReused; TicketNotFound for an erased one."""
        if self.database[TICKETS].find_one({"_id": ticket["_id"]}, {"_id": 1}) is None:
            return None
        existing = self.get_ticket(ticket["_id"])
        check_repeat(existing, ticket)
        return existing

    def update_ticket(self, ticket: Document, changes: Mapping[str, Any]) -> Document:
        """The ticket with the changes. Raises StaleDocument."""
        changed = ticket | dict(changes) | {"version": ticket["version"] + 1}
        return self.update(TICKETS, ticket, changes, [ticket_updated(changed)])

    def list_tickets(self, conditions: Mapping[str, Any], after: Position | None, limit: int) -> list[Document]:
        """Up to `limit` tickets of which all the conditions hold, newest first."""
        query = dict(conditions) | before("created_at", after)
        return list(self.database[TICKETS].find(query, _WITHOUT_OUTBOX).sort([*NEWEST_MADE]).limit(limit))

    def create_comment(self, ticket: Document, comment: Document) -> Document:
        """The new comment, or the one that this creation made before. Raises StaleDocument, KeyReused."""
        changes = {"comment_count": ticket.get("comment_count", 0) + 1, "updated_at": comment["created_at"]}
        events = [comment_created(comment), ticket_updated(ticket | changes | {"version": ticket["version"] + 1})]

        def work(session: ClientSession) -> Document:
            self.database[COMMENTS].insert_one(dict(comment), session=session)
            self.update(TICKETS, ticket, changes, events, session=session)
            return comment

        try:
            return self.transaction(work)
        except DuplicateKeyError:
            existing = self.database[COMMENTS].find_one({"_id": comment["_id"]})
            if existing is None or is_erased(existing):
                raise TicketNotFound("There is no such ticket.") from None
            check_repeat(existing, comment)
            return existing

    def list_comments(self, ticket_id: str, after: Position | None, limit: int) -> list[Document]:
        """Up to `limit` comments on a ticket, oldest first."""
        query: Document = {"ticket_id": ticket_id} | since("created_at", after)
        return list(self.database[COMMENTS].find(query).sort([*OLDEST_MADE]).limit(limit))

    def find_agent_name(self, agent_id: str) -> str | None:
        """The newest name heard of an agent."""
        found = self.database[AGENTS].find_one({"_id": agent_id})
        return found["name"] if found else None

    def follow_agent(self, agent_id: str, version: int, name: str) -> bool:
        """Take over a newer version of an agent. Returns whether there may be a name to bring to tickets.

        There is none when a newer version says the name that was known: the event that said it first ends by bringing it, or
        comes again and is not newer then.
        """
        older, values = {"_id": agent_id, "version": {"$lt": version}}, {"$set": {"name": name, "version": version}}
        known = self.database[AGENTS].find_one_and_update(older, values, {"name": 1})
        if known:
            return bool(known["name"] != name)
        try:
            self.database[AGENTS].update_one(older, values, upsert=True)
        except DuplicateKeyError:  # it is there by now, perhaps by an older version that was inserted at the same moment
            self.database[AGENTS].update_one(older, values)
        return True

    def rename_assignee(self, agent_id: str, name: str) -> None:
        """Bring an agent's name to the tickets it sees to."""
        query = {"assignee.id": agent_id, "assignee.name": {"$ne": name}}
        self.database[TICKETS].update_many(query, {"$set": {"assignee.name": name}})
