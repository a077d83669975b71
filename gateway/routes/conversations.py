"""Conversations: the folders, reading, archiving, typing, and giving back to the bot."""

from typing import Any

from flask import Response

from gateway.answers import answer, nothing
from gateway.auth import agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.schemas.conversations import (
    ConversationPageSchema,
    ConversationQuery,
    ConversationSchema,
    ReadSchema,
    StatusSchema,
    TypingSchema,
)

blueprint = Blueprint(
    "conversations", __name__, url_prefix="/v1/conversations", description="The threads between visitors, bots and agents."
)


@blueprint.route("")
@agent_required
@blueprint.arguments(ConversationQuery, location="query")
@blueprint.response(200, ConversationPageSchema)
def list_conversations(query: dict[str, Any]) -> Response:
    """List a folder's conversations, those with the newest messages first."""
    return answer(call("messaging", "list_conversations", **query, viewer_id=caller().id))


@blueprint.route("/<id:conversation_id>")
@agent_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.response(200, ConversationSchema)
def get_conversation(conversation_id: str) -> Response:
    """Show a conversation."""
    return answer(call("messaging", "get_conversation", conversation_id=conversation_id))


@blueprint.route("/<id:conversation_id>", methods=["PATCH"])
@agent_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_OPEN_ELSEWHERE")
@blueprint.arguments(StatusSchema)
@blueprint.response(200, ConversationSchema)
def set_status(body: dict[str, Any], conversation_id: str) -> Response:
    """Archive a conversation, or open it again."""
    return answer(call("messaging", "set_status", conversation_id=conversation_id, status=body["status"], actor=caller().actor))


@blueprint.route("/<id:conversation_id>/read", methods=["POST"])
@agent_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(ReadSchema)
@blueprint.response(200, ConversationSchema)
def mark_read(body: dict[str, Any], conversation_id: str) -> Response:
    """Say how far agents have read.

    The mark moves forward only.
    """
    return answer(call("messaging", "mark_read", conversation_id=conversation_id, seq=body["seq"], actor=caller().actor))


@blueprint.route("/<id:conversation_id>/typing", methods=["POST"])
@agent_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(TypingSchema)
@blueprint.response(204)
def signal_typing(body: dict[str, Any], conversation_id: str) -> Response:
    """Show that the caller is writing.

    Passed on to the streams, and not stored: repeat it every few seconds while it lasts.
    """
    call("messaging", "signal_typing", conversation_id=conversation_id, typing=body["typing"], actor=caller().actor)
    return nothing()


@blueprint.route("/<id:conversation_id>/return-to-bot", methods=["POST"])
@agent_required
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "CONFLICT")
@blueprint.response(200, ConversationSchema)
def return_to_bot(conversation_id: str) -> Response:
    """Give a conversation back to the bot, which goes on where it was."""
    return answer(call("messaging", "return_to_bot", conversation_id=conversation_id, actor=caller().actor))
