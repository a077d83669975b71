"""The flows that channels have and had, in the database.

A flow is kept for good under its channel's next version: conversations finish on the one they began with.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.client_session import ClientSession

from services.common.ids import new_id
from services.common.paging import decode_cursor
from services.common.store import Document, Store
from services.common.times import now
from services.messaging import events

BY_VERSION = "flow_of_channel_by_version"


class FlowStore(Store):
    """Keeping, finding and listing flows."""

    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        "flows": [
            IndexModel(
                [("channel_id", ASCENDING), ("version", DESCENDING)],
                name=BY_VERSION,
                unique=True,
                partialFilterExpression={"version": {"$type": "number"}},
            )
        ],
    }

    def ensure_indexes(self) -> None:
        """Also number the flows of a time without versions."""
        super().ensure_indexes()
        for channel in self.database.channels.find({"flow_id": {"$ne": None}, "flow_version": {"$exists": False}}):
            self._number_flows(channel)

    def find_flow(self, flow_id: str | None) -> Document | None:
        """A kept flow; None for none."""
        return None if flow_id is None else self._cached_flow(flow_id)

    def find_flow_version(self, channel: Document, version: int | None) -> Document | None:
        """A version of a channel's flow with what is known of it, the active one for None; None when there is none."""
        query = {"_id": channel["flow_id"]} if version is None else {"channel_id": channel["_id"], "version": version}
        return self.database.flows.find_one(query)

    def list_flow_versions(self, channel_id: str, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 versions without the flows themselves, newest first."""
        below = {} if cursor is None else {"$lt": decode_cursor(cursor, int)[0]}
        query = {"channel_id": channel_id, "version": {"$type": "number"} | below}
        return list(self.database.flows.find(query, {"flow": 0}).sort("version", DESCENDING).limit(limit + 1))

    def put_flow(self, channel: Document, flow: Document, author: Mapping[str, Any]) -> Document:
        """Make a flow the channel's next version, with its event, and return the channel. Raises StaleDocument."""
        version = channel.get("last_flow_version", 0) + 1
        kept = {
            "_id": new_id(),
            "channel_id": channel["_id"],
            "version": version,
            "flow": flow,
            "block_count": len(flow["blocks"]),
            "created_at": now(),
            "created_by": {name: author.get(name) for name in ("kind", "id", "name")},
        }

        def put(session: ClientSession) -> Document:
            changes = {"flow_id": kept["_id"], "flow_version": version, "last_flow_version": version}
            changed = self._change_flow(channel, changes, session)
            self.database.flows.insert_one(kept, session=session)
            return changed

        return self.transaction(put)

    def drop_flow(self, channel: Document) -> Document:
        """Leave a channel without a flow, with its event, and return the channel. Raises StaleDocument."""
        return self._change_flow(channel, {"flow_id": None, "flow_version": None})

    def _change_flow(self, channel: Document, changes: Document, session: ClientSession | None = None) -> Document:
        event = events.channel_changed("channel_updated", channel | changes, channel["version"] + 1)
        return self.update("channels", channel, changes, [event], session=session)

    @lru_cache(maxsize=256)  # noqa: B019 - one store lives as long as its process, and a kept flow never changes
    def _cached_flow(self, flow_id: str) -> Document:
        flow: Document = self.database.flows.find_one({"_id": flow_id})["flow"]  # type: ignore[index]
        return flow

    def _number_flows(self, channel: Document) -> None:
        kept = list(
            self.database.flows.find({"channel_id": channel["_id"]}).sort([("created_at", ASCENDING), ("_id", ASCENDING)])
        )
        numbered = {flow["_id"]: number for number, flow in enumerate(kept, 1)}
        if channel["flow_id"] not in numbered:
            return
        shown = [{"version": numbered[flow["_id"]], "block_count": len(flow["flow"]["blocks"])} for flow in kept]
        self.database.flows.bulk_write(
            [UpdateOne({"_id": flow["_id"]}, {"$set": values}) for flow, values in zip(kept, shown, strict=True)]
        )
        unversioned = {"_id": channel["_id"], "flow_id": channel["flow_id"], "flow_version": {"$exists": False}}
        versions = {"flow_version": numbered[channel["flow_id"]], "last_flow_version": len(kept)}
        self.database.channels.update_one(unversioned, {"$set": versions})
