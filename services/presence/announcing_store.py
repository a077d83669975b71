"""Records told once more as they stand: their events go out again with the present version, which those who have it ignore."""

from collections.abc import Sequence

from pymongo import ReturnDocument

from services.common.envelope import NewEvent
from services.common.store import Document, Store


class AnnouncingStore(Store):
    """The base of stores whose records can be announced."""

    def list_by_id(self, collection: str, after: str | None, limit: int) -> list[Document]:
        """Up to `limit` records beyond an id."""
        query = {"_id": {"$gt": after}} if after is not None else {}
        return list(self.database[collection].find(query).sort("_id", 1).limit(limit))

    def announce(self, collection: str, document: Document, told: Sequence[NewEvent]) -> None:
        """Tell of a record again, unless it has changed since it was read: that change was told by itself."""
        entries = [event.entry(document["_id"], document["version"]) for event in told]
        updated = self.database[collection].find_one_and_update(
            {"_id": document["_id"], "version": document["version"]},
            {"$push": {"outbox": {"$each": entries}}},
            {"outbox": 1},
            return_document=ReturnDocument.AFTER,
        )
        if updated is not None:
            self.relay.hand_over(collection, document["_id"], updated["outbox"])
