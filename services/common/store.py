"""What every store shares: documents with a version and an outbox, written so that state and events commit in one write.

A document's unsent events are embedded in it (`outbox`), so one write commits both; the relay sends them and removes them.
A change is decided on a loaded version and written only over that version: who comes second gets StaleDocument, loads
again and decides again (`retry_stale`).
"""

import itertools
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import pymongo
from pymongo import IndexModel, ReturnDocument, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.write_concern import WriteConcern

from services.common.advancing import Advancer
from services.common.bulk import violated_index
from services.common.envelope import NewEvent
from services.common.errors import DocumentExists, StaleDocument, Unavailable

Document = dict[str, Any]
R = TypeVar("R")

MAX_ATTEMPTS = 60
EAGER_ATTEMPTS = 3
# Grows with each vain attempt: three replicas that decide in turns got twice as far as with trying again at once.
TRANSACTION_PAUSE = 0.004
LONGEST_TRANSACTION_PAUSE = 0.02
TRANSACTION_SECONDS = 2.5  # below the calls' deadline
# Partial, so that it holds only what waits: a sweep reads nothing else.
UNSENT = IndexModel([("outbox.0.at", 1)], name="unsent", partialFilterExpression={"outbox.0": {"$exists": True}})
_TRANSACTION = "foyer_handovers"


class Relay(Protocol):
    """Who is told of committed events."""

    def hand_over(self, collection: str, document_id: str, entries: list[Document]) -> None:
        """Send these soon, in order."""


class Store:
    """The base of a service's store. `entities` names the collections whose documents carry an outbox."""

    entities: ClassVar[Sequence[str]] = ()
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {}

    def __init__(self, database: Database[Document], relay: Relay) -> None:
        self.database = database
        self.relay = relay

    def ensure_indexes(self) -> None:
        """Create what is missing; an existing index costs nothing."""
        for name in self.entities:
            self.database[name].create_indexes([UNSENT])
        for name, models in self.indexes.items():
            self.database[name].create_indexes(list(models))

    def settle(self, collection: str, entries: Iterable[Document]) -> None:
        """Called by the relay with entries it has sent: apply what the store derives from its own events. Must be idempotent."""

    def insert(
        self, collection: str, document: Document, events: Sequence[NewEvent] = (), *, session: ClientSession | None = None
    ) -> Document:
        """Insert a new entity as version 1, with its events. Raises DocumentExists."""
        document |= {"version": 1, "outbox": [event.entry(document["_id"], 1) for event in events]}
        try:
            self.database[collection].insert_one(document, session=session)
        except DuplicateKeyError as error:
            raise DocumentExists(violated_index(str(error))) from None
        self._committed(collection, document, session)
        return document

    def update(
        self,
        collection: str,
        document: Document,
        changes: Mapping[str, Any],
        events: Sequence[NewEvent] = (),
        *,
        push: Mapping[str, Any] | None = None,
        unread: Sequence[str] = (),
        session: ClientSession | None = None,
    ) -> Document:
        """Write `changes` over the version in hand, `push` onto its lists, and return the new document without its `unread` parts.

        Raises StaleDocument when another version is there by now, DocumentExists when a unique value is taken.
        """
        version = document["version"] + 1
        update: Document = {"$set": dict(changes) | {"version": version}}
        pushed = dict(push or {})
        if events:
            pushed["outbox"] = {"$each": [event.entry(document["_id"], version) for event in events]}
        if pushed:
            update["$push"] = pushed
        try:
            updated = self.database[collection].find_one_and_update(
                {"_id": document["_id"], "version": document["version"]},
                update,
                dict.fromkeys(unread, 0) or None,
                return_document=ReturnDocument.AFTER,
                session=session,
            )
        except DuplicateKeyError as error:
            raise DocumentExists(violated_index(str(error))) from None
        if updated is None:
            raise StaleDocument(document["_id"])
        self._committed(collection, updated, session)
        return updated

    def advance(self, advancer: Advancer, document: Document, changes: Mapping[str, Any], events: Sequence[NewEvent]) -> Document:
        """As `update`, of a document that is never deleted, together with others that are written at the same time."""
        advanced = advancer.advance(document, changes, events)
        self._committed(advancer.collection, advanced, None)
        return advanced

    def transaction(self, work: Callable[[ClientSession], R]) -> R:
        """Run `work` in a transaction; it may run several times. Events are handed over once it has committed.

        Bounded as any call is, where the driver's own loop would go on for two minutes. Raises the driver's error when the
        time is over; whether it committed is then unknown, so a repeat must be harmless.
        """
        deadline = time.monotonic() + TRANSACTION_SECONDS
        with pymongo.timeout(TRANSACTION_SECONDS), self.database.client.start_session() as session:
            for attempt in itertools.count(1):
                setattr(session, _TRANSACTION, [])
                try:
                    with session.start_transaction():
                        result = work(session)
                    break
                except PyMongoError as error:
                    transient = error.has_error_label("TransientTransactionError")
                    if not transient or time.monotonic() > deadline:
                        raise
                    pause = min(TRANSACTION_PAUSE * attempt, LONGEST_TRANSACTION_PAUSE)
                    time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - two that collided should not collide again
            for handover in getattr(session, _TRANSACTION):
                self.relay.hand_over(*handover)
            return result

    def unsent(self, collection: str, older_than: Any, limit: int) -> list[Document]:
        """Documents whose oldest unsent event is older than a moment, with their outboxes, oldest first."""
        query = {"outbox.0": {"$exists": True}, "outbox.0.at": {"$lt": older_than}}
        return list(self.database[collection].find(query, {"outbox": 1}).sort("outbox.0.at", 1).limit(limit))

    def count_unsent(self, collection: str, older_than: Any, limit: int) -> int:
        """How many documents have such an event, counted up to a limit."""
        query = {"outbox.0": {"$exists": True}, "outbox.0.at": {"$lt": older_than}}
        return self.database[collection].count_documents(query, limit=limit)

    def mark_sent(self, collection: str, sent: Mapping[str, Sequence[str]]) -> None:
        """Remove sent events, given as document id → event ids, from their documents."""
        # Not journaled: a mark that a crash loses costs a repetition, never an event.
        self.database.get_collection(collection, write_concern=WriteConcern(w=1)).bulk_write(
            [UpdateOne({"_id": key}, {"$pull": {"outbox": {"id": {"$in": list(ids)}}}}) for key, ids in sent.items()],
            ordered=False,
        )

    def _committed(self, collection: str, document: Document, session: ClientSession | None) -> None:
        if not document["outbox"]:
            return
        handover = (collection, document["_id"], document["outbox"])
        if session is None:
            self.relay.hand_over(*handover)
        else:
            getattr(session, _TRANSACTION).append(handover)


def retry_stale(work: Callable[[], R]) -> R:
    """Run `work`, which loads, decides and writes, until no other writer was faster. Raises Unavailable after 60 attempts."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            return work()
        except StaleDocument:
            if attempt >= EAGER_ATTEMPTS:  # many write at once: who pauses for a random while lets the others pass
                time.sleep(random.uniform(0, 0.01))  # noqa: S311 - jitter, not a secret
    raise Unavailable("Too many writers at once.", code="OVERLOADED")
