"""What this service counts."""

from prometheus_client import Counter

from services.assignment.desk import Desk

DECISIONS = Counter("foyer_assignment_decisions_total", "Decisions on conversations", ["action", "rule"])
LOADS_REPAIRED = Counter("foyer_assignment_loads_repaired_total", "Agents whose load did not equal their conversations")


def count_turn(desk: Desk) -> None:
    """Count what a committed turn decided and corrected."""
    for told in desk.told.values():
        if told.decision is not None:
            DECISIONS.labels(told.decision.action, told.decision.rule).inc()
    LOADS_REPAIRED.inc(len(desk.corrections))
