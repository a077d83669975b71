"""The sentence that tells people why an agent counts as connected or not."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.presence.connection_changes import Cause, ConnectionChange
from services.presence.leases import Lease, Leases, lease_state

_WHY_GONE: Mapping[Cause, str] = {
    "stream_closed": "the last stream was closed and no other was opened within the grace",
    "lease_expired": "the last stream was no longer renewed, so its gateway ended or can't reach this service",
    "deactivated": "the account was deactivated, and no stream was opened since it is active again",
}


def explain(agent: Mapping[str, Any], leases: Leases, changes: Sequence[ConnectionChange], now: datetime) -> str:
    """Why the agent counts as it does, from its leases and the last turnings of `connected` (newest first)."""
    if not agent["active"]:
        return "Not connected: the account is deactivated."
    if not agent["connected"]:
        return _absence(changes, now)
    unclosed = [lease for lease in leases if not lease.closed]
    live = [lease for lease in unclosed if lease_state(lease, now) == "open"]
    if live:
        return f"Connected: {_count(live, 'open stream')}, last renewed {_since_renewal(live, now)} ago."
    if unclosed:
        return (
            f"Still counted as connected: the last renewal came {_since_renewal(unclosed, now)} ago and the next is overdue; "
            "without it the agent is disconnected."
        )
    left = max((lease.expires_at - now for lease in leases), default=timedelta())
    if left > timedelta():
        return (
            f"Reconnecting: the last stream was closed; without another within {in_words(left)} the agent counts as disconnected."
        )
    return "Reconnecting: the last stream was closed and the grace is over; the agent is about to count as disconnected."


def in_words(span: timedelta) -> str:
    """A duration as people say it, in its largest unit."""
    seconds = max(0, round(span.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _absence(changes: Sequence[ConnectionChange], now: datetime) -> str:
    last = changes[0] if changes else None
    if last is None or last.connected:
        return "Not connected: no stream is open."
    return f"Not connected for {in_words(now - last.at)}: {_WHY_GONE[last.cause]}."


def _count(leases: Sequence[Lease], thing: str) -> str:
    return f"1 {thing}" if len(leases) == 1 else f"{len(leases)} {thing}s"


def _since_renewal(leases: Sequence[Lease], now: datetime) -> str:
    return in_words(now - max(lease.renewed_at for lease in leases))
