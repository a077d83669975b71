"""The turnings of `connected`: what caused each, and the last ones, which an agent's record keeps for whoever asks why."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from services.common.documents import of_known
from services.presence.leases import Lease, Leases

MAX_CHANGES = 20  # some 2 kB, in a document that every renewal writes

Cause = Literal["stream_opened", "stream_renewed", "stream_closed", "lease_expired", "deactivated"]


@dataclass(frozen=True)
class ConnectionChange:
    """One turning of `connected`; `connection_id` is the stream that brought it about, if one did."""

    at: datetime
    connected: bool
    cause: Cause
    connection_id: str | None


def change_by_leases(before: Leases, after: Leases, at: datetime, opened_by: Cause) -> ConnectionChange:
    """What turned `connected` when the leases held before became those after; `opened_by` says how a stream would have begun."""
    if after:
        return ConnectionChange(at, connected=True, cause=opened_by, connection_id=after[0].id)
    # A stream that was closed ended as it should; one that was not, and ran out, is the news.
    lost = [lease for lease in before if not lease.closed]
    return ConnectionChange(
        at, connected=False, cause="lease_expired" if lost else "stream_closed", connection_id=_longest_held(lost or before)
    )


def deactivation(at: datetime) -> ConnectionChange:
    """The account of a connected agent was deactivated."""
    return ConnectionChange(at, connected=False, cause="deactivated", connection_id=None)


def remember(changes: Iterable[Mapping[str, Any]], change: ConnectionChange) -> list[Mapping[str, Any]]:
    """The changes that a record keeps, newest first, once another happened."""
    return [asdict(change), *changes][:MAX_CHANGES]


def changes_of(agent: Mapping[str, Any]) -> list[ConnectionChange]:
    """What an agent's record keeps, newest first; nothing in one that is older than the keeping."""
    return [of_known(ConnectionChange, change) for change in agent.get("connection_changes", ())]


def _longest_held(leases: Iterable[Lease]) -> str | None:
    return max(leases, key=lambda lease: lease.expires_at).id if leases else None
