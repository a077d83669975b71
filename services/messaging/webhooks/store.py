"""Webhooks in the database, and what is collected for them as it happens.

`webhooks` are few. Who is to be told is remembered for half a second, which spares a read for each batch and each event of a contact, and a change
is answered only when nobody can remember what was before it: from the answer on, every replica goes by it, whatever the clocks say. What
was collected is in `delivery_store.py`.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.common.bulk import violated_index
from services.common.envelope import Event
from services.common.errors import DocumentExists, StaleDocument
from services.common.lane_store import LaneStore
from services.common.paging import decode_cursor
from services.common.times import now
from services.messaging.webhooks import told
from services.messaging.webhooks.delivery_store import DeliveryStore
from services.messaging.webhooks.domain import MAX_WEBHOOKS
from services.messaging.webhooks.told import Told

Document = dict[str, Any]

PLACE = "place"
REMEMBER_SECONDS = 0.5
# What has to be known of a webhook to tell whether it is to be told.
_WANTS = {"enabled": 1, "events": 1, "channel_ids": 1}


class WebhookStore:
    """An outlet of messaging's store: everything about webhooks."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._webhooks = database.webhooks
        self._enabled: list[Document] = []
        self._read_at = float("-inf")
        self.deliveries = DeliveryStore(database)
        self.lanes: Mapping[str, LaneStore] = self.deliveries.lanes_by_name
        self.indexes: Mapping[str, Sequence[IndexModel]] = {
            "webhooks": [
                IndexModel([("deleted", ASCENDING), ("created_at", ASCENDING), ("_id", ASCENDING)]),
                IndexModel(
                    [("place", ASCENDING)],
                    name=PLACE,
                    unique=True,
                    partialFilterExpression={"deleted": False, "place": {"$type": "number"}},
                ),
            ],
            **DeliveryStore.indexes,
        }

    # webhooks

    def insert(self, webhook: Document) -> bool:
        """Keep a new one in a free place, of which two can't take the same; False when there is none. Raises DocumentExists."""
        while free := self._find_free_places():
            try:
                self._webhooks.insert_one(webhook | {"place": random.choice(free)})  # noqa: S311 - so that two seldom meet
                return True
            except DuplicateKeyError as error:
                if violated_index(str(error)) != PLACE:
                    raise DocumentExists("_id_") from None
        return False

    def _find_free_places(self) -> list[int]:
        taken = {found["place"] for found in self._webhooks.find({"deleted": False}, {"place": 1})}
        return [place for place in range(MAX_WEBHOOKS) if place not in taken]

    def find(self, webhook_id: str) -> Document | None:
        """One that isn't deleted."""
        return self._webhooks.find_one({"_id": webhook_id, "deleted": False})

    def list_oldest(self, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1, oldest first."""
        query: Document = {"deleted": False}
        if cursor is not None:
            created_at, last_id = decode_cursor(cursor, datetime, str)
            query["$or"] = [{"created_at": {"$gt": created_at}}, {"created_at": created_at, "_id": {"$gt": last_id}}]
        return list(self._webhooks.find(query).sort([("created_at", 1), ("_id", 1)]).limit(limit + 1))

    def update(self, webhook: Document, changes: Mapping[str, Any]) -> Document:
        """Write over the version in hand. Raises StaleDocument."""
        if not changes:
            return webhook
        updated = self._webhooks.find_one_and_update(
            {"_id": webhook["_id"], "version": webhook["version"], "deleted": False},
            {"$set": dict(changes), "$inc": {"version": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if updated is None:
            raise StaleDocument(webhook["_id"])
        return updated

    def note_failing(self, webhook: Document, since: datetime | None) -> None:
        """Nothing was delivered since then, or something was, where the webhook led when it was tried."""
        query = {"_id": webhook["_id"], "enabled": True, "url": webhook["url"], "failing_since": None if since else {"$ne": None}}
        self._webhooks.update_one(query, {"$set": {"failing_since": since}, "$inc": {"version": 1}})

    def disable(self, webhook: Document, reason: str) -> None:
        """Send nothing more to a webhook whose receiver is gone, unless it leads elsewhere by now."""
        query = {"_id": webhook["_id"], "enabled": True, "url": webhook["url"]}
        update = {"$set": {"enabled": False, "disabled_reason": reason}, "$inc": {"version": 1}}
        if self._webhooks.update_one(query, update).modified_count:
            self.deliveries.wake(webhook["_id"])

    # what happens

    def collect(self, collection: str, entries: Sequence[Document]) -> None:
        """Keep a delivery of each event for each webhook that is to be told of it; those kept before stay as they are."""
        if not any(entry["type"] in told.CONVERSATIONS for entry in entries) or not (webhooks := self._list_enabled()):
            return
        if collection == "conversations":
            happened = self._with_channels(webhooks, told.of_conversations(entries))
            self.deliveries.add(told.deliveries(webhooks, happened, now()))
        elif happened := self._with_channels(webhooks, told.of_sends(entries)):
            self.deliveries.append(told.deliveries(webhooks, happened, now()))

    def follow(self, event: Event) -> None:
        """The same for an event of contacts. Of an erased contact nothing but that is told."""
        if event.type not in told.CONTACTS or not (webhooks := self._list_enabled()):
            return
        envelope = {"event_id": event.id, "at": event.at, "request_id": event.request_id}
        happened = told.of_contact(event.type, event.version, event.data, **envelope)
        if happened is None or not any(happened.type in webhook["events"] for webhook in webhooks):
            return
        known = self._database.contacts.find_one({"_id": happened.contact_id}, {"erased": 1, "channel_id": 1}) or {}
        if known.get("erased") and happened.type != told.DELETED:
            return
        if happened.channel_id is None:
            happened = replace(happened, channel_id=known.get("channel_id"))
        self.deliveries.add(told.deliveries(webhooks, [happened], now()))

    def forget_contact(self, contact_id: str) -> None:
        """No payload about an erased contact is left, and none will be sent."""
        self.deliveries.forget_contact(contact_id)

    def _with_channels(self, webhooks: Sequence[Document], happened: list[Told]) -> list[Told]:
        """With the channels of those that don't say it, if a webhook asks for the channel."""
        asked = {kind for webhook in webhooks if webhook["channel_ids"] is not None for kind in webhook["events"]}
        ids = {each.conversation_id for each in happened if each.channel_id is None and each.type in asked}
        if not ids:
            return happened
        found = self._database.conversations.find({"_id": {"$in": list(ids)}}, {"channel.id": 1})
        channels = {conversation["_id"]: conversation["channel"]["id"] for conversation in found}
        return [replace(each, channel_id=each.channel_id or channels.get(each.conversation_id)) for each in happened]

    def _list_enabled(self) -> list[Document]:
        began = time.monotonic()
        if began - self._read_at > REMEMBER_SECONDS:
            self._enabled = list(self._webhooks.find({"deleted": False, "enabled": True}, _WANTS))
            self._read_at = began  # whatever was changed since may be missing
        return self._enabled

    def outlast_memories(self) -> None:
        """Return when no replica remembers the webhooks as they were before this call."""
        time.sleep(REMEMBER_SECONDS + 0.05)
