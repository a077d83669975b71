"""Agents, teams, and whom a conversation may have: who can be chosen now, and what stands against the others. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Assignee:
    """An agent as an assignment names it."""

    id: str
    name: str


@dataclass(frozen=True)
class Circle:
    """Who may be asked for one conversation; None where nothing restricts. `passed` are the marks of those who let it pass."""

    named: frozenset[str] | None = None
    members: frozenset[str] | None = None
    passed: frozenset[str] = frozenset()
    remark: str = ""  # what a decision's reason should add

    def exclusion(self, agent_id: str) -> str | None:
        """Why this agent is not asked at all, None when it is."""
        if self.named is not None and agent_id not in self.named:
            return "not_asked"
        if self.members is not None and agent_id not in self.members:
            return "not_in_team"
        return None

    def holds(self, agent: "Agent") -> bool:
        """Whether it may be this agent's, once the agent can take it."""
        return self.exclusion(agent.id) is None and agent.mark not in self.passed


EVERYBODY = Circle()
EXCLUSIONS = frozenset({"not_asked", "not_in_team"})


@dataclass(frozen=True)
class Agent:
    """What presence last said of an agent, and how many conversations it has."""

    id: str
    name: str
    role: str = "agent"
    connected: bool = False
    availability: str = "busy"
    capacity: int = 0
    active: bool = True
    presence_version: int = 0
    reachable: bool = False  # one of its streams is open: connected and not reachable is a page that reloads
    reachability_version: int = 0
    disconnected_since: datetime | None = None  # heard to be gone, or deactivated, at that moment; None while here
    shift: int = 0  # counts how often it came to be present
    load: int = 0
    last_assigned_at: datetime | None = None

    @property
    def here(self) -> bool:
        """Whether it is connected, by an account in use."""
        return self.active and self.connected

    @property
    def present(self) -> bool:
        """Whether it works now, though perhaps at capacity, or reloading its page."""
        return self.here and self.availability == "available"

    @property
    def mark(self) -> str:
        """Names the agent in its present shift."""
        return f"{self.id}/{self.shift}"

    @property
    def assignee(self) -> Assignee:
        """Its name tag."""
        return Assignee(self.id, self.name)

    def obstacle(self, circle: Circle = EVERYBODY) -> str | None:
        """Why it can't be chosen now, None when it can."""
        if (exclusion := circle.exclusion(self.id)) is not None:
            return exclusion
        if not self.active:
            return "inactive"
        if not self.connected:
            return "disconnected"
        if not self.reachable:
            return "reconnecting"
        if self.availability != "available":
            return "busy"
        if self.load >= self.capacity:
            return "at_capacity"
        return "let_it_pass" if self.mark in circle.passed else None


@dataclass(frozen=True)
class Team:
    """A named group of agents as presence last told of it; one that was deleted is remembered as such."""

    id: str
    name: str = ""
    members: frozenset[str] = frozenset()
    deleted: bool = False
    version: int = 0


@dataclass(frozen=True)
class Snapshot:
    """An agent as presence describes it at a version."""

    id: str
    name: str
    role: str
    connected: bool
    availability: str
    capacity: int
    active: bool
    version: int

    def changes(self) -> dict[str, Any]:
        """The fields of an Agent that it sets."""
        return {
            "name": self.name,
            "role": self.role,
            "connected": self.connected,
            "availability": self.availability,
            "capacity": self.capacity,
            "active": self.active,
        }


@dataclass(frozen=True)
class Correction:
    """A load that did not equal the number of the agent's assignments."""

    agent_id: str
    recorded: int
    actual: int


def circle_of(allowed: Iterable[str] | None, team_id: str | None, passed: Iterable[str], teams: Mapping[str, Team]) -> Circle:
    """Who may be asked for a wish. A team never heard of has nobody yet; the wish for a deleted one is everybody's."""
    named = None if allowed is None else frozenset(allowed)
    if team_id is None:
        return Circle(named, None, frozenset(passed))
    team = teams.get(team_id)
    if team is None:
        return Circle(named, frozenset(), frozenset(passed), "Its team is not known here yet.")
    if team.deleted:
        return Circle(named, None, frozenset(passed), "Its team was deleted, so everybody may be asked.")
    return Circle(named, team.members, frozenset(passed))
