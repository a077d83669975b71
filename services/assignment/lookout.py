"""What the timer looks for: agents who let a visitor wait too long, and visitors who are not there any more.

Everything is asked of indexes, and nothing is decided here: a turn looks again at what it finds. So any number of replicas may
look, and one that dies leaves nothing undone.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.assignment.documents import AGENTS, ASSIGNMENTS, CHANNELS, NOTES
from services.assignment.reassignment import Terms
from services.common.store import Document

VISITORS = "visitors"  # the note about them
BATCH = 50  # decided in one turn
# Gateways say every 10 s who is there; while they don't, nobody is absent.
LONGEST_GAP = timedelta(seconds=30)
SEEN_ANEW = timedelta(seconds=5)  # several gateways and tabs may tell of the same visitor
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    ASSIGNMENTS: [
        IndexModel([("silent_since", 1), ("channel_id", 1)], name="silent", partialFilterExpression={"state": "assigned"}),
        IndexModel([("agent.id", 1), ("silent_since", 1)], name="held", partialFilterExpression={"state": "assigned"}),
        IndexModel([("visitor_seen_at", 1)], name="seen", partialFilterExpression={"state": "queued"}),
        IndexModel([("contact_id", 1)], name="visitor", partialFilterExpression={"state": "queued"}),
    ],
    AGENTS: [IndexModel([("disconnected_since", 1)], name="gone")],
    CHANNELS: [IndexModel([("kind", 1)], name="kind")],
}


class Lookout:
    """Channels as messaging tells of them, what was noted of visitors, and what follows from the time."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def follow_channel(self, channel_id: str, version: int, values: Mapping[str, Any]) -> None:
        """Keep a channel's newest state: `kind`, None when it was deleted, and the seconds of its patience."""
        query = {"_id": channel_id, "version": {"$lt": version}}
        update = {"$set": dict(values) | {"version": version}}
        try:
            self._database[CHANNELS].update_one(query, update, upsert=True)
        except DuplicateKeyError:  # it is there by now, perhaps by an older version that was inserted at the same moment
            self._database[CHANNELS].update_one(query, update)

    def find_overdue(self, moment: datetime) -> dict[str, Terms]:
        """Conversations whose agents let the visitor wait too long, each with its channel's terms; the longest waiting BATCH."""
        terms = {found["_id"]: _terms(found) for found in self._database[CHANNELS].find({"kind": {"$ne": None}})}
        found = {*self._find_silent(terms, moment), *self._find_left(terms, moment)}
        return {key: terms.get(channel_id, Terms()) for _, key, channel_id in sorted(found)[:BATCH]}

    def note_visitors(self, contact_ids: Sequence[str], moment: datetime) -> None:
        """These visitors are there; also that somebody says so at all."""
        gap = {"$gt": [{"$subtract": [moment, {"$ifNull": ["$last", LONG_AGO]}]}, int(LONGEST_GAP.total_seconds() * 1000)]}
        values = {"since": {"$cond": [gap, moment, "$since"]}, "last": {"$max": ["$last", moment]}}
        self._database[NOTES].update_one({"_id": VISITORS}, [{"$set": values}], upsert=True)
        if contact_ids:
            self._database[ASSIGNMENTS].update_many(
                {
                    "state": "queued",
                    "contact_id": {"$in": list(contact_ids)},
                    "visitor_seen_at": {"$lt": moment - SEEN_ANEW},
                },
                {"$set": {"visitor_seen_at": moment}},
            )

    def find_absent(self, moment: datetime, absence: timedelta) -> tuple[list[str], datetime]:
        """Those in line on websites whose visitors were not seen for that long, at most BATCH; and since when."""
        seen_until = moment - absence
        notes = self._database[NOTES].find_one({"_id": VISITORS})
        if notes is None or notes["last"] < moment - LONGEST_GAP or notes["since"] > seen_until:
            return [], seen_until
        absent = {"state": "queued", "visitor_seen_at": {"$lte": seen_until}}
        if self._database[ASSIGNMENTS].find_one(absent, {"_id": 1}) is None:
            return [], seen_until
        websites = [found["_id"] for found in self._database[CHANNELS].find({"kind": "web"}, {"_id": 1})]
        found = self._database[ASSIGNMENTS].find(absent | {"channel_id": {"$in": websites}}, {"_id": 1}).limit(BATCH)
        return [document["_id"] for document in found], seen_until

    def _find_silent(self, terms: Mapping[str, Terms], moment: datetime) -> list[tuple[datetime, str, str]]:
        due = _due({key: found.unanswered_after for key, found in terms.items()}, Terms().unanswered_after, moment)
        found = self._database[ASSIGNMENTS].find({"state": "assigned", "$or": due}, {"channel_id": 1, "silent_since": 1})
        return [(each["silent_since"], each["_id"], each["channel_id"]) for each in found.sort("silent_since", 1).limit(BATCH)]

    def _find_left(self, terms: Mapping[str, Terms], moment: datetime) -> list[tuple[datetime, str, str]]:
        patience = {key: found.disconnected_after for key, found in terms.items()}
        shortest = min(after for after in (*patience.values(), Terms().disconnected_after) if after is not None)
        gone = {
            found["_id"]: found["disconnected_since"]
            for found in self._database[AGENTS].find(
                {"disconnected_since": {"$lte": moment - shortest}, "load": {"$gt": 0}}, {"disconnected_since": 1}
            )
        }
        if not gone:
            return []
        due = _due(patience, Terms().disconnected_after, moment)
        query = {"state": "assigned", "agent.id": {"$in": list(gone)}, "$or": due}
        shown = {"channel_id": 1, "silent_since": 1, "assigned_at": 1, "agent.id": 1}
        left: list[tuple[datetime, str, str]] = []
        for found in self._database[ASSIGNMENTS].find(query, shown).sort("silent_since", 1):
            since = gone[found["agent"]["id"]]
            after = patience.get(found["channel_id"], Terms().disconnected_after)
            # Those given by hand to who was away already are found each time, and are few.
            if after is not None and found["assigned_at"] <= since <= moment - after:
                left.append((found["silent_since"], found["_id"], found["channel_id"]))
            if len(left) == BATCH:
                break
        return left


def _terms(channel: Document) -> Terms:
    return Terms(_seconds(channel["disconnected_after_seconds"]), _seconds(channel["unanswered_after_seconds"]))


def _seconds(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _due(patience: Mapping[str, timedelta | None], default: timedelta | None, moment: datetime) -> list[Document]:
    """The parts of a query for what has been silent too long, by channels of equal patience."""
    others = [key for key, after in patience.items() if after != default]
    alike: dict[timedelta, list[str]] = {}
    for key in others:
        if (after := patience[key]) is not None:
            alike.setdefault(after, []).append(key)
    parts: list[Document] = [
        {"channel_id": {"$in": keys}, "silent_since": {"$lte": moment - after}} for after, keys in alike.items()
    ]
    if default is not None:
        parts.append({"channel_id": {"$nin": others}, "silent_since": {"$lte": moment - default}})
    return parts
