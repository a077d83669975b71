"""Contacts' tracked requests."""

from typing import Any

from flask import Response

from gateway.answers import answer, created
from gateway.auth import agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.schemas.base import IdempotencyHeader
from gateway.schemas.contacts import NewTicketSchema, TicketChangesSchema, TicketPageSchema, TicketQuery, TicketSchema

blueprint = Blueprint("tickets", __name__, url_prefix="/v1", description="Requests of contacts that are tracked until solved.")


@blueprint.route("/contacts/<id:contact_id>/tickets")
@agent_required
@problems("CONTACT_NOT_FOUND")
@blueprint.arguments(TicketQuery, location="query")
@blueprint.response(200, TicketPageSchema)
def list_tickets(query: dict[str, Any], contact_id: str) -> Response:
    """List a contact's tickets, newest first."""
    return answer(call("contacts", "list_tickets", contact_id=contact_id, **query))


@blueprint.route("/contacts/<id:contact_id>/tickets", methods=["POST"])
@agent_required
@problems("CONTACT_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED")
@blueprint.arguments(IdempotencyHeader, location="headers")
@blueprint.arguments(NewTicketSchema)
@blueprint.response(201, TicketSchema)
def create_ticket(headers: dict[str, Any], body: dict[str, Any], contact_id: str) -> Response:
    """Open a ticket."""
    return created(call("contacts", "create_ticket", contact_id=contact_id, **body, **headers, actor=caller().actor))


@blueprint.route("/tickets/<id:ticket_id>", methods=["PATCH"])
@agent_required
@problems("TICKET_NOT_FOUND")
@blueprint.arguments(TicketChangesSchema)
@blueprint.response(200, TicketSchema)
def update_ticket(changes: dict[str, Any], ticket_id: str) -> Response:
    """Change a ticket."""
    return answer(call("contacts", "update_ticket", ticket_id=ticket_id, changes=changes, actor=caller().actor))
