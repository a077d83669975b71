"""Presence's leases for the agents' streams of this process: opened with each, renewed together, closed behind it.

Nothing here may keep a stream from opening or a request from ending: what fails is logged, the renewal opens again what
presence doesn't know, and a lease that nobody renews runs out by itself.
"""

import queue
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from gateway.streams import metrics
from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.logs import get_logger

log = get_logger(__name__)

CHUNK = 1_000  # leases renewed by one call, which takes presence half a second
OPEN_TIMEOUT = 1.0  # seconds that a stream may begin later because presence is slow


class Rpc(Protocol):
    """What this needs of the RPC client."""

    def call(self, service: str, method: str, /, *, timeout: float | None = None, **kwargs: Any) -> Any:
        """The method's result. Raises DomainError."""


@dataclass(frozen=True)
class Lease:
    """One stream of one agent."""

    agent_id: str
    connection_id: str
    kind: str


class Leases:
    """Renewals and closings take turns on one thread, so that a renewal can't reopen what was closed meanwhile."""

    def __init__(self, rpc: Rpc, lease_seconds: float) -> None:
        self.gateway_id = new_id()
        self._rpc = rpc
        self._interval = lease_seconds / 3
        self._held: dict[str, Lease] = {}
        self._ended: queue.SimpleQueue[Lease | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Close what is still held, as far as the time allows."""
        for lease in list(self._held.values()):
            self.close(lease)
        self._ended.put(None)
        self._thread.join(timeout)

    def open(self, agent_id: str, kind: str) -> Lease:
        """A lease of a new connection (`sse` or `ws`); on return presence knows of it, unless it is away."""
        lease = Lease(agent_id, new_id(), kind)
        self._held[lease.connection_id] = lease
        self._call("open_connection", gateway_id=self.gateway_id, timeout=OPEN_TIMEOUT, **asdict(lease))
        return lease

    def close(self, lease: Lease) -> None:
        """The connection has ended. Returns at once."""
        if self._held.pop(lease.connection_id, None) is not None:
            self._ended.put(lease)

    def _run(self) -> None:
        due = time.monotonic() + self._interval
        while True:
            try:
                lease = self._ended.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                pass
            else:
                if lease is None:
                    return
                self._call("close_connection", agent_id=lease.agent_id, connection_id=lease.connection_id)
            if time.monotonic() >= due:
                self._renew()
                due = time.monotonic() + self._interval

    def _renew(self) -> None:
        held = [asdict(lease) for lease in list(self._held.values())]
        for start in range(0, len(held), CHUNK):
            self._call("renew_connections", gateway_id=self.gateway_id, connections=held[start : start + CHUNK])

    def _call(self, method: str, **arguments: Any) -> None:
        try:
            self._rpc.call("presence", method, **arguments)
        except DomainError as error:
            metrics.LEASE_FAILURES.labels(method).inc()
            log.warning("lease_call_failed", method=method, code=error.error_code, reason=error.text)
        except Exception:  # the thread must go on, and the stream too
            metrics.LEASE_FAILURES.labels(method).inc()
            log.exception("lease_call_failed", method=method)
