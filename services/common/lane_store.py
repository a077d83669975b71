"""The database's side of lanes: items that wait, and the lanes in which one comes after the other.

An item is a document `{_id, lane, group, position, waiting: True, …}`; whoever has worked it off writes `waiting: False`. A lane is
a document only while there may be work in it: whoever adds an item makes it, whoever finds nothing left removes it, unless
something was added meanwhile (`added`). Working on a lane needs a lease on it; while it is held, `due` equals its end, and an
earlier `due` means that somebody woke the lane.

When a lane is due and until when it is held is told by the database's clock (`$$NOW`), which all replicas share: one whose own clock is wrong
neither takes what another holds nor leaves what is due.
"""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from services.common.bulk import require_duplicates_only
from services.common.ids import new_id
from services.common.times import now

Document = dict[str, Any]

# What a killed replica had in work waits for its end; whoever works renews it meanwhile (`keep`).
LEASE = timedelta(seconds=20)
# Beyond it only the metric is wrong: counting more would cost more than it tells.
MAX_COUNTED = 100_000
# The server merges one ordered scan a group up to a few hundred; a random choice of them is fair and cheap.
MAX_GROUPS = 100
LOOKED_THROUGH_AT_ONCE = 1_000
_WAITING = {"waiting": True}
_IS_FREE = {"$and": [{"$lte": ["$due", "$$NOW"]}, {"$not": [{"$gt": ["$leased_until", "$$NOW"]}]}]}
_UNWOKEN = {"$eq": ["$due", "$leased_until"]}
_AT_ONCE = {"$min": ["$due", "$$NOW"]}


@dataclass(frozen=True)
class Lane:
    """A lane on which its holder alone works, as long as it renews the lease."""

    id: str
    group: str
    lease: str
    added: int  # how often something was added when the next item was last looked for


def lane_indexes(name: str) -> dict[str, Sequence[IndexModel]]:
    """The indexes of the collections behind `LaneStore(database, name)`."""
    return {
        # Partial, so that they hold only what waits, however long the rest is kept.
        name: [
            IndexModel(
                [("lane", ASCENDING), ("position", ASCENDING), ("_id", ASCENDING)], name="lane", partialFilterExpression=_WAITING
            ),
            IndexModel([("added_at", ASCENDING)], name="waiting", partialFilterExpression=_WAITING),
        ],
        f"{name}_lanes": [IndexModel([("group", ASCENDING), ("due", ASCENDING)], name="due")],
    }


