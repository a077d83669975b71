"""What a decision is about: assignments and their place in line, who wants what, and the decision itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.assignment.agents import Assignee
from services.common.times import to_wire

State = Literal["unassigned", "queued", "assigned", "closed"]
Outcome = Literal["assigned", "queued", "unavailable", "unassigned", "left", "closed"]
Action = Literal["assigned", "queued", "requeued", "unassigned", "returned", "left", "closed"]

OUTCOMES: dict[Action, Outcome] = {
    "assigned": "assigned",
    "queued": "queued",
    "requeued": "queued",
    "unassigned": "unassigned",
    "returned": "unassigned",
    "left": "left",
    "closed": "closed",
}

WAIT = "wait"  # the `unavailable` that means: stand in line
PRIORITIES = {"high": 0, "normal": 1, "low": 2}
NORMAL_PRIORITY = PRIORITIES["normal"]
RETURNED_FIRST = -1  # sorts before every priority, also as text
UNCHECKED = "*"  # no id: whoever has it now


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
class Assignment:
    """Who has a conversation, or where it stands in line.

    The wish (`strategy`, `allowed`, `team_id`, `priority`) outlives the waiting, for the case that the conversation returns.
    """

    conversation_id: str
    channel_id: str
    contact_id: str
    state: State = "unassigned"
    agent: Assignee | None = None
    assigned_at: datetime | None = None
    requested_at: datetime | None = None
    requested_by: Actor | None = None
    priority: int = NORMAL_PRIORITY
    strategy: str = "least_busy"
    allowed: tuple[str, ...] | None = None
    team_id: str | None = None
    unavailable: str = WAIT
    returned: bool = False  # in line again, after an agent left or did not answer
    passed: tuple[str, ...] = ()  # marks of agents who let it pass
    promised: int | None = None  # seconds: the estimate told on joining
    visitor_seen_at: datetime | None = None
    awaiting_since: datetime | None = None  # the visitor waits for an answer
    awaiting_version: int = 0  # the newest version of the conversation that said so, or the contrary
    heard: int = 0  # the newest version of the conversation acted upon

    @property
    def place(self) -> str | None:
        """Sorts the line: returned ones first, then by priority, then by time; the id makes it one order for everybody."""
        if self.state != "queued" or self.requested_at is None:
            return None
        rank = RETURNED_FIRST if self.returned else self.priority
        return f"{rank:02d}/{to_wire(self.requested_at)}/{self.conversation_id}"

    @property
    def silent_since(self) -> datetime | None:
        """Since when the agent owes an answer."""
        if self.state != "assigned" or self.awaiting_since is None or self.assigned_at is None:
            return None
        return max(self.awaiting_since, self.assigned_at)


# What an assignment is whose wish is over.
NO_WISH: dict[str, Any] = {
    "strategy": "least_busy",
    "allowed": None,
    "team_id": None,
    "priority": NORMAL_PRIORITY,
    "unavailable": WAIT,
}


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
    remark: str | None = None  # what a hand said to it
    waited_seconds: int | None = None  # of one that stood in line and leaves it
    estimated_wait_seconds: int | None = None  # what was told on joining


@dataclass(frozen=True)
class Wish:
    """What an assignment request asks for."""

    channel_id: str
    contact_id: str
    requested_at: datetime
    requested_by: Actor | None = None
    strategy: str = "least_busy"
    allowed: tuple[str, ...] | None = None
    team_id: str | None = None
    priority: int = NORMAL_PRIORITY
    unavailable: str = WAIT
    release: bool = False  # whoever has it now is to be free of it


@dataclass(frozen=True)
class Told:
    """What the others are told of an assignment: its outcome and, unless nothing was decided anew, the decision.

    `earlier` are decisions of the same turn that the last one followed: it was returned to the line, and given to another.
    """

    outcome: Outcome
    decision: Decision | None = None
    earlier: tuple[Decision, ...] = ()

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All of them, in order."""
        return self.earlier if self.decision is None else (*self.earlier, self.decision)
