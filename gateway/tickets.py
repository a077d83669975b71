"""How a ticket is opened for whoever asks: its agent is looked up once, and a repeated call answers what the first one did."""

from collections.abc import Mapping
from typing import Any

from gateway.auth import caller
from gateway.context import call
from gateway.people import with_assignee


def open_ticket(contact_id: str, body: Mapping[str, Any], headers: Mapping[str, Any]) -> dict[str, Any]:
    """The ticket, or the one that this key made before. Raises DomainError."""
    ticket = _find_repeated(contact_id, body, headers)
    if ticket is None:
        wanted = with_assignee(body)
        ticket = call("contacts", "create_ticket", contact_id=contact_id, **wanted, **headers, actor=caller().actor)
    return ticket


def _find_repeated(contact_id: str, body: Mapping[str, Any], headers: Mapping[str, Any]) -> dict[str, Any] | None:
    # Contacts recognises repeats by itself; but the agent may have left since, and would be refused before contacts is asked.
    if not headers.get("idempotency_key") or not body.get("assignee_id"):
        return None
    found = call("contacts", "find_repeated_ticket", contact_id=contact_id, **body, **headers, actor=caller().actor)
    repeated: dict[str, Any] | None = found["ticket"]
    return repeated