class LaneStore:
    """Items in lanes, in the collections `<name>` and `<name>_lanes`; shared by all who add and all who work."""

    def __init__(self, database: Database[Document], name: str) -> None:
        self.name = name
        self.items = database[name]
        self._lanes = database[f"{name}_lanes"]
        # Not journaled: what a crash of the database loses of a lease or a count costs a repetition, never an item.
        quick = WriteConcern(w=1)
        self._leases = self._lanes.with_options(write_concern=quick)
        self._attempts = self.items.with_options(write_concern=quick)
        self._listeners: list[Callable[[], None]] = []

    @property
    def indexes(self) -> dict[str, Sequence[IndexModel]]:
        """To be merged into the indexes of the service's store."""
        return lane_indexes(self.name)

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a worker of this process told of work at once; those elsewhere look for it."""
        self._listeners.append(listener)

    # whoever has work to be done

    def add(self, items: Iterable[Document]) -> int:
        """Put items into their lanes; those whose `_id` is or was there stay as they are. Returns how many are new.

        A lane that waits before it repeats its first item goes on waiting. What fails half-way is repeated by the caller, or
        found within minutes (`reopen_forgotten`).
        """
        moment = now()
        documents: list[Document] = [{"attempts": 0, "added_at": moment} | item for item in items]
        if not documents:
            return 0
        inserted = self._insert(documents)
        # Only a new lane becomes due by this: one that waits before a repetition goes on waiting.
        self._open({document["lane"]: document["group"] for document in documents})
        self._tell()
        return inserted

    def wake(self, lane: str) -> None:
        """Work on the lane now, also when it waits before a repetition."""
        self._lanes.update_one({"_id": lane}, [{"$set": {"due": _AT_ONCE}}])
        self._tell()

    def wake_group(self, group: str) -> None:
        """Work on all lanes of a group now."""
        self._lanes.update_many({"group": group, "$expr": {"$gt": ["$due", "$$NOW"]}}, [{"$set": {"due": _AT_ONCE}}])
        self._tell()

    def reopen(self, lanes: Mapping[str, str]) -> None:
        """Work on lanes (id → group) now because items that were done wait again."""
        self._open(lanes, at_once=True)
        self._tell()

    def postpone_group(self, group: str, seconds: float) -> None:
        """Leave all lanes of a group that nobody works on alone for a while; `wake` and new lanes come before it."""
        until = _in(timedelta(seconds=seconds))
        idle = {"group": group, "leased_until": None, "$expr": {"$lt": ["$due", until]}}
        self._lanes.update_many(idle, [{"$set": {"due": until}}])

    def _insert(self, documents: Sequence[Document]) -> int:
        try:
            return len(self.items.insert_many(documents, ordered=False).inserted_ids)
        except BulkWriteError as error:
            require_duplicates_only(error)
            return int(error.details["nInserted"])

    def _open(self, lanes: Mapping[str, str], *, at_once: bool = False) -> None:
        due = _AT_ONCE if at_once else {"$ifNull": ["$due", "$$NOW"]}
        more = {"added": {"$add": [{"$ifNull": ["$added", 0]}, 1]}, "due": due}
        left = [
            UpdateOne({"_id": lane}, [{"$set": more | {"group": {"$ifNull": ["$group", {"$literal": group}]}}}], upsert=True)
            for lane, group in lanes.items()
        ]
        while left:
            try:
                self._lanes.bulk_write(left, ordered=False)
                return
            except BulkWriteError as error:  # two made the same lane at once, or it went at that moment
                require_duplicates_only(error)
                left = [left[failure["index"]] for failure in error.details["writeErrors"]]

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    # whoever works

    def claim(self, working: Mapping[str, int], per_group: int, limit: int) -> Iterator[Lane]:
        """Lease, one after the other, up to `limit` lanes that are due.

        `working` says on how many lanes of each group the caller works already: none gets beyond `per_group`, and groups with
        fewer come first, so that those whose items take long leave room to the others.
        """
        counts = dict(working)
        groups = self._lanes.distinct("group") if limit > 0 else []
        while limit > 0 and (found := self._find_due(groups, counts, per_group, limit)):
            for candidate in found:
                if counts.get(candidate["group"], 0) < per_group and (lane := self._lease(candidate["_id"])):
                    limit -= 1
                    counts[lane.group] = counts.get(lane.group, 0) + 1
                    yield lane

    def _find_due(self, groups: Sequence[str], counts: Mapping[str, int], per_group: int, limit: int) -> list[Document]:
        for count in range(per_group):
            tier = [group for group in groups if counts.get(group, 0) == count]
            if not tier:
                continue
            if len(tier) > MAX_GROUPS:
                tier = random.sample(tier, MAX_GROUPS)  # fairness, not a secret
            query = {"group": {"$in": tier}, "$expr": _IS_FREE}
            if found := list(self._lanes.find(query, {"group": 1}).sort("due", ASCENDING).limit(limit)):
                return found
        return []

    def _lease(self, lane: str) -> Lane | None:
        lease, until = new_id(), _in(LEASE)
        values = {"lease": {"$literal": lease}, "leased_until": until, "due": until}
        return self._take({"_id": lane, "$expr": _IS_FREE}, values, lease)

    def renew(self, lane: Lane) -> Lane | None:
        """The lane with a fresh lease, None when it was taken over meanwhile. Look for the next item only afterwards."""
        until = _in(LEASE)
        return self._take({"_id": lane.id, "lease": lane.lease}, {"leased_until": until, "due": until}, lane.lease)

    def _take(self, query: Document, values: Document, lease: str) -> Lane | None:
        found = self._leases.find_one_and_update(query, [{"$set": values}], return_document=ReturnDocument.AFTER)
        return Lane(found["_id"], found["group"], lease, found["added"]) if found else None

    def keep(self, lanes: Collection[Lane]) -> None:
        """Renew the leases on lanes whose items are still in work; who woke one of them meanwhile is not forgotten."""
        if not lanes:
            return
        held = {"_id": {"$in": [lane.id for lane in lanes]}, "lease": {"$in": [lane.lease for lane in lanes]}}
        until = _in(LEASE)
        due = {"$cond": [_UNWOKEN, until, "$due"]}
        self._leases.update_many(held, [{"$set": {"leased_until": until, "due": due}}])

    def find_first(self, lane: Lane) -> Document | None:
        """The lane's first waiting item, counted as attempted once more; None when there is none."""
        return self._attempts.find_one_and_update(
            {"lane": lane.id, "waiting": True},
            {"$inc": {"attempts": 1}},
            sort=[("position", ASCENDING), ("_id", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )

    def close(self, lane: Lane) -> bool:
        """Remove a lane in which nothing waits. Returns False when something was added since the lease was renewed."""
        return self._leases.delete_one({"_id": lane.id, "lease": lane.lease, "added": lane.added}).deleted_count == 1

    def release(self, lane: Lane, after: float = 0.0) -> None:
        """Give the lane up; it is due again in `after` seconds, or at once when somebody woke it meanwhile."""
        due = {"$cond": [_UNWOKEN, _in(timedelta(seconds=after)), "$due"]}
        free = {"lease": None, "leased_until": None, "due": due}
        self._leases.update_one({"_id": lane.id, "lease": lane.lease}, [{"$set": free}])

    def reopen_forgotten(self, behind: str) -> str:
        """Open lanes whose items wait though no lane is there, which a crash between two writes of `add` leaves.

        Looks at up to 1,000 items in lanes behind `behind` ("" begins) and returns where to go on.
        """
        query: Document = {"waiting": True, "lane": {"$gt": behind}}
        order = [("lane", ASCENDING), ("position", ASCENDING), ("_id", ASCENDING)]
        found = list(self.items.find(query, {"lane": 1, "group": 1}).sort(order).limit(LOOKED_THROUGH_AT_ONCE))
        lanes = {item["lane"]: item["group"] for item in found}
        there = {lane["_id"] for lane in self._lanes.find({"_id": {"$in": list(lanes)}}, {"_id": 1})}
        self._open({lane: group for lane, group in lanes.items() if lane not in there})
        return found[-1]["lane"] if len(found) == LOOKED_THROUGH_AT_ONCE else ""

    def measure(self) -> tuple[int, float]:
        """How many items wait (at most 100,000 are counted), and for how many seconds the oldest does."""
        count = self.items.count_documents(_WAITING, limit=MAX_COUNTED, hint="waiting")
        oldest = self.items.find_one(_WAITING, {"added_at": 1}, sort=[("added_at", ASCENDING)]) if count else None
        return count, (now() - oldest["added_at"]).total_seconds() if oldest else 0.0


def _in(after: timedelta) -> Document:
    return {"$add": ["$$NOW", int(after.total_seconds() * 1000)]}
