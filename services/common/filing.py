"""What becomes of events once they are published: settled in the store, and taken out of their documents, many at a time.

Somebody waits for the events, nobody for the filing: a reader looks into the outbox too. So it follows behind the publishing, on a
thread of its own, and gathers meanwhile; one write for many costs a fraction of many writes.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from services.common.store import Document, Store

Key = tuple[str, str]
Batch = dict[Key, list[Document]]

GATHER_SECONDS = 0.02
MOST = 1_000  # entries in one go
MAX_WAITING = 10_000  # entries; past it whoever brings more files as well


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
        self._waiting: deque[Batch] = deque()
        self._count = 0  # of the entries in it
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._one_at_a_time = threading.Lock()
        self.got_on_at = time.monotonic()
        self.store: Store | None = None

    def add(self, batch: Batch) -> None:
        """File these soon, behind those before. While too many wait, some are filed first."""
        while self._count >= MAX_WAITING:
            self._file_waiting()
        self._waiting.append(batch)
        self._count += _size(batch)
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
        with self._one_at_a_time:
            self._file(batch)

    def _file_waiting(self) -> None:
        try:
            with self._one_at_a_time:
                self._file(self._take_waiting())
        except Exception as error:  # noqa: BLE001 - all of it is in the database still, where the sweep finds it
            self._failed(error)

    def _file(self, batch: Batch) -> None:
        if self.store is None or not batch:
            return
        self._check([entry for entries in batch.values() for entry in entries])
        for collection in {collection for collection, _ in batch}:
            told = {document_id: entries for (name, document_id), entries in batch.items() if name == collection}
            self.store.settle(collection, (entry for entries in told.values() for entry in entries))
            self.store.mark_sent(collection, {key: [entry["id"] for entry in entries] for key, entries in told.items()})
        self.got_on_at = time.monotonic()

    def _take_waiting(self) -> Batch:
        batch: Batch = {}
        while self._waiting and _size(batch) < MOST:
            for key, entries in self._waiting.popleft().items():
                batch.setdefault(key, []).extend(entries)
                self._count -= len(entries)
        return batch


def _size(batch: Batch) -> int:
    return sum(map(len, batch.values()))
