"""What a decision is about: agents and whether they can be chosen, assignments and their place in line, decisions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.common.times import to_wire

State = Literal["unassigned", "queued", "assigned", "closed"]
Outcome = Literal["assigned", "queued", "unavailable", "unassigned", "closed"]
Action = Literal["assigned", "queued", "unassigned", "returned", "closed"]

WAIT = "wait"  # the `unavailable` that means: stand in line
NORMAL_PRIORITY = 1


@dataclass(frozen=True)
class Actor:
    """Who did it, or for whom it was done automatically."""

    kind: str
    id: str | None = None
    name: str | None = None

    @property
    def label(self) -> str:
        """How a sentence calls them."""
        return self.name or f"the {self.kind}"


@dataclass(frozen=True)
class Assignee:
    """An agent as an assignment names it."""

    id: str
    name: str


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
    load: int = 0
    last_assigned_at: datetime | None = None

    def obstacle(self, allowed: Collection[str] | None = None) -> str | None:
        """Why it can't be chosen now, None when it can."""
        if allowed is not None and self.id not in allowed:
            return "not_asked"
        if not self.active:
            return "inactive"
        if not self.connected:
            return "disconnected"
        if self.availability != "available":
            return "busy"
        if self.load >= self.capacity:
            return "at_capacity"
        return None

    @property
    def assignee(self) -> Assignee:
        """Its name tag."""
        return Assignee(self.id, self.name)


@dataclass(frozen=True)
class Assignment:
    """Who has a conversation, or where it stands in line. `heard` is the newest version of the conversation acted upon."""

    conversation_id: str
    channel_id: str
    contact_id: str
    state: State = "unassigned"
    agent: Assignee | None = None
    requested_at: datetime | None = None
    requested_by: Actor | None = None
    priority: int = NORMAL_PRIORITY
    strategy: str = "least_busy"
    allowed: tuple[str, ...] | None = None
    unavailable: str = WAIT
    heard: int = 0

    @property
    def place(self) -> str | None:
        """Sorts the line: by priority, then by the time of the request; the id makes it one order for everybody."""
        if self.state != "queued" or self.requested_at is None:
            return None
        return f"{self.priority:02d}/{to_wire(self.requested_at)}/{self.conversation_id}"


@dataclass(frozen=True)
class Candidate:
    """An agent as it stood when a decision was made. `rank` 1 is who was chosen first; `reason` says why it could not be."""

    agent_id: str
    name: str
    eligible: bool
    reason: str | None
    load: int
    capacity: int
    rank: int | None = None
    last_assigned_at: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """One change of an assignment: what, who or by which rule, and for an automatic one everything that it looked at."""

    action: Action
    at: datetime
    rule: str
    reason: str
    actor: Actor | None = None
    assignee: Assignee | None = None
    candidates: tuple[Candidate, ...] = ()
    ordering: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True)
class Wish:
    """What an assignment request asks for."""

    channel_id: str
    contact_id: str
    requested_at: datetime
    requested_by: Actor | None = None
    strategy: str = "least_busy"
    allowed: tuple[str, ...] | None = None
    unavailable: str = WAIT
    release: bool = False  # whoever has it now is to be free of it


@dataclass(frozen=True)
class Told:
    """What the others are told of an assignment: its outcome and, unless nothing was decided anew, the decision."""

    outcome: Outcome
    decision: Decision | None = None


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
