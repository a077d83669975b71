"""The deliveries: a log of seven days, and at the same time the lanes from which they are sent.

A delivery waits in the lane of its webhook and conversation (or contact), in the group of its webhook. The seven days begin when it
ends: the log never drops what is yet to be sent, short of a month (`kept_until`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database

from services.common.lane_store import LaneStore, lane_indexes
from services.common.paging import decode_cursor
from services.common.times import now
from services.messaging.webhooks import domain
from services.messaging.webhooks.told import DELETED

Document = dict[str, Any]

DELIVERIES = "webhook_deliveries"
REPLAYED_AT_ONCE = 500
# What was collected together has one time; the position tells what came first in a conversation.
ORDER = ("created_at", "position", "_id")
NEWEST_FIRST = [(name, DESCENDING) for name in ORDER]
OLDEST_FIRST = [(name, ASCENDING) for name in ORDER]
_LANES = lane_indexes(DELIVERIES)


class DeliveryStore:
    """Every query about deliveries."""

    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        **_LANES,
        DELIVERIES: [
            *_LANES[DELIVERIES],
            IndexModel([("kept_until", ASCENDING)], name="kept_until", expireAfterSeconds=0),
            IndexModel([("webhook_id", ASCENDING), *NEWEST_FIRST], name="log"),
            IndexModel([("webhook_id", ASCENDING), ("state", ASCENDING), *NEWEST_FIRST], name="log_by_state"),
            IndexModel([("lane", ASCENDING), ("position", DESCENDING)], name="end_of_lane"),
            IndexModel([("contact_id", ASCENDING)], name="contact"),
        ],
    }

    def __init__(self, database: Database[Document]) -> None:
        self._lanes = LaneStore(database, DELIVERIES)
        self._items = self._lanes.items
        self.lanes_by_name = {DELIVERIES: self._lanes}

    def add(self, deliveries: Sequence[Document]) -> None:
        """Keep new ones; those that are there stay as they are."""
        self._lanes.add(deliveries)

    def append(self, deliveries: Sequence[Document]) -> None:
        """Keep new ones behind whatever their lanes have held so far."""
        ends: dict[str, int] = {}
        for delivery in deliveries:
            lane = delivery["lane"]
            delivery["position"] = ends[lane] = ends.get(lane, self._find_end(lane)) + 1
        self.add(deliveries)

    def _find_end(self, lane: str) -> int:
        last = self._items.find_one({"lane": lane}, {"position": 1}, sort=[("position", DESCENDING)])
        return last["position"] if last else 0

    def wake(self, webhook_id: str) -> None:
        """Have another look at all that waits for a webhook."""
        self._lanes.wake_group(webhook_id)

    def find(self, webhook_id: str, delivery_id: str) -> Document | None:
        """One of a webhook's deliveries."""
        return self._items.find_one({"_id": delivery_id, "webhook_id": webhook_id})

    def list_newest(self, webhook_id: str, state: str | None, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 of a webhook's, newest first."""
        query: Document = {"webhook_id": webhook_id} | ({"state": state} if state else {})
        if cursor is not None:
            created_at, position, last_id = decode_cursor(cursor, datetime, int, str)
            then = {"created_at": created_at}
            query["$or"] = [
                {"created_at": {"$lt": created_at}},
                then | {"position": {"$lt": position}},
                then | {"position": position, "_id": {"$lt": last_id}},
            ]
        return list(self._items.find(query, {"body": 0}).sort(NEWEST_FIRST).limit(limit + 1))

    def write(self, delivery: Document, changes: Mapping[str, Any]) -> None:
        """What came of an attempt. One that failed says nothing of a delivery that was ended meanwhile."""
        query = {"_id": delivery["_id"]} | ({} if changes.get("state") == "delivered" else {"waiting": True})
        self._items.update_one(query, {"$set": dict(changes)})

    def end_lane(self, lane: str, reason: str) -> None:
        """All that waits in a lane fails, for a reason of ours."""
        self._items.update_many({"lane": lane, "waiting": True}, {"$set": _failed(reason)})

    def replay(self, query: Document, limit: int) -> int:
        """Send up to `limit` ended deliveries again, the oldest ones, each once. Returns how many there were."""
        replayed = 0
        behind: Document = {}
        while replayed < limit:
            conditions = [query, {"waiting": False, "body": {"$ne": None}}, behind]
            shown = {"lane": 1, "group": 1} | dict.fromkeys(ORDER, 1)
            found = self._items.find({"$and": conditions}, shown).sort(OLDEST_FIRST)
            batch = list(found.limit(min(limit - replayed, REPLAYED_AT_ONCE)))
            if not batch:
                break
            replayed += self._send_again(batch)
            # What was delivered a moment ago is among those asked for again, so the way leads forward only.
            behind = _behind(batch[-1])
        return replayed

    def _send_again(self, ended: Sequence[Document]) -> int:
        again = {"waiting": True, "state": "waiting", "attempts": 0, "tries": 0, "delivered_at": None, "next_attempt_at": None}
        ids = {"_id": {"$in": [each["_id"] for each in ended]}, "waiting": False}
        count = self._items.update_many(ids, {"$set": again | {"kept_until": now() + domain.LONGEST_WAIT}}).modified_count
        self._lanes.reopen({each["lane"]: each["group"] for each in ended})
        return count

    def find_known(self, webhook_id: str, delivery_ids: Sequence[str]) -> set[str]:
        """Which of these the webhook's log has."""
        query = {"_id": {"$in": list(delivery_ids)}, "webhook_id": webhook_id}
        return {found["_id"] for found in self._items.find(query, {"_id": 1})}

    def forget_contact(self, contact_id: str) -> None:
        """Neither keep nor send what was to be told of a contact, except that it is gone."""
        about = {"contact_id": contact_id, "type": {"$ne": DELETED}}
        lanes = self._items.distinct("lane", about | {"waiting": True})
        self._items.update_many(about | {"waiting": True}, {"$set": _failed(domain.ERASED)})
        self._items.update_many(about | {"body": {"$ne": None}}, {"$set": {"body": None}})
        for lane in lanes:  # which may have been waiting to repeat what is not to be sent any more
            self._lanes.wake(lane)


def _failed(reason: str) -> Document:
    return domain.give_up(reason, now())


def _behind(last: Document) -> Document:
    """What comes after a delivery in the order of their making."""
    created_at, position, last_id = (last[name] for name in ORDER)
    then = {"created_at": created_at}
    return {
        "$or": [
            {"created_at": {"$gt": created_at}},
            then | {"position": {"$gt": position}},
            then | {"position": position, "_id": {"$gt": last_id}},
        ]
    }
