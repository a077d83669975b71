"""The visitor's own conversation, as messaging lets whoever has the token have it."""

from typing import Any

from gateway.auth import Principal
from gateway.context import call
from services.common.errors import RemoteError


def conversation_of(visitor: Principal) -> dict[str, Any]:
    """The open one, else the newest. Raises DomainError: TOKEN_INVALID when the contact became a user's since the token was given."""
    conversation: dict[str, Any] = call("messaging", "get_contact_conversation", **visitor.as_visitor)
    return conversation


def check_conversation(visitor: Principal) -> None:
    """Raise what `conversation_of` would; a visitor without a conversation yet may listen for it."""
    try:
        conversation_of(visitor)
    except RemoteError as error:
        if error.error_code != "CONVERSATION_NOT_FOUND":
            raise
