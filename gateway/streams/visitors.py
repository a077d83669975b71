"""Which visitors are there, told to the assignment service with a beat, so that those who left don't wait in line for good.

There is who has a stream open, or made a request not long ago. Nothing here may hold up a stream or a request: what fails is logged
and told again with the next beat; absence is counted in minutes, and not at all while no beat arrives.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from gateway.streams import metrics
from gateway.streams.leases import Rpc
from services.common.errors import DomainError
from services.common.logs import get_logger

log = get_logger(__name__)

BEAT_SECONDS = 10.0
# Two beats: a widget without a stream asks more often than that.
SEEN_SECONDS = 20.0
MAX_SEEN = 20_000
CHUNK = 1_000  # what assignment takes at once
TIMEOUT = 2.0


class VisitorBeat:
    """Asks first whether anybody waits at all, and tells who is there only then."""

    def __init__(self, rpc: Rpc, streaming: Callable[[], Iterable[str]], interval: float) -> None:
        self._rpc = rpc
        self._streaming = streaming
        self._interval = interval
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visitors", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """End the telling; a call under way is waited for as far as the time allows."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def saw(self, contact_id: str) -> None:
        """The visitor has just made a request."""
        with self._lock:
            self._seen[contact_id] = time.monotonic()
            self._seen.move_to_end(contact_id)
            if len(self._seen) > MAX_SEEN:
                self._seen.popitem(last=False)

    def present(self) -> list[str]:
        """The visitors who are there, each once."""
        since = time.monotonic() - SEEN_SECONDS
        with self._lock:
            while self._seen and next(iter(self._seen.values())) < since:
                self._seen.popitem(last=False)
            seen = list(self._seen)
        return list(dict.fromkeys([*self._streaming(), *seen]))

    def beat(self) -> None:
        """Tell once."""
        if not self._note([]):
            return
        there = self.present()
        for start in range(0, len(there), CHUNK):
            if self._stopping.is_set():
                return
            self._note(there[start : start + CHUNK])

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self.beat()

    def _note(self, contact_ids: list[str]) -> int:
        """How many wait, as far as that could be learnt."""
        try:
            answer: Any = self._rpc.call("assignment", "note_visitors", contact_ids=contact_ids, timeout=TIMEOUT)
            return int(answer["waiting"])
        except DomainError as error:
            metrics.BEAT_FAILURES.inc()
            log.warning("visitors_not_noted", code=error.error_code, reason=error.text)
        except Exception:  # the thread must go on
            metrics.BEAT_FAILURES.inc()
            log.exception("visitors_not_noted")
        return 0
