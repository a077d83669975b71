"""What integrations do with an API token: everything that the built-in bot can."""

from typing import Any

from flask import Response

from gateway.answers import answer, created, nothing
from gateway.auth import bot_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.limits import limit_messages
from gateway.people import require_known
from gateway.schemas.assignments import AssignmentRequestSchema
from gateway.schemas.base import IdempotencyHeader
from gateway.schemas.bot import NewBotMessageSchema
from gateway.schemas.contacts import ContactFieldsSchema, ContactSchema
from gateway.schemas.conversations import (
    ConversationSchema,
    MessagePageSchema,
    MessageQuery,
    MessageSchema,
    StatusSchema,
    TypingSchema,
)
from gateway.schemas.tickets import NewTicketSchema, TicketSchema
from gateway.tickets import open_ticket

blueprint = Blueprint("bot", __name__, url_prefix="/v1/bot", description="For integrations: bots of your own.")


@blueprint.route("/contacts/<id:contact_id>")
@bot_required
@problems("CONTACT_NOT_FOUND")
@blueprint.response(200, ContactSchema)
def get_contact(contact_id: str) -> Response:
    """Show a contact."""
    return answer(call("contacts", "get_contact", contact_id=contact_id))


@blueprint.route("/contacts/<id:contact_id>/fields", methods=["PUT"])
@bot_required
@problems("CONTACT_NOT_FOUND")
@blueprint.arguments(ContactFieldsSchema)
@blueprint.response(200, ContactSchema)
def set_fields(body: dict[str, Any], contact_id: str) -> Response:
    """Keep what the bot learned of a contact.

    A name given by a human stays. Fields that are not named stay as they are.
    """
    return answer(call("contacts", "set_fields", contact_id=contact_id, fields=body["fields"], actor=caller().actor))


@blueprint.route("/contacts/<id:contact_id>/tickets", methods=["POST"])
@bot_required
@problems("CONTACT_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED")
@blueprint.arguments(IdempotencyHeader, location="headers")
@blueprint.arguments(NewTicketSchema)
@blueprint.response(201, TicketSchema)
def create_ticket(headers: dict[str, Any], body: dict[str, Any], contact_id: str) -> Response:
    """Open a ticket for a contact."""
    return created(open_ticket(contact_id, body, headers))


@blueprint.route("/conversations/<id:conversation_id>")
@bot_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.response(200, ConversationSchema)
def get_conversation(conversation_id: str) -> Response:
    """Show a conversation."""
    return answer(call("messaging", "get_conversation", conversation_id=conversation_id))


@blueprint.route("/conversations/<id:conversation_id>", methods=["PATCH"])
@bot_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_OPEN_ELSEWHERE")
@blueprint.arguments(StatusSchema)
@blueprint.response(200, ConversationSchema)
def set_status(body: dict[str, Any], conversation_id: str) -> Response:
    """Archive a conversation, or open it again."""
    return answer(call("messaging", "set_status", conversation_id=conversation_id, status=body["status"], actor=caller().actor))


@blueprint.route("/conversations/<id:conversation_id>/typing", methods=["POST"])
@bot_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(TypingSchema)
@blueprint.response(204)
def signal_typing(body: dict[str, Any], conversation_id: str) -> Response:
    """Show that the bot is writing.

    Passed on to the streams, and not stored: repeat it every few seconds while it lasts.
    """
    call("messaging", "signal_typing", conversation_id=conversation_id, typing=body["typing"], actor=caller().actor)
    return nothing()


@blueprint.route("/conversations/<id:conversation_id>/messages")
@bot_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(MessageQuery, location="query")
@blueprint.response(200, MessagePageSchema)
def list_messages(query: dict[str, Any], conversation_id: str) -> Response:
    """List a conversation's messages, oldest first."""
    return answer(call("messaging", "list_messages", conversation_id=conversation_id, **query))


@blueprint.route("/conversations/<id:conversation_id>/messages", methods=["POST"])
@bot_required
@limit_messages
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "CLIENT_MESSAGE_ID_REUSED", "CONFLICT")
@blueprint.arguments(NewBotMessageSchema)
@blueprint.response(201, MessageSchema)
def post_message(body: dict[str, Any], conversation_id: str) -> Response:
    """Write to the visitor, perhaps with buttons."""
    return created(call("messaging", "post_bot_message", conversation_id=conversation_id, **body, actor=caller().actor))


@blueprint.route("/conversations/<id:conversation_id>/assign", methods=["POST"])
@bot_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "CONFLICT")
@blueprint.arguments(AssignmentRequestSchema)
@blueprint.response(200, ConversationSchema)
def request_assignment(body: dict[str, Any], conversation_id: str) -> Response:
    """Have an agent found for a conversation.

    As the built-in bot's assign block does: it waits in line until somebody is eligible, often only for a moment.
    """
    require_known(body)
    return answer(call("messaging", "request_assignment", conversation_id=conversation_id, **body, actor=caller().actor))
