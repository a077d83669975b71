"""What becomes of events once they are published: settled in the store, and taken out of their documents, many at a time.

Somebody waits for the events, nobody for the filing: a reader looks into the outbox too. So it follows behind the publishing, on a
thread of its own, and gathers meanwhile; one write for many costs a fraction of many writes.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from services.common.store import Document, Store

Key = tuple[str, str]
Batch = dict[Key, list[Document]]

GATHER_SECONDS = 0.02
MOST = 1_000  # entries in one go


class Remembered:
    """The newest ids of something, up to a number."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._ids

    def add(self, entries: Sequence[Document]) -> None:
        """Remember these entries' ids."""
        for entry in entries:
            self._ids[entry["id"]] = None
        while len(self._ids) > self._count:
            self._ids.popitem(last=False)

    def clear(self) -> None:
        """No longer."""
        self._ids.clear()


class Filing:
    """`add` what was published; `run` in a thread of its own, until `finish`."""

    def __init__(self, check: Callable[[Sequence[Document]], None], failed: Callable[[Exception], None]) -> None:
        """Take `check`, which raises unless everybody was reached, and `failed`, which is told why some could not be filed."""
        self._check = check
        self._failed = failed
        self._waiting: list[Batch] = []
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._one_at_a_time = threading.Lock()
        self.got_on_at = time.monotonic()
        self.store: Store | None = None

    def add(self, batch: Batch) -> None:
        """File these soon, behind those before."""
        self._waiting.append(batch)
        self._wake.set()

    def run(self) -> None:
        """File until `finish`."""
        try:
            while not (self._stopping.is_set() and not self._waiting):
                if self._wake.wait(1.0):
                    self._stopping.wait(GATHER_SECONDS)
                self._wake.clear()
                while self._waiting:
                    self._file_waiting()
                self.got_on_at = time.monotonic()
        finally:
            self._ended.set()

    def finish(self, timeout: float) -> None:
        """File what waits, for up to `timeout` seconds, and end."""
        self._stopping.set()
        self._wake.set()
        self._ended.wait(timeout)

    def file(self, batch: Batch) -> None:
        """Settle these entries and take them out of their documents. Raises what the store and the check do; a repeat is harmless."""
        if self.store is None or not batch:
            return
        with self._one_at_a_time:
            self._check([entry for entries in batch.values() for entry in entries])
            for collection in {collection for collection, _ in batch}:
                told = {document_id: entries for (name, document_id), entries in batch.items() if name == collection}
                self.store.settle(collection, (entry for entries in told.values() for entry in entries))
                self.store.mark_sent(collection, {key: [entry["id"] for entry in entries] for key, entries in told.items()})
            self.got_on_at = time.monotonic()

    def _file_waiting(self) -> None:
        batch: Batch = {}
        count = 0
        while self._waiting and count < MOST:
            for key, entries in self._waiting.pop(0).items():
                batch.setdefault(key, []).extend(entries)
                count += len(entries)
        try:
            self.file(batch)
        except Exception as error:  # noqa: BLE001 - all of it is in the database still, where the sweep finds it
            self._failed(error)
