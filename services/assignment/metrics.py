"""What this service counts."""

from prometheus_client import Counter, Gauge, Histogram

from services.assignment.choice import STRATEGIES
from services.assignment.desk import Desk

WAIT_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)

DECISIONS = Counter("foyer_assignment_decisions_total", "Decisions on conversations", ["action", "rule"])
LOADS_REPAIRED = Counter("foyer_assignment_loads_repaired_total", "Agents whose load did not equal their conversations")
WAIT_SECONDS = Histogram(
    "foyer_assignment_wait_seconds", "Time in line of those whom an agent was chosen for", buckets=WAIT_BUCKETS
)
ESTIMATE_ERROR_SECONDS = Histogram(
    "foyer_assignment_estimate_error_seconds",
    "How far the wait of those who got an agent was from the estimate told on joining, whichever way",
    buckets=WAIT_BUCKETS,
)
QUEUE_LENGTH = Gauge("foyer_assignment_queue_length", "Conversations that wait for an agent")


def count_turn(desk: Desk) -> None:
    """Count what a committed turn decided and corrected."""
    LOADS_REPAIRED.inc(len(desk.corrections))
    for told in desk.told.values():
        for made in told.decisions:
            DECISIONS.labels(made.action, made.rule).inc()
            if made.action != "assigned" or made.rule not in STRATEGIES:
                continue
            WAIT_SECONDS.observe(made.waited_seconds or 0)
            if made.waited_seconds is not None and made.estimated_wait_seconds is not None:
                ESTIMATE_ERROR_SECONDS.observe(abs(made.waited_seconds - made.estimated_wait_seconds))
