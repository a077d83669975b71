"""What the process's workers do: how many are busy with calls and with events, for how long, and whether they hang."""

import time
from collections.abc import Iterator
from typing import Any

from nameko.extensions import DependencyProvider
from prometheus_client import Gauge

from services.common.events import EVENT_WORKERS, Subscription
from services.common.rpc import RPC_WORKERS, Rpc

# Ten times a call's deadline. Events wait for nothing longer than the database's own timeout.
HANG_SECONDS = 30.0
# Lanes are not among them: they end their items themselves.
KINDS: dict[str, tuple[type, int]] = {"calls": (Rpc, RPC_WORKERS), "events": (Subscription, EVENT_WORKERS)}

BUSY = Gauge("foyer_workers_busy", "Workers of this replica at work", ["kind"])
OLDEST = Gauge("foyer_workers_oldest_seconds", "How long the longest of them has been at it, on this replica", ["kind"])


class Workers(DependencyProvider):
    """Knows since when each worker has been running."""

    def setup(self) -> None:
        """Let the metrics ask."""
        for kind in KINDS:
            BUSY.labels(kind).set_function(lambda kind=kind: len(list(self._running(kind))))  # type: ignore[misc]
            OLDEST.labels(kind).set_function(lambda kind=kind: max(self._running(kind), default=0.0))  # type: ignore[misc]

    def worker_setup(self, worker_ctx: Any) -> None:
        """Note the beginning."""
        worker_ctx.began = time.monotonic()

    def hanging(self) -> list[str]:
        """The kinds of which more than half of all workers have been running for longer than HANG_SECONDS."""
        return [
            kind
            for kind, (_, count) in KINDS.items()
            if sum(seconds > HANG_SECONDS for seconds in self._running(kind)) > count / 2
        ]

    def _running(self, kind: str) -> Iterator[float]:
        entrypoint, _ = KINDS[kind]
        now = time.monotonic()
        # nameko's own list: a worker that is killed leaves it, though no teardown is called for it.
        for worker in list(self.container._worker_threads):  # noqa: SLF001
            if isinstance(worker.entrypoint, entrypoint) and hasattr(worker, "began"):
                yield now - worker.began
