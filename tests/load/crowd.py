"""Many conversations at once: copies of one that was really had, put where the services keep theirs.

Made by the API they would take half an hour; a copy differs in ids, names and times alone.
"""

from datetime import datetime, timedelta
from typing import Any

from services.common.ids import new_id
from services.common.times import to_wire
from tests.support.product import Product

BATCH = 1_000
APART = timedelta(seconds=20)
NAMES = ("Teal Otter", "Amber Heron", "Mia Lund", "Crimson Lynx", "José Muñoz", "Indigo Marten", "王小明", "Olive Ibis")

Document = dict[str, Any]


def multiply(product: Product, conversation_id: str, count: int) -> None:
    """`count` copies of a conversation, of its contact and its messages, each a little older than the one before."""
    messaging, contacts = product.mongo("messaging"), product.mongo("contacts")
    conversation = _one(messaging.conversations, {"_id": conversation_id})
    contact = _one(contacts.contacts, {"_id": conversation["contact"]["id"]})
    messages = list(messaging.messages.find({"conversation_id": conversation_id}))
    for start in range(1, count + 1, BATCH):
        copies = [_copy(conversation, contact, messages, number) for number in range(start, min(start + BATCH, count + 1))]
        contacts.contacts.insert_many([copy[1] for copy in copies])
        messaging.messages.insert_many([message for copy in copies for message in copy[2]])
        messaging.conversations.insert_many([copy[0] for copy in copies])


def _copy(
    conversation: Document, contact: Document, messages: list[Document], number: int
) -> tuple[Document, Document, list[Document]]:
    at: datetime = conversation["active_at"] - APART * number
    name = f"{NAMES[number % len(NAMES)]} {number}"
    copied = contact | {"_id": new_id(), "name": name}
    thread = new_id()
    last = conversation["last_message"] | {"created_at": at}
    return (
        conversation
        | {
            "_id": thread,
            "contact": {"id": copied["_id"], "name": name},
            "created_at": at,
            "active_at": at,
            "last_message": last,
        },
        copied,
        [
            message | {"_id": new_id(), "conversation_id": thread, "created_at": to_wire(at), "client_message_id": None}
            for message in messages
        ],
    )


def _one(collection: Any, query: Document) -> Document:
    found: Document | None = collection.find_one(query)
    if found is None:
        raise LookupError(f"nothing in {collection.name} is {query}")
    return found
