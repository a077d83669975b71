"""What a visitor sees of a resource: their own conversation, and nothing private."""

from collections.abc import Mapping
from typing import Any

CONVERSATION_FIELDS = ("id", "status", "handler", "last_seq", "visitor_read_seq", "created_at", "archived_at", "version")
MESSAGE_FIELDS = ("id", "conversation_id", "seq", "author", "text", "choices", "created_at", "client_message_id")
AUTHOR_FIELDS = ("kind", "name")  # named, so that what a later version says of agents stays inside
QUEUE_FIELDS = ("position", "estimated_wait_seconds")
CONTACT_FIELDS = ("id", "name", "email", "phone", "locale")


def visitor_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message without its delivery state; an agent is a name without an id."""
    author = message.get("author")
    if isinstance(author, Mapping) and author.get("kind") == "agent":
        author = {field: author.get(field) for field in AUTHOR_FIELDS}
    return {field: message.get(field) for field in MESSAGE_FIELDS} | {"author": author}


def visitor_conversation(conversation: Mapping[str, Any]) -> dict[str, Any]:
    """The conversation without the contact list's details; the assignee is a name, the queue one's own place."""
    assignee, queue = conversation.get("assignee"), conversation.get("queue")
    return {
        **{field: conversation.get(field) for field in CONVERSATION_FIELDS},
        "assignee": None if assignee is None else {"name": assignee.get("name")},
        "queue": None if queue is None else {field: queue.get(field) for field in QUEUE_FIELDS},
    }


def visitor_contact(contact: Mapping[str, Any]) -> dict[str, Any]:
    """What the visitor told about themselves."""
    return {field: contact.get(field) for field in CONTACT_FIELDS}
