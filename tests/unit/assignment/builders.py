"""Agents, wishes and a clock for the tests of the desk."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from services.assignment.desk import Desk
from services.assignment.domain import Actor, Agent, Assignment, Wish

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ALICE = Actor("agent", "alice", "Alice")


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def ticking(start: datetime = START) -> Callable[[], datetime]:
    ticks = count(1)
    return lambda: start + timedelta(milliseconds=next(ticks))


def an_agent(
    name: str, *, capacity: int = 2, load: int = 0, connected: bool = True, available: bool = True, last: datetime | None = None
) -> Agent:
    return Agent(
        name,
        name.title(),
        connected=connected,
        availability="available" if available else "busy",
        capacity=capacity,
        presence_version=1,
        load=load,
        last_assigned_at=last,
    )


def a_wish(
    at: float = 0,
    *,
    strategy: str = "least_busy",
    allowed: tuple[str, ...] | None = None,
    unavailable: str = "wait",
    release: bool = False,
) -> Wish:
    return Wish("channel", "contact", moment(at), Actor("bot"), strategy, allowed, unavailable, release)


def a_desk(*agents: Agent, assignments: tuple[Assignment, ...] = (), seed: int = 7) -> Desk:
    return Desk(agents, assignments, clock=ticking(), draw=lambda: seed)


def a_waiting(name: str, at: float, *, allowed: tuple[str, ...] | None = None, priority: int = 1) -> Assignment:
    return Assignment(name, "channel", "contact", "queued", requested_at=moment(at), allowed=allowed, priority=priority, heard=1)
