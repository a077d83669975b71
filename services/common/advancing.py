"""Versions written together: concurrent changes of different documents in one command, each as if it had been alone.

A group costs one wait for the journal, and the driver's and the server's work for a command once; see docs/performance.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from services.common.bulk import DUPLICATE_KEY, NotWritten, violated_index
from services.common.envelope import NewEvent
from services.common.errors import DocumentExists, StaleDocument
from services.common.grouping import Grouped

Document = dict[str, Any]


class Change(NamedTuple):
    """What is written over the version in hand."""

    document: Document
    values: Mapping[str, Any]
    entries: Sequence[Document]  # of the outbox


class Advancer:
    """For one collection, whose documents are never deleted: a change of one that isn't there would insert it."""

    def __init__(self, collection: Collection[Document]) -> None:
        self.collection = collection.name
        self._collection = collection
        self._write: Grouped[Change, Document] = Grouped(self._write_group)

    def advance(self, document: Document, values: Mapping[str, Any], events: Sequence[NewEvent]) -> Document:
        """Write `values` and events over the version in hand, and return the new document.

        Raises StaleDocument when another version is there by now, DocumentExists when a unique value is taken.
        """
        version = document["version"] + 1
        entries = [event.entry(document["_id"], version) for event in events]
        return self._write(Change(document, dict(values) | {"version": version}, entries))

    def _write_group(self, changes: Sequence[Change]) -> list[Document | Exception]:
        outcomes: list[Document | Exception] = [_advanced(change) for change in changes]
        try:
            self._collection.bulk_write([_to_update(change) for change in changes], ordered=False)
        except BulkWriteError as error:
            unconfirmed = error.details["writeConcernErrors"]
            if unconfirmed:
                raise NotWritten({int(failure.get("code", 0)) for failure in unconfirmed}, len(changes)) from None
            for failure in error.details["writeErrors"]:
                outcomes[failure["index"]] = _to_error(failure, changes[failure["index"]])
        return outcomes


def _to_update(change: Change) -> UpdateOne:
    query = {"_id": change.document["_id"], "version": change.document["version"]}
    update: Document = {"$set": change.values}
    if change.entries:
        update["$push"] = {"outbox": {"$each": list(change.entries)}}
    # What matches no version is to be told of, each by itself: an insert then, which the document's id refuses.
    return UpdateOne(query, update, upsert=True)


def _to_error(failure: Mapping[str, Any], change: Change) -> Exception:
    code = int(failure.get("code", 0))
    if code != DUPLICATE_KEY:
        return NotWritten({code}, 1)
    if "_id" in failure.get("keyPattern", {"_id": 1}):
        return StaleDocument(change.document["_id"])
    return DocumentExists(violated_index(failure["errmsg"]))


def _advanced(change: Change) -> Document:
    outbox = [*change.document["outbox"], *change.entries]
    return {**change.document, **change.values, "outbox": outbox}
