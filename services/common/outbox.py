"""The relay: sends the events that documents carry, in batches that the broker confirms, and sweeps up what a crash left.

An event is removed from its document only after the broker confirmed it (`filing.py`), so each is sent at least once. The order
within a document holds: whoever sends one of its events sends the earlier unsent ones first.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.common import metrics, tracing
from services.common.amqp import BROKER_ERRORS, PERSISTENT, Outgoing, Publisher, Unroutable
from services.common.filing import Batch, Filing, Key, Remembered
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.queues import QueueWatch
from services.common.settings import Settings
from services.common.store import Document, Store
from services.common.times import now, to_wire
from services.common.topology import EVENT_LOG, TopologyMissing, declare, event_exchange, listeners
from services.common.wire import encode

log = get_logger(__name__)

BATCH = 200
SWEEP_SECONDS = 5.0
# Turns that fail take less, and one that works through much says so after each batch.
STUCK_SECONDS = 30.0
# Past this many waiting the memory is given up: they are all in the database, where the sweep finds them.
MAX_WAITING = 20_000
MOST_COUNTED = 10_000
RECENT = 20_000


class OutboxRelay:
    """One per process; `hand_over` from any worker, `run` in a thread of its own."""

    def __init__(self, service: str, settings: Settings) -> None:
        self._service = service
        self._settings = settings
        self._publisher = Publisher(settings.amqp_uri, prepare=self._prepare)
        self._waiting: deque[tuple[str, str, list[Document]]] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        # A document read before its sent events were removed still shows them; they need no second sending.
        self._published = Remembered(RECENT)
        self._filing = Filing(self._require_reached, self._give_up)
        self._behind = True
        self._queues = QueueWatch(service, self._publisher.count_ready)
        self._measured = False
        self._oldest: datetime | None = None  # of the events that the last sweep found and has not sent yet
        self._got_on_at = time.monotonic()
        metrics.OUTBOX_OLDEST.set_function(self._age_of_oldest)
        metrics.OUTBOX_UNSENT.set(math.nan)

    @property
    def store(self) -> Store | None:
        """Whose events it sends."""
        return self._filing.store

    @store.setter
    def store(self, store: Store) -> None:
        self._filing.store = store

    @property
    def gets_on(self) -> bool:
        """Whether it has done its work, if there was any, within the last STUCK_SECONDS."""
        return time.monotonic() - min(self._got_on_at, self._filing.got_on_at) < STUCK_SECONDS

    def hand_over(self, collection: str, document_id: str, entries: list[Document]) -> None:
        """Send a committed document's outbox soon. Never blocks, never fails: what is forgotten here is swept up later."""
        if len(self._waiting) >= MAX_WAITING:
            self._behind = True
        else:
            self._waiting.append((collection, document_id, entries))
        self._wake.set()

    def run(self) -> None:
        """Send until `stop`, then send what is still waiting."""
        swept = 0.0
        pause = 0.2
        self._got_on_at = self._filing.got_on_at = time.monotonic()
        threading.Thread(target=self._filing.run, name="filing", daemon=True).start()
        try:
            while not (self._stopping.is_set() and not self._waiting):
                try:
                    if self._behind or time.monotonic() - swept > SWEEP_SECONDS:
                        age = timedelta() if self._behind else timedelta(seconds=SWEEP_SECONDS)
                        self._behind = False
                        self._sweep(age)
                        swept = time.monotonic()
                    self._send_waiting()
                    self._queues.look()
                    self._got_on_at = time.monotonic()
                    pause = 0.2
                except Exception as error:  # noqa: BLE001 - said, and tried again
                    self._waiting.clear()
                    self._give_up(error)
                    if self._stopping.is_set():
                        return
                    self._stopping.wait(pause)
                    pause = min(pause * 2, 3.0)
        finally:
            self._filing.finish(2.0)
            self._publisher.close()
            self._ended.set()

    def stop(self, timeout: float = 5.0) -> None:
        """Send what waits, for up to `timeout` seconds, and end."""
        self._stopping.set()
        self._wake.set()
        self._ended.wait(timeout)

    def _send_waiting(self) -> None:
        if not self._waiting and not self._wake.wait(1.0):
            self._publisher.tend()  # which waits for the broker's heartbeats a moment: not before there is nothing to send
        self._wake.clear()
        batch: dict[Key, dict[str, Document]] = {}
        while self._waiting and len(batch) < BATCH:
            collection, document_id, entries = self._waiting.popleft()
            batch.setdefault((collection, document_id), {}).update({entry["id"]: entry for entry in entries})
        if published := self._publish({key: list(entries.values()) for key, entries in batch.items()}):
            self._filing.add(published)

    def _publish(self, batch: Batch) -> Batch:
        """Publish what was not yet, which is returned."""
        if batch:
            self._publisher.connect()  # over a new link all are to go again, the earlier ones of a document first
        fresh = {
            key: unsent for key, entries in batch.items() if (unsent := [e for e in entries if e["id"] not in self._published])
        }
        entries = [entry for entries in fresh.values() for entry in entries]
        if entries:
            with tracing.publishing(self._service, entries) as parents:
                messages = [to_message(self._service, entry, parents[entry["id"]]) for entry in entries]
                self._publisher.publish_confirmed(messages)
            self._published.add(entries)
            for entry in entries:
                metrics.EVENTS_SENT.labels(entry["type"]).inc()
            self._got_on_at = time.monotonic()
        return fresh

    def _require_reached(self, entries: Sequence[Document]) -> None:
        """Raise BROKER_ERRORS unless the queues of these events are there still: one that was deleted meanwhile took none of them."""
        reached = listeners(self._service)
        queues = {EVENT_LOG, *(queue for entry in entries for queue in reached.get(entry["type"], ()))}
        try:
            self._publisher.require(sorted(queues))
        except BROKER_ERRORS:
            self._published.clear()  # all go again once it is back, and in their order
            raise
        if any(entry["id"] not in self._published for entry in entries):
            raise ConnectionError("the link was made anew since, and its queues perhaps too")

    def _prepare(self, connection: Any) -> None:
        # What went over the last link is not known to have reached queues that are declared only now.
        self._published.clear()
        # RabbitMQ 3.10 confirms what it drops while a stream is still starting after the broker did (seen for half a
        # second: 300 of 300 lost). It refuses to declare the stream during that time, so declaring comes first.
        declare(connection, self._settings, self._service, publishes=True)

    def _give_up(self, error: Exception) -> None:
        """Leave what could not be done to the sweep, which finds it in the database."""
        metrics.OUTBOX_FAILURES.inc()
        self._behind = True
        known = isinstance(error, (*BROKER_ERRORS, Unroutable)) or is_outage(error)
        log.warning("outbox_not_sent", reason=f"{type(error).__name__}: {error}"[:300], exc_info=None if known else error)
        if isinstance(error, (Unroutable, TopologyMissing)):
            self._publisher.close()  # opening it again declares the queues

    def _sweep(self, age: timedelta) -> None:
        if self.store is None:
            return
        older_than = now() - age + timedelta(milliseconds=1)
        # Measured first: what can't be sent is what somebody wants to know of. Until it is read, nothing is known.
        try:
            unsent = {collection: self.store.unsent(collection, older_than, BATCH) for collection in self.store.entities}
            self._measure(unsent, older_than)
        except Exception:
            self._measured = False
            metrics.OUTBOX_UNSENT.set(math.nan)
            raise
        self._measured = True
        for collection, first in unsent.items():
            found = first
            while found:
                # Also what was published but is still in its document: its filing failed, or is under way, so it is repeated.
                batch = {(collection, document["_id"]): document["outbox"] for document in found}
                self._publish(batch)
                self._filing.file(batch)
                if len(found) < BATCH:
                    break
                found = self.store.unsent(collection, older_than, BATCH)
        self._oldest = None

    def _measure(self, unsent: Mapping[str, list[Document]], older_than: datetime) -> None:
        if self.store is None:
            return
        counts = (
            len(found) if len(found) < BATCH else self.store.count_unsent(collection, older_than, MOST_COUNTED)
            for collection, found in unsent.items()
        )
        metrics.OUTBOX_UNSENT.set(sum(counts))
        self._oldest = min((found[0]["outbox"][0]["at"] for found in unsent.values() if found), default=None)

    def _age_of_oldest(self) -> float:
        if not self._measured:
            return math.nan
        return (now() - oldest).total_seconds() if (oldest := self._oldest) else 0.0


def to_message(service: str, entry: Document, traceparent: str | None = None) -> Outgoing:
    """An outbox entry as the message that `service` publishes."""
    event = {
        "id": entry["id"],
        "type": entry["type"],
        "source": service,
        "entity": entry["entity"],
        "contact_id": entry["contact_id"],
        "at": to_wire(entry["at"]),
        "request_id": entry["request_id"],
        "data": entry["data"],
    }
    if traceparent is not None:
        event["traceparent"] = traceparent
    return Outgoing(
        event_exchange(service),
        entry["type"],
        encode(event),
        {"delivery_mode": PERSISTENT, "message_id": entry["id"], "type": entry["type"]},
    )
