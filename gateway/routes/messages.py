"""Messages between visitors and agents, from the agents' side."""

from typing import Any

from flask import Response

from gateway.answers import answer, created
from gateway.auth import agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.limits import limit_messages
from gateway.schemas.conversations import MessagePageSchema, MessageQuery, MessageSchema, NewMessageSchema

blueprint = Blueprint("messages", __name__, url_prefix="/v1/conversations", description="What is said in a conversation.")


@blueprint.route("/<id:conversation_id>/messages")
@agent_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(MessageQuery, location="query")
@blueprint.response(200, MessagePageSchema)
def list_messages(query: dict[str, Any], conversation_id: str) -> Response:
    """List a conversation's messages, oldest first.

    Without `after_seq` and `before_seq` the newest ones. Go back with `before_seq` = the lowest `seq` you have, and forward with
    `after_seq` = the highest.
    """
    return answer(call("messaging", "list_messages", conversation_id=conversation_id, **query))


@blueprint.route("/<id:conversation_id>/messages", methods=["POST"])
@agent_required
@limit_messages
@problems("CONVERSATION_NOT_FOUND", "CONVERSATION_ARCHIVED", "CLIENT_MESSAGE_ID_REUSED")
@blueprint.arguments(NewMessageSchema)
@blueprint.response(201, MessageSchema)
def post_message(body: dict[str, Any], conversation_id: str) -> Response:
    """Write to the visitor.

    An agent who writes into an unassigned conversation takes it, and the bot falls silent. Sending the same
    `client_message_id` again answers with the first result.
    """
    return created(call("messaging", "post_agent_message", conversation_id=conversation_id, **body, actor=caller().actor))
