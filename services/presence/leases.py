"""Connections as leases: when they begin, go on, run out, and what makes an agent connected and reachable.

An agent is connected while it holds a lease, and reachable while one of those was not closed. A lease runs out when it is
not renewed in time, or a grace after it was closed, so that a reload, which closes one and opens another, shows nothing:
meanwhile the agent is connected and not reachable. Functions that change leases take those held and return those held from
then on; whoever writes them does so only over the leases it read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from services.common.documents import of_known
from services.presence.errors import TooMany

MAX_LEASES = 100  # per agent: bounds the document, far beyond anyone's tabs


@dataclass(frozen=True)
class Terms:
    """How long a lease lasts without renewal, and how long after its closing."""

    lease: timedelta
    grace: timedelta


@dataclass(frozen=True)
class Lease:
    """One stream that an agent holds open at a gateway."""

    id: str
    gateway_id: str
    kind: str
    opened_at: datetime
    renewed_at: datetime
    expires_at: datetime
    closed: bool = False


Leases = tuple[Lease, ...]
State = Literal["open", "grace", "overdue"]


@dataclass(frozen=True)
class Standing:
    """What others are told of an agent's leases."""

    connected: bool
    reachable: bool


@dataclass(frozen=True)
class Stream:
    """What a gateway names when it opens or renews: a connection of its own."""

    id: str
    gateway_id: str
    kind: str


def open_lease(leases: Leases, stream: Stream, now: datetime, terms: Terms) -> Leases:
    """Begin a lease, anew when its id was there before. Raises TooMany when 100 others are live."""
    others = tuple(lease for lease in leases if lease.id != stream.id)
    if len(others) >= MAX_LEASES:
        # The closed and the late are not needed beside the one that opens.
        others = tuple(lease for lease in others if not lease.closed and lease.expires_at > now)
    if len(others) >= MAX_LEASES:
        raise TooMany("connections", MAX_LEASES)
    return (*others, Lease(stream.id, stream.gateway_id, stream.kind, now, now, now + terms.lease))


def renew_leases(leases: Leases, streams: Iterable[Stream], now: datetime, terms: Terms) -> tuple[Leases, int]:
    """Renew those held, open those unknown, leave those closed; and how many the streams hold now. Repeating it changes nothing.

    A renewal that was under way while its connection closed must not bring it back.
    """
    held = leases
    renewed = 0
    for stream in streams:
        known = next((lease for lease in held if lease.id == stream.id), None)
        if known is None:
            try:
                held = open_lease(held, stream, now, terms)
            except TooMany:
                continue
        elif known.closed:
            continue
        else:
            later = replace(known, renewed_at=max(known.renewed_at, now), expires_at=max(known.expires_at, now + terms.lease))
            held = tuple(later if lease.id == stream.id else lease for lease in held)
        renewed += 1
    return held, renewed


def close_lease(leases: Leases, lease_id: str, now: datetime, terms: Terms) -> Leases:
    """Let a lease run out after the grace, also one that is overdue: its stream was open until now. One unknown or closed stays."""
    return tuple(
        replace(lease, closed=True, expires_at=now + terms.grace) if lease.id == lease_id and not lease.closed else lease
        for lease in leases
    )


def expire_leases(leases: Leases, now: datetime, listening_since: datetime, terms: Terms) -> Leases:
    """Drop what has run out.

    While calls can't arrive (this service, its broker or its database was away) nobody can renew, so nothing runs out
    before a whole lease, or a whole grace for the closed, was listened through.
    """
    return tuple(lease for lease in leases if now < max(lease.expires_at, listening_since + _allowance(lease, terms)))


def leases_of(agent: Mapping[str, Any]) -> Leases:
    """The leases in an agent's record."""
    return tuple(of_known(Lease, lease) for lease in agent["connections"])


def standing_of(leases: Leases) -> Standing:
    """What these leases make of an agent. Those whose time is over count until they are dropped: an outage makes nobody flap."""
    return Standing(connected=bool(leases), reachable=any(not lease.closed for lease in leases))


def told_standing(agent: Mapping[str, Any]) -> Standing:
    """What others were told last. Of a record older than the telling of reachability nobody was told that it is reachable."""
    return Standing(connected=agent["connected"], reachable=agent.get("reachable", False))


def lease_state(lease: Lease, now: datetime) -> State:
    """`overdue`: its time is over, and it counts until the next sweep drops it."""
    if lease.expires_at <= now:
        return "overdue"
    return "grace" if lease.closed else "open"


def _allowance(lease: Lease, terms: Terms) -> timedelta:
    return terms.grace if lease.closed else terms.lease
