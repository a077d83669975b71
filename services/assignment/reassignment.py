"""When a conversation is taken from its agent: who left, or does not answer, while the visitor waits. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.assignment.agents import Agent
from services.assignment.domain import Assignment

DISCONNECTED_AFTER = timedelta(seconds=60)
UNANSWERED_AFTER = timedelta(seconds=300)


@dataclass(frozen=True)
class Terms:
    """A channel's patience; None is without end."""

    disconnected_after: timedelta | None = DISCONNECTED_AFTER
    unanswered_after: timedelta | None = UNANSWERED_AFTER


@dataclass(frozen=True)
class Overdue:
    """A rule that applies, and the sentence that says how."""

    rule: str
    reason: str


def find_overdue(assignment: Assignment, agent: Agent, terms: Terms, moment: datetime) -> Overdue | None:
    """Why the conversation should return to the line, None when it should not."""
    silent_since, assigned_at = assignment.silent_since, assignment.assigned_at
    if silent_since is None or assigned_at is None:
        return None
    gone_since = agent.disconnected_since
    # One that was given by hand to an agent who was away already is that hand's business, until the silence is too long.
    left = gone_since is not None and gone_since >= assigned_at
    if left and gone_since and _is_over(max(gone_since, silent_since), terms.disconnected_after, moment):
        how = "disconnected" if agent.active else "deactivated"
        text = f"{agent.name} has been {how} for {_seconds(gone_since, moment)} s while the visitor waits for an answer."
        return Overdue("agent_disconnected", text)
    if _is_over(silent_since, terms.unanswered_after, moment):
        return Overdue("agent_silent", f"{agent.name} has not answered for {_seconds(silent_since, moment)} s.")
    return None


def _is_over(since: datetime, patience: timedelta | None, moment: datetime) -> bool:
    return patience is not None and moment - since >= patience


def _seconds(since: datetime, until: datetime) -> int:
    return int((until - since).total_seconds())
