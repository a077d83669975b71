"""Work that goes outside, in order: `@in_order` calls a method with each lane's first waiting item, one lane at a time.

The method works the item off, writes `waiting: False` and answers None, or says `Retry(after_seconds)`; an exception is a Retry with
backoff. Exactly one replica works on a lane, under a lease of 20 s that is renewed for each item and while one is in work. What a killed
replica had under way is done again by another, so methods must bear a repetition.
"""

import inspect
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import eventlet
import prometheus_client
from eventlet.support import greenlets
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, Entrypoint

from services.common.lane_store import Document, Lane, LaneStore, lane_indexes
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.storage import Storage

__all__ = ["Document", "InOrder", "LaneStore", "Retry", "backoff", "count_workers", "in_order", "lane_indexes"]

log = get_logger(__name__)

LOOK_SECONDS = 0.5  # for what other replicas added, and what is due again
TEND_SECONDS = 10.0
KEEP_SECONDS = 5.0  # a lease outlasts two attempts to renew it that an ailing database doesn't answer
LONGEST_ITEM_SECONDS = 50.0
LONGEST_BACKOFF = 60.0
# Then another lane has its turn, however much waits in this one.
ITEMS_IN_A_ROW = 20
SECONDS_IN_A_ROW = 5.0
STOP_SECONDS = 3.0  # for what is in work when the process is to end

WAITING = prometheus_client.Gauge("foyer_lane_items_waiting", "Items that wait in lanes, on all replicas", ["lanes"])
OLDEST = prometheus_client.Gauge("foyer_lane_oldest_seconds", "How long the oldest of them has been waiting", ["lanes"])
DONE = prometheus_client.Counter("foyer_lane_items_done_total", "Items worked off", ["lanes"])
RETRIED = prometheus_client.Counter("foyer_lane_items_retried_total", "Attempts after which an item goes on waiting", ["lanes"])


@dataclass(frozen=True)
class Retry:
    """The item goes on waiting at the head of its lane, for this long unless somebody wakes it."""

    after_seconds: float


class _HasLanes(Protocol):
    lanes: Mapping[str, LaneStore]


