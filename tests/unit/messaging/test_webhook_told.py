"""Which webhook is told of what, in what words, lane and order."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.common.envelope import NewEvent
from services.messaging.webhooks import told
from services.messaging.webhooks.told import Told

MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def entry(kind: str, version: int = 3, document: str = "conversation-1", **data: Any) -> dict[str, Any]:
    if kind.startswith("message"):
        event = NewEvent(kind, "message", {"id": "m", "conversation_id": document} | data, contact_id="contact-1", entity_id="m")
    else:
        event = NewEvent(kind, "conversation", {"id": document, "channel": {"id": "channel-1"}} | data, contact_id="contact-1")
    return event.entry(document, version)


def webhook(key: str = "webhook-1", **values: Any) -> dict[str, Any]:
    return {"_id": key, "enabled": True, "events": list(told.EVENTS), "channel_ids": None} | values


def happened(kind: str = "message.created", channel_id: str | None = "channel-1") -> Told:
    return Told(kind, "event-1", MOMENT, {"id": "m"}, "contact-1", channel_id, 7, "conversation-1", "request-1")


def test_every_event_of_the_contract_can_be_told() -> None:
    assert set(told.EVENTS) == {
        *(f"conversation.{what}" for what in ("created", "updated", "assigned", "archived")),
        *("message.created", "message.updated"),
        *(f"contact.{what}" for what in ("created", "updated", "deleted")),
        *("ticket.created", "ticket.updated"),
    }


def test_conversations_events_keep_their_order_within_and_across_versions() -> None:
    kinds = ["conversation_started", "visitor_engaged", "message_posted", "message_posted", "conversation_updated"]
    entries = [entry(kind, 1) for kind in kinds] + [entry("message_posted", 2)]
    found = told.of_conversations([*entries, entry("message_posted", 1, "conversation-2")])
    mine = [each for each in found if each.conversation_id == "conversation-1"]
    assert [each.type for each in mine] == [
        "conversation.created",
        "message.created",
        "message.created",
        "conversation.updated",
        "message.created",
    ]
    positions = [each.position for each in mine]
    assert positions == sorted(set(positions))
    assert found[-1].position == positions[0]


def test_internal_events_are_not_told() -> None:
    assert told.of_conversations([entry("assignment_requested"), entry("answer_awaited"), entry("ticket_wanted")]) == []
    assert told.of_sends([entry("message_posted")]) == []
    assert told.of_contact("note_created", 1, {"id": "n", "contact_id": "c"}, event_id="e", at=MOMENT) is None


def test_tickets_are_told_in_their_contacts_lane() -> None:
    found = told.of_contact("ticket_updated", 4, {"id": "t", "contact_id": "c", "channel_id": "ch"}, event_id="e", at=MOMENT)
    assert found is not None
    delivery = told.make_delivery(webhook(), found, MOMENT)
    assert (delivery["lane"], delivery["contact_id"], delivery["conversation_id"]) == ("webhook-1:c", "c", None)
    deleted = told.of_contact("contact_erased", 5, {"id": "c", "channel_id": "ch", "at": "…"}, event_id="f", at=MOMENT)
    assert deleted is not None
    assert (deleted.type, deleted.contact_id, deleted.channel_id) == ("contact.deleted", "c", "ch")
    assert deleted.position > found.position


@pytest.mark.parametrize(
    ("values", "kind", "channel_id", "wanted"),
    [
        ({}, "message.created", "channel-1", True),
        ({}, "contact.created", None, True),
        ({"events": ["contact.created"]}, "message.created", "channel-1", False),
        ({"channel_ids": ["channel-1"]}, "message.created", "channel-1", True),
        ({"channel_ids": ["channel-2"]}, "message.created", "channel-1", False),
        ({"channel_ids": ["channel-2"]}, "message.created", None, False),
        ({"enabled": False}, "message.created", "channel-1", False),
    ],
)
def test_webhook_is_told_what_it_asked_for(values: dict[str, Any], kind: str, channel_id: str | None, wanted: bool) -> None:
    assert told.wants(webhook(**values), happened(kind, channel_id)) is wanted


def test_body_says_type_time_and_resource() -> None:
    delivery = told.make_delivery(webhook(), happened(), MOMENT)
    assert orjson.loads(delivery["body"]) == {
        "type": "message.created",
        "timestamp": "2026-11-24T12:00:00.000Z",
        "data": {"id": "m"},
    }
    assert (delivery["lane"], delivery["group"], delivery["position"]) == ("webhook-1:conversation-1", "webhook-1", 7)
    assert (delivery["waiting"], delivery["state"], delivery["attempts"]) == (True, "waiting", 0)


def test_same_event_makes_the_same_delivery_for_the_same_webhook_alone() -> None:
    both = [webhook(), webhook("webhook-2")]
    first, second = (told.deliveries(both, [happened()], MOMENT) for _ in range(2))
    assert [each["_id"] for each in first] == [each["_id"] for each in second]
    assert len({each["_id"] for each in first}) == 2
