"""Contacts' tracked requests, and what is said about them."""

from typing import Any

from flask import Response

from gateway.answers import answer, created
from gateway.auth import agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.people import with_assignee
from gateway.schemas.base import IdempotencyHeader, PageQuery
from gateway.schemas.tickets import (
    CommentPageSchema,
    CommentSchema,
    ContactTicketQuery,
    NewCommentSchema,
    NewTicketSchema,
    TicketChangesSchema,
    TicketPageSchema,
    TicketQuery,
    TicketSchema,
)
from gateway.tickets import open_ticket

blueprint = Blueprint("tickets", __name__, url_prefix="/v1", description="Requests of contacts that are tracked until solved.")


@blueprint.route("/tickets")
@agent_required
@problems("CONTACT_NOT_FOUND")
@blueprint.arguments(TicketQuery, location="query")
@blueprint.response(200, TicketPageSchema)
def list_all_tickets(query: dict[str, Any]) -> Response:
    """List the tickets of all contacts, newest first."""
    return answer(call("contacts", "list_tickets", **query))


@blueprint.route("/contacts/<id:contact_id>/tickets")
@agent_required
@problems("CONTACT_NOT_FOUND")
@blueprint.arguments(ContactTicketQuery, location="query")
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
    return created(open_ticket(contact_id, body, headers), "/v1/tickets")


@blueprint.route("/tickets/<id:ticket_id>")
@agent_required
@problems("TICKET_NOT_FOUND")
@blueprint.response(200, TicketSchema)
def get_ticket(ticket_id: str) -> Response:
    """Show a ticket."""
    return answer(call("contacts", "get_ticket", ticket_id=ticket_id))


@blueprint.route("/tickets/<id:ticket_id>", methods=["PATCH"])
@agent_required
@problems("TICKET_NOT_FOUND")
@blueprint.arguments(TicketChangesSchema)
@blueprint.response(200, TicketSchema)
def update_ticket(changes: dict[str, Any], ticket_id: str) -> Response:
    """Change a ticket, or give it to an agent."""
    wanted = with_assignee(changes)
    return answer(call("contacts", "update_ticket", ticket_id=ticket_id, changes=wanted, actor=caller().actor))


@blueprint.route("/tickets/<id:ticket_id>/comments")
@agent_required
@problems("TICKET_NOT_FOUND")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, CommentPageSchema)
def list_comments(page: dict[str, Any], ticket_id: str) -> Response:
    """List a ticket's comments, oldest first."""
    return answer(call("contacts", "list_comments", ticket_id=ticket_id, **page))


@blueprint.route("/tickets/<id:ticket_id>/comments", methods=["POST"])
@agent_required
@problems("TICKET_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED")
@blueprint.arguments(IdempotencyHeader, location="headers")
@blueprint.arguments(NewCommentSchema)
@blueprint.response(201, CommentSchema)
def create_comment(headers: dict[str, Any], body: dict[str, Any], ticket_id: str) -> Response:
    """Say something about a ticket."""
    return created(call("contacts", "create_comment", ticket_id=ticket_id, **body, **headers, actor=caller().actor))
