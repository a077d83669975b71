"""The one table from the services' events to what clients see of them: stream name, audience, and the visitor's view."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.streams.entries import Audience, Entry, Payload
from gateway.streams.positions import Position
from gateway.views import visitor_conversation, visitor_message
from services.common.envelope import Event
from services.common.wire import encode_to_keep

View = Callable[[dict[str, Any]], dict[str, Any] | None]

SESSION_REVOKED = ("presence", "session_revoked")
OF_CONTACTS = frozenset({("contacts", "contact_created"), ("contacts", "contact_updated")})


@dataclass(frozen=True, slots=True)
class Row:
    """Agents get the data as it is; the visitor whom it concerns gets the view, or nothing without one (or of None)."""

    name: str
    visitor: View | None = None


def visitor_typing(signal: dict[str, Any]) -> dict[str, Any] | None:
    """An agent's or a bot's typing, without the id; of a visitor's own typing nothing."""
    author = signal.get("author") or {}
    if author.get("kind") not in {"agent", "bot"}:
        return None
    shown = {"kind": author["kind"], "name": author.get("name")}
    return {"conversation_id": signal.get("conversation_id"), "author": shown, "typing": signal.get("typing")}


CATALOGUE: dict[tuple[str, str], Row] = {
    ("presence", "agent_created"): Row("agent.created"),
    ("presence", "agent_updated"): Row("agent.updated"),
    ("presence", "team_created"): Row("team.created"),
    ("presence", "team_updated"): Row("team.updated"),
    ("presence", "team_deleted"): Row("team.deleted"),
    ("contacts", "contact_created"): Row("contact.created"),
    ("contacts", "contact_updated"): Row("contact.updated"),
    ("contacts", "contact_erased"): Row("contact.deleted"),
    ("contacts", "note_created"): Row("note.created"),
    ("contacts", "note_updated"): Row("note.updated"),
    ("contacts", "note_deleted"): Row("note.deleted"),
    ("contacts", "ticket_created"): Row("ticket.created"),
    ("contacts", "ticket_updated"): Row("ticket.updated"),
    ("contacts", "comment_created"): Row("ticket.commented"),
    ("messaging", "channel_created"): Row("channel.created"),
    ("messaging", "channel_updated"): Row("channel.updated"),
    ("messaging", "channel_deleted"): Row("channel.deleted"),
    ("messaging", "conversation_started"): Row("conversation.created", visitor_conversation),
    ("messaging", "conversation_updated"): Row("conversation.updated", visitor_conversation),
    ("messaging", "conversation_assigned"): Row("conversation.assigned", visitor_conversation),
    ("messaging", "conversation_archived"): Row("conversation.archived", visitor_conversation),
    ("messaging", "message_posted"): Row("message.created", visitor_message),
    ("messaging", "message_updated"): Row("message.updated", visitor_message),
    ("messaging", "typing_signalled"): Row("conversation.typing", visitor_typing),
    ("assignment", "assignment_changed"): Row("assignment.updated"),
}


def to_entry(event: Event, position: Position) -> Entry | None:
    """The event as the streams send it; None for one that no client sees."""
    row = CATALOGUE.get((event.source, event.type))
    if row is None:
        return None
    payloads = {Audience.AGENTS: Payload(str(position), row.name, encode_to_keep(event.data))}
    if row.visitor is not None and event.contact_id is not None:
        shown = row.visitor(event.data)
        if shown is not None:
            payloads[Audience.VISITOR] = Payload(str(position), row.name, encode_to_keep(shown))
    return Entry(position.offset, payloads, event.contact_id)
