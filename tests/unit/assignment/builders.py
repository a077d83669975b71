"""Agents, wishes, a line and a clock for the tests of the desk."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from services.assignment.agents import Agent, Team
from services.assignment.desk import Desk
from services.assignment.domain import PRIORITIES, Actor, Assignment, Wish
from services.assignment.serving import Page

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ALICE = Actor("agent", "alice", "Alice")
BOT = Actor("bot")


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def ticking(start: datetime = START) -> Callable[[], datetime]:
    ticks = count(1)
    return lambda: start + timedelta(milliseconds=next(ticks))


def an_agent(
    name: str,
    *,
    capacity: int = 2,
    load: int = 0,
    connected: bool = True,
    reachable: bool = True,
    available: bool = True,
    last: datetime | None = None,
    gone_since: datetime | None = None,
    shift: int = 1,
) -> Agent:
    return Agent(
        name,
        name.title(),
        connected=connected,
        availability="available" if available else "busy",
        capacity=capacity,
        presence_version=1,
        reachable=reachable,
        reachability_version=1,
        disconnected_since=gone_since,
        shift=shift,
        load=load,
        last_assigned_at=last,
    )


def a_team(name: str, *members: str, version: int = 1, deleted: bool = False) -> Team:
    return Team(name, name.title(), frozenset(members), deleted=deleted, version=version)


def a_wish(
    at: float = 0,
    *,
    strategy: str = "least_busy",
    allowed: tuple[str, ...] | None = None,
    team: str | None = None,
    priority: str = "normal",
    unavailable: str = "wait",
    release: bool = False,
) -> Wish:
    return Wish(
        channel_id="channel",
        contact_id="contact",
        requested_at=moment(at),
        requested_by=BOT,
        strategy=strategy,
        allowed=allowed,
        team_id=team,
        priority=PRIORITIES[priority],
        unavailable=unavailable,
        release=release,
    )


def a_desk(
    *agents: Agent,
    assignments: tuple[Assignment, ...] = (),
    teams: Iterable[Team] = (),
    seed: int = 7,
    clock: Callable[[], datetime] | None = None,
) -> Desk:
    return Desk(agents, assignments, teams=teams, clock=clock or ticking(), draw=lambda: seed)


def a_waiting(name: str, at: float, *, priority: str = "normal", **values: Any) -> Assignment:
    usual: dict[str, Any] = {"requested_at": moment(at), "priority": PRIORITIES[priority], "heard": 1}
    return Assignment(name, "channel", "contact", "queued", **(usual | values))


def drain(desk: Desk, line: Iterable[Assignment] = (), *, heads: int = 50) -> bool:
    """One turn's end; the line may hold any assignments."""
    return desk.drain(reader(desk, {found.conversation_id: found for found in line}, heads))


def reader(desk: Desk, stored: Mapping[str, Assignment], heads: int) -> Callable[[str | None], Page]:
    """Reads the line as the database does: those in it whom one of the eligible may have, as they were before the turn."""

    def read(after: str | None) -> Page:
        eligible = desk.eligible()
        ids, marks = {agent.id for agent in eligible}, {agent.mark for agent in eligible}
        teams = {None, *desk.open_teams(eligible)}
        found = sorted(
            (
                (place, key)
                for key, waiting in stored.items()
                if (place := waiting.place) is not None
                and (after is None or place > after)
                and (waiting.allowed is None or ids & set(waiting.allowed))
                and waiting.team_id in teams
                and not marks <= set(waiting.passed)
            ),
        )[:heads]
        return Page([stored[key] for _, key in found], len(found) < heads)

    return read