class InOrder(Entrypoint):
    """`@in_order("webhook_deliveries")`: a method that takes the first waiting item of a lane of `store.lanes[name]`."""

    def __init__(self, name: str, *, at_once: int = 16, per_group: int = 4) -> None:
        super().__init__()
        self.name = name
        self.at_once = at_once
        self.per_group = per_group
        self._working: dict[str, Lane] = {}  # by lease
        self._workers: set[Any] = set()
        self._something = threading.Event()
        self._stopping = False
        self._looking: Any = None

    def start(self) -> None:
        """Begin to look for work."""
        [storage] = [provider for provider in self.container.dependencies if isinstance(provider, Storage)]
        self._lanes = cast("_HasLanes", storage.store).lanes[self.name]
        self._lanes.listen(self._something.set)
        self._looking = self.container.spawn_managed_thread(self._look, identifier=f"lanes {self.name}")

    def stop(self) -> None:
        """Claim nothing more; what is in work finishes within 3 s or is left to another replica."""
        self._stopping = True
        self._something.set()
        self._wait_for_lanes(STOP_SECONDS)
        for worker in list(self._workers):
            worker.kill()
        self._wait_for_lanes(1.0)
        if self._looking is not None:
            self._looking.wait()

    def _wait_for_lanes(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._working and time.monotonic() < deadline:
            eventlet.sleep(0.02)

    def kill(self) -> None:
        """The container ends this entrypoint's threads itself."""
        self._stopping = True

    # the lanes

    def _look(self) -> None:
        tended, behind = 0.0, ""
        kept = time.monotonic()
        while not self._stopping:
            self._something.clear()
            claimed = 0
            try:
                if time.monotonic() - kept > KEEP_SECONDS:
                    self._lanes.keep(list(self._working.values()))
                    kept = time.monotonic()
                claimed = self._claim()
                if time.monotonic() - tended > TEND_SECONDS:
                    behind = self._tend(behind)
                    tended = time.monotonic()
            except Exception as error:
                log.warning("lanes_not_claimed", lanes=self.name, reason=_reason(error), exc_info=not is_outage(error))
            if not claimed:
                self._something.wait(LOOK_SECONDS)

    def _claim(self) -> int:
        free = self.at_once - len(self._working)
        claimed = 0
        for lane in self._lanes.claim(Counter(lane.group for lane in self._working.values()), self.per_group, free):
            self._working[lane.lease] = lane
            self.container.spawn_managed_thread(lambda lane=lane: self._work(lane), identifier=f"lane {self.name}")
            claimed += 1
        return claimed

    def _tend(self, behind: str) -> str:
        count, oldest = self._lanes.measure()
        WAITING.labels(self.name).set(count)
        OLDEST.labels(self.name).set(oldest)
        return self._lanes.reopen_forgotten(behind)

    def _work(self, lane: Lane) -> None:
        try:
            self._work_off(lane)
        except Exception as error:
            log.warning("lane_interrupted", lanes=self.name, reason=_reason(error), exc_info=not is_outage(error))
            self._return(lane)
        finally:
            self._working.pop(lane.lease, None)
            self._something.set()

    def _work_off(self, lane: Lane) -> None:
        """The lane's items one after the other, until none is left, one has to wait, or others had to wait long enough."""
        until = time.monotonic() + SECONDS_IN_A_ROW
        done: str | None = None
        for count in itertools.count(1):
            if self._stopping or count > ITEMS_IN_A_ROW or time.monotonic() > until:
                self._lanes.release(lane)
                return
            item = self._lanes.find_first(lane)
            if item is None:
                if self._lanes.close(lane):
                    return
            elif item["_id"] == done:
                log.error("item_still_waits", lanes=self.name, item=done)
                self._lanes.release(lane, backoff(item["attempts"]))
                return
            elif (wait := self._call(item)) is not None:
                self._lanes.release(lane, wait.after_seconds)
                if wait.after_seconds < LOOK_SECONDS:
                    eventlet.spawn_after(wait.after_seconds, self._something.set)
                return
            done = item["_id"] if item else None
            renewed = self._lanes.renew(lane)
            if renewed is None:  # it took longer than the lease, and somebody else has it
                return
            lane = renewed

    def _return(self, lane: Lane) -> None:
        """Give a lane up after a failure of the database, when it is back; should that take long, its lease runs out."""
        for attempt in range(5):
            eventlet.sleep(0 if self._stopping else min(2**attempt, 10) * random.uniform(0.5, 1))  # noqa: S311 - jitter
            try:
                self._lanes.release(lane, 1.0)
                return
            except Exception:  # noqa: BLE001 - it was said already
                if self._stopping:
                    return

    # one item

    def _call(self, item: Document) -> Retry | None:
        """Have a worker do the item. Returns None when it is done."""
        ended: list[tuple[Any, Any]] = []

        def end(_worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            ended.append((result, exc_info))
            return result, exc_info

        context = {"request_id": item.get("request_id")}
        worker = self.container.spawn_worker(self, (item,), {}, context_data=context, handle_result=end)
        self._wait_for(self.container._worker_threads[worker])  # noqa: SLF001 - nameko has no other way to end one worker
        result, exc_info = ended[0] if ended else (None, (None, "took too long or was stopped", None))
        if exc_info is None and result is None:
            DONE.labels(self.name).inc()
            return None
        RETRIED.labels(self.name).inc()
        if not ended and self._stopping:
            return Retry(0.0)
        if exc_info is None and isinstance(result, Retry):
            return result
        error = exc_info[1] if exc_info else f"answered {type(result).__name__}"
        log.warning("item_failed", lanes=self.name, item=item["_id"], attempts=item["attempts"], reason=_reason(error))
        return Retry(backoff(item["attempts"]))

    def _wait_for(self, worker: Any) -> None:
        self._workers.add(worker)
        try:
            with eventlet.Timeout(LONGEST_ITEM_SECONDS, exception=False):
                worker.wait()
            worker.kill()  # nothing to one that has ended
        except (Exception, greenlets.GreenletExit):  # noqa: BLE001, S110 - what it raised was kept before, unless it was killed
            pass
        finally:
            self._workers.discard(worker)


in_order = InOrder.decorator


def backoff(attempts: int) -> float:
    """Seconds until the next attempt: about 1, 2, 4 … 60, never the same for two."""
    return float(min(2 ** min(attempts - 1, 10), LONGEST_BACKOFF) * random.uniform(0.75, 1.25))  # noqa: S311 - jitter, not a secret


def count_workers(service_class: type) -> int:
    """How many workers the lanes of a service class need beside those of its calls and events."""
    methods = (method for _, method in inspect.getmembers(service_class, callable))
    entrypoints = (each for method in methods for each in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()))
    return sum(entrypoint.at_once for entrypoint in entrypoints if isinstance(entrypoint, InOrder))


def _reason(error: object) -> str:
    return f"{type(error).__name__}: {error}"[:300] if isinstance(error, BaseException) else str(error)
