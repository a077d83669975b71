"""Who ever talked to a channel, in the database: one document a contact, which says `counted: false` until the channel's count has it."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pymongo import IndexModel
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from services.common.store import Store
from services.messaging import events

# In one transaction, far from its time limit. The next round takes more.
COUNTED_AT_ONCE = 1000


class VisitorStore(Store):
    """A visitor is noted by one insert; those noted since are counted together, by one write to their channel."""

    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        # Partial, so that it holds only those not counted yet: each round reads nothing else.
        "visitors": [
            IndexModel([("counted", 1), ("channel_id", 1)], name="uncounted", partialFilterExpression={"counted": False})
        ],
    }

    def note_visitor(self, contact_id: str, channel_id: str) -> None:
        """Keep a contact among a channel's visitors, yet to be counted; one that is kept already stays as it is."""
        with contextlib.suppress(DuplicateKeyError):
            self.database.visitors.insert_one({"_id": contact_id, "channel_id": channel_id, "counted": False})

    def find_uncounted(self) -> dict[str, list[str]]:
        """Visitors yet to be counted, by channel; at most 1,000 in all."""
        found: dict[str, list[str]] = {}
        for visitor in self.database.visitors.find({"counted": False}, {"channel_id": 1}).limit(COUNTED_AT_ONCE):
            found.setdefault(visitor["channel_id"], []).append(visitor["_id"])
        return found

    def count_visitors(self, channel_id: str, contact_ids: Sequence[str]) -> None:
        """Add to a channel's count those of these visitors who are not in it yet.

        Their marks go in the transaction that raises the count, so each is counted once, however many replicas try.
        """

        def count(session: ClientSession) -> None:
            uncounted = {"_id": {"$in": list(contact_ids)}, "counted": False}
            marks = self.database.visitors.update_many(uncounted, {"$unset": {"counted": ""}}, session=session)
            if marks.modified_count:
                self._raise_count(channel_id, marks.modified_count, session)

        self.transaction(count)

    def _raise_count(self, channel_id: str, number: int, session: ClientSession) -> None:
        channel = self.database.channels.find_one({"_id": channel_id, "deleted": False}, session=session)
        if channel is None:
            return
        raised = {"visitor_count": channel["visitor_count"] + number}
        event = events.channel_changed("channel_updated", channel | raised, channel["version"] + 1)
        self.update("channels", channel, raised, [event], session=session)
