"""How many messages wait in a service's own queues, and whether those that its events have to reach are there.

The broker is asked every 15 seconds over a link that is there anyway.
"""

import math
import time
from collections.abc import Callable

import amqp
from prometheus_client import Gauge

from services.common.amqp import BROKER_ERRORS
from services.common.topology import TopologyMissing, dead_letter_queue, event_queue, rpc_queue, used_by

EVERY_SECONDS = 15.0

# Each replica asks the same queues: take the largest, not the sum. Unknown is NaN.
GAUGES: tuple[tuple[Gauge, Callable[[str], str]], ...] = (
    (Gauge("foyer_rpc_queue_length", "Calls that wait for a worker, on all replicas, 15 s late at most"), rpc_queue),
    (Gauge("foyer_event_queue_length", "Events that wait for a worker, on all replicas, 15 s late at most"), event_queue),
    (Gauge("foyer_dead_letters", "Events put aside until an operator sees to them, on all replicas"), dead_letter_queue),
)


class QueueWatch:
    """Call `look` often."""

    def __init__(self, service: str, count: Callable[[str], int]) -> None:
        """Take `count`, which tells a queue's length or raises BROKER_ERRORS."""
        self._service = service
        self._count = count
        self._due = 0.0
        for gauge, _ in GAUGES:
            gauge.set(math.nan)

    def look(self) -> None:
        """Ask, if it is time. Raises TopologyMissing when a queue is gone that the service's events have to reach; it is time then."""
        if time.monotonic() < self._due:
            return
        for gauge, name in GAUGES:
            try:
                gauge.set(self._count(name(self._service)))
            except BROKER_ERRORS:
                gauge.set(math.nan)
        self._look_at_others()
        self._due = time.monotonic() + EVERY_SECONDS

    def _look_at_others(self) -> None:
        _, queues = used_by(self._service, publishes=True)
        try:
            for queue in queues:
                self._count(queue)
        except (amqp.exceptions.NotFound, TopologyMissing) as error:
            raise TopologyMissing(str(error)) from None
        except BROKER_ERRORS:
            return  # whoever publishes next says so
