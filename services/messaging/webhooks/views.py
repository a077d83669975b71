"""Webhooks and deliveries as the resources that callers see."""

from typing import Any

import orjson

from services.common.times import optional_to_wire, to_wire

Document = dict[str, Any]


def webhook(document: Document) -> Document:
    """The webhook resource, without its secret."""
    return {
        "id": document["_id"],
        "url": document["url"],
        "description": document["description"],
        "events": document["events"],
        "channel_ids": document["channel_ids"],
        "enabled": document["enabled"],
        "failing_since": optional_to_wire(document["failing_since"]),
        "disabled_reason": document["disabled_reason"],
        "created_at": to_wire(document["created_at"]),
        "version": document["version"],
    }


def webhook_with_secret(document: Document) -> Document:
    """The same with the secret, for whoever made or changed it."""
    return webhook(document) | {"secret": document["secret"]}


def delivery(document: Document) -> Document:
    """The delivery resource, without what is sent."""
    return {
        "id": document["_id"],
        "webhook_id": document["webhook_id"],
        "type": document["type"],
        "conversation_id": document["conversation_id"],
        "contact_id": document["contact_id"],
        "state": document["state"],
        "attempts": document["tries"],
        "last_attempt_at": optional_to_wire(document["last_attempt_at"]),
        "next_attempt_at": optional_to_wire(document["next_attempt_at"]),
        "last_status": document["last_status"],
        "last_error": document["last_error"],
        "created_at": to_wire(document["created_at"]),
        "delivered_at": optional_to_wire(document["delivered_at"]),
    }


def delivery_with_payload(document: Document) -> Document:
    """The same with what is sent; None when it was erased."""
    return delivery(document) | {"payload": orjson.loads(document["body"]) if document["body"] is not None else None}
