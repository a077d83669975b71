"""One moment of all of Foyer's databases: read through a snapshot session, whose history is kept for as long as it takes."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import pymongo
from bson import Timestamp
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from deploy.ops.errors import Unusable, Wrong
from deploy.ops.tables import say
from services.common.store import UNSENT

Document = dict[str, Any]

PREFIX = "foyer_"
WINDOW = "minSnapshotHistoryWindowInSeconds"
# There for as long as a backup has changed that: what it was before.
NOTE = "foyerbackup_under_way"
# So much history is asked for beyond what has passed, and asked for again before it runs out: a backup that is killed
# leaves little more than the default behind.
AHEAD = 600
MARGIN = 300
PERSISTENCE = 20.0
_AGAIN = 0.5
_BATCH = 1_000
_TOO_OLD = (239, 246)  # SnapshotTooOld, SnapshotUnavailable
OLDEST_SERVER = (5, 0)


class Snapshot:
    """Enter it: from then on everything is read as it was at that moment."""

    def __init__(self, client: "pymongo.MongoClient[Document]") -> None:
        self._client = client
        self._session: ClientSession | None = None
        self._began = 0.0
        self._usual: int | None = None
        self._window = 0
        self._may_change = True
        self._with_outbox: dict[str, list[str]] = {}
        self.cluster_time = Timestamp(0, 0)
        self.names: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        version = self._client.server_info()["versionArray"]
        if tuple(version[:2]) < OLDEST_SERVER:
            raise Unusable(f"The database is MongoDB {'.'.join(map(str, version[:3]))}; reading one moment of it needs 5.0.")
        self._window = int(self._client.admin.command({"getParameter": 1, WINDOW: 1})[WINDOW])
        # One that was killed had no time to set it back.
        noted = self._client[NOTE].window.find_one({"_id": WINDOW})
        self._usual = noted["usual"] if noted else self._window
        # Listed first: what is made after the moment is not in it anyway.
        self.names = [(base, name) for base in foyer_databases(self._client) for name in _collection_names(self._client, base)]
        if not self.names:
            raise Unusable("The database holds nothing of Foyer's.", "See: doctor")
        self._session = self._client.start_session(snapshot=True)
        self._began = time.monotonic()
        # One that is there: of others the answer has no moment.
        base, name = self.names[0]
        reply = self._client[base].command("find", name, limit=1, projection={"_id": 1}, session=self._session)
        self.cluster_time = reply["cursor"]["atClusterTime"]
        self._keep_history()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._session is not None:
            self._session.end_session()
        if self._usual is not None and self._window != self._usual and not persist(self._set_back):
            say(f"{WINDOW} stays {self._window}: the database does not answer.")

    @property
    def at(self) -> datetime:
        """The moment, to the second, by the database's clock."""
        return datetime.fromtimestamp(self.cluster_time.time, UTC)

    @property
    def elapsed(self) -> float:
        """Seconds since the moment."""
        return time.monotonic() - self._began

    def read(self, database: str, collection: str) -> Iterator[bytes]:
        """The collection's documents by `_id`, as bytes of many whole ones. Raises Wrong when the moment's history is gone."""
        raw = self._client[database].get_collection(collection, codec_options=CodecOptions(RawBSONDocument))
        try:
            for batch in raw.find_raw_batches({}, session=self._session, sort=[("_id", 1)], batch_size=_BATCH):
                self._keep_history()
                yield bytes(batch)
        except OperationFailure as error:
            if error.code not in _TOO_OLD:
                raise
            raise Wrong(
                f"The database no longer knows the moment of the backup, {self.elapsed:.0f} s ago, in {database}.{collection}: "
                f"{WINDOW} is {self._window}.",
                f"Raise it before: db.adminCommand({{setParameter: 1, {WINDOW}: 3600}}); nothing was written.",
            ) from None

    def find_version(self, database: str, document_id: str) -> tuple[int, set[str]] | None:
        """The version of the document with an outbox that has this id, and the ids of its unsent events; None without one."""
        for name in self._outboxes(database):
            found = self._client[database][name].find_one(
                {"_id": document_id}, {"version": 1, "outbox.id": 1}, session=self._session
            )
            if found is not None and "version" in found:
                return found["version"], {entry["id"] for entry in found.get("outbox", ())}
        return None

    def _outboxes(self, database: str) -> list[str]:
        if database not in self._with_outbox:
            names = [name for base, name in self.names if base == database]
            self._with_outbox[database] = [name for name in names if has_outbox(self._client, database, name)]
        return self._with_outbox[database]

    def _set_back(self) -> None:
        self._client.admin.command({"setParameter": 1, WINDOW: self._usual})
        self._client.drop_database(NOTE)

    def _keep_history(self) -> None:
        """Ask the database to remember for longer, if it lets this user."""
        if not self._may_change or self.elapsed + MARGIN < self._window:
            return
        wanted = int(self.elapsed) + AHEAD
        try:
            self._client[NOTE].window.replace_one({"_id": WINDOW}, {"usual": self._usual}, upsert=True)
            self._client.admin.command({"setParameter": 1, WINDOW: wanted})
            self._window = wanted
        except OperationFailure as error:
            self._may_change = False
            say(
                f"{WINDOW} stays {self._window} ({error.details.get('codeName') if error.details else error.code}): "
                "a backup that takes longer will fail."
            )


def persist(action: Callable[[], object]) -> bool:
    """Do something, again while the database elects another primary or starts. Whether it was done."""
    deadline = time.monotonic() + PERSISTENCE
    while True:
        try:
            action()
        except PyMongoError as error:
            if not isinstance(error, ConnectionFailure) or time.monotonic() > deadline:
                return False
            time.sleep(_AGAIN)
        else:
            return True


def foyer_databases(client: "pymongo.MongoClient[Document]") -> list[str]:
    """The services' databases that exist."""
    return sorted(name for name in client.list_database_names() if name.startswith(PREFIX))


def has_outbox(client: "pymongo.MongoClient[Document]", database: str, collection: str) -> bool:
    """Whether documents of the collection carry events, told by its index."""
    return UNSENT.document["name"] in client[database][collection].index_information()


def _collection_names(client: "pymongo.MongoClient[Document]", database: str) -> list[str]:
    listed = client[database].list_collections(filter={"type": "collection"})
    return sorted(each["name"] for each in listed if not each["name"].startswith("system."))
