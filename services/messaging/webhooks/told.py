"""Which webhook is told of an event, in what words and in which lane; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.common.ids import derived_id
from services.common.times import to_wire
from services.common.wire import encode
from services.messaging.webhooks.domain import LONGEST_WAIT

Document = dict[str, Any]

# The service's event → the webhook's.
CONVERSATIONS = {
    "conversation_started": "conversation.created",
    "conversation_updated": "conversation.updated",
    "conversation_assigned": "conversation.assigned",
    "conversation_archived": "conversation.archived",
    "message_posted": "message.created",
    "message_updated": "message.updated",
}
CONTACTS = {
    "contact_created": "contact.created",
    "contact_updated": "contact.updated",
    "contact_erased": "contact.deleted",
    "ticket_created": "ticket.created",
    "ticket_updated": "ticket.updated",
}
EVENTS = (*CONVERSATIONS.values(), *CONTACTS.values())
PING = "ping"
# What is left to be told of a contact that was erased: only that.
DELETED = "contact.deleted"

# One write makes fewer events than this, so that a version's events sort behind each other and before the next one's.
POSITIONS = 100_000


@dataclass(frozen=True)
class Told:
    """Something that happened, as webhooks see it."""

    type: str
    event_id: str
    at: datetime
    data: Mapping[str, Any]
    contact_id: str | None
    channel_id: str | None
    position: int
    conversation_id: str | None = None
    request_id: str | None = None


def of_conversations(entries: Iterable[Mapping[str, Any]]) -> list[Told]:
    """What a conversation's outbox tells, each with its place within its version; the channel only where it is at hand."""
    told = []
    places: dict[tuple[str, int], int] = {}
    for entry in entries:
        data, version = entry["data"], entry["entity"]["version"]
        conversation_id = data.get("conversation_id") or entry["entity"]["id"]
        place = places[conversation_id, version] = places.get((conversation_id, version), -1) + 1
        if kind := CONVERSATIONS.get(entry["type"]):
            channel = data.get("channel") or {}
            position = version * POSITIONS + place
            told.append(_told(kind, entry, channel.get("id"), position, conversation_id))
    return told


def of_sends(entries: Iterable[Mapping[str, Any]]) -> list[Told]:
    """Messages' changed deliveries. They come behind whatever their conversation told before: their position is yet to be found."""
    return [
        _told(CONVERSATIONS[entry["type"]], entry, None, 0, entry["data"]["conversation_id"])
        for entry in entries
        if entry["type"] == "message_updated"
    ]


def of_contact(kind: str, version: int, data: Mapping[str, Any], **envelope: Any) -> Told | None:
    """What contacts tells of a contact or a ticket; None for what webhooks don't know."""
    if kind not in CONTACTS:
        return None
    contact_id = data.get("contact_id") or data["id"]
    return Told(
        CONTACTS[kind],
        data=data,
        contact_id=contact_id,
        channel_id=data.get("channel_id"),
        position=version * POSITIONS,
        **envelope,
    )


def deliveries(webhooks: Iterable[Mapping[str, Any]], told: Iterable[Told], moment: datetime) -> list[Document]:
    """A delivery for each webhook that wants to hear of each, as items for the lanes."""
    return [make_delivery(webhook, each, moment) for each in told for webhook in webhooks if wants(webhook, each)]


def wants(webhook: Mapping[str, Any], told: Told) -> bool:
    """Whether a webhook is to be told: by the event's type and channel."""
    channels = webhook["channel_ids"]
    return bool(webhook["enabled"] and told.type in webhook["events"] and (channels is None or told.channel_id in channels))


def make_delivery(webhook: Mapping[str, Any], told: Told, moment: datetime) -> Document:
    """One event for one webhook. The same ones make the same id, so that nobody is told twice by us."""
    body = encode({"type": told.type, "timestamp": to_wire(told.at), "data": dict(told.data)})
    webhook_id = webhook["_id"]
    return {
        "_id": derived_id(webhook_id, told.event_id),
        "lane": f"{webhook_id}:{told.conversation_id or told.contact_id or told.event_id}",
        "group": webhook_id,
        "position": told.position,
        "waiting": True,
        "webhook_id": webhook_id,
        "type": told.type,
        "conversation_id": told.conversation_id,
        "contact_id": told.contact_id,
        # As text: every repetition sends the same bytes, whatever the resources' fields are called.
        "body": body.decode(),
        "state": "waiting",
        "attempts": 0,  # by the lane
        "tries": 0,  # those that the receiver was asked, which are what counts
        "last_attempt_at": None,
        "next_attempt_at": None,
        "last_status": None,
        "last_error": None,
        "created_at": moment,
        "kept_until": moment + LONGEST_WAIT,
        "delivered_at": None,
        "request_id": told.request_id,
    }


def _told(kind: str, entry: Mapping[str, Any], channel_id: str | None, position: int, conversation_id: str) -> Told:
    return Told(
        kind,
        entry["id"],
        entry["at"],
        entry["data"],
        contact_id=entry["contact_id"],
        channel_id=channel_id,
        position=position,
        conversation_id=conversation_id,
        request_id=entry["request_id"],
    )
