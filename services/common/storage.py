"""The database of a service as a dependency: opened before the first call, closed after the last, with its relay beside it."""

import socket
import threading
import time
from typing import Any, Generic, TypeVar

import pymongo
from nameko.extensions import DependencyProvider
from pymongo import IndexModel
from pymongo.errors import PyMongoError

from services.common.database_clock import DatabaseClock
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.outbox import OutboxRelay
from services.common.settings import Settings
from services.common.store import Document, Store
from services.common.times import now

log = get_logger(__name__)

StoreType = TypeVar("StoreType", bound=Store)

DATABASE_TIMEOUT_MS = 2500  # below the calls' deadline of 3 s, so that the answer says which part was down

# For the question whether it answers: the gateway waits 2 s for what the services say. The driver, looking for a primary, takes up
# to half a second more than it is given.
ANSWER_SECONDS = 0.9
# A database may read on while its disk stands still, it is locked, or the right to write is lost.
WRITES_SECONDS = 10.0
WRITES_AGAIN_SECONDS = 2.0  # after a failure
HEALTH = "health"
HEALTH_INDEX = IndexModel([("at", 1)], name="age", expireAfterSeconds=86_400)

# Of a new version's index over what is there already: a bound aborts the build, and the next attempt begins it anew. Two over
# 750,000 documents took 2.8 s, more than any other operation may take.
PREPARATION_SECONDS = 600


def open_client(uri: str) -> "pymongo.MongoClient[Document]":
    """A client whose every operation is bounded and whose acknowledged writes are journaled by a majority."""
    return pymongo.MongoClient(
        uri,
        timeoutMS=DATABASE_TIMEOUT_MS,
        w="majority",
        journal=True,
        tz_aware=True,
        maxPoolSize=60,
        maxConnecting=20,
        retryWrites=True,
        appname="foyer",
        event_listeners=[DatabaseClock()],
    )


class Storage(DependencyProvider, Generic[StoreType]):
    """Injects the store; `Storage(ContactStore)` in a service class."""

    def __init__(self, store_class: type[StoreType]) -> None:
        self.store_class = store_class
        self.store: StoreType
        self.client: pymongo.MongoClient[Document]
        self.relay: OutboxRelay
        self._ready = False
        self._writes = False
        self._write_due = 0.0
        self._stopping = threading.Event()

    def setup(self) -> None:
        """Open the client and make the indexes; a database that isn't there yet is waited for."""
        settings: Settings = self.container.config["settings"]
        service = self.container.service_name
        self.client = open_client(settings.mongodb_uri)
        self.relay = OutboxRelay(service, settings)
        self.store = self.store_class(self.client[f"foyer_{service}"], self.relay)
        self.relay.store = self.store
        while not self._stopping.is_set():
            try:
                self.client.admin.command("ping")
                with pymongo.timeout(PREPARATION_SECONDS):
                    self.store.ensure_indexes()
                    self.store.database[HEALTH].create_indexes([HEALTH_INDEX])
                self._ready = True
                return
            except PyMongoError as error:
                if not is_outage(error):
                    raise
                log.warning("waiting_for_database", reason=str(error)[:200])
                self._stopping.wait(1.0)

    def start(self) -> None:
        """Begin to send events."""
        self.container.spawn_managed_thread(self.relay.run, identifier="outbox")

    def stop(self) -> None:
        """Send what waits and close the client."""
        self._stopping.set()
        self.relay.stop()
        # Closing says goodbye to the server, and would look for one that is gone for 30 s.
        with pymongo.timeout(1):
            self.client.close()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> StoreType:  # noqa: ARG002 - nameko's signature
        """The store, shared by all workers."""
        return self.store

    def answers(self) -> bool:
        """Whether the database answers now, and lately took a write; not while the service is still starting."""
        if not self._ready:
            return False
        try:
            with pymongo.timeout(ANSWER_SECONDS):
                self.client.admin.command("ping")
                if time.monotonic() >= self._write_due:
                    self._try_to_write()
        except PyMongoError:
            return False
        return self._writes

    def _try_to_write(self) -> None:
        # Whoever asks meanwhile is told of the last attempt.
        self._write_due = time.monotonic() + WRITES_SECONDS
        try:
            self.store.database[HEALTH].update_one({"_id": socket.gethostname()}, {"$set": {"at": now()}}, upsert=True)
            self._writes = True
        except PyMongoError as error:
            self._writes = False
            self._write_due = time.monotonic() + WRITES_AGAIN_SECONDS
            log.warning("database_takes_no_writes", reason=str(error)[:200])
