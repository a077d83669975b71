"""The choice among agents: who is eligible, in which order, and the record of both. Pure: the same input, the same choice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from services.assignment.agents import EXCLUSIONS, Agent, Circle
from services.assignment.domain import Candidate

STRATEGIES = ("least_busy", "round_robin", "random")
ORDERING = {
    "least_busy": ("load", "last_assigned_at", "agent_id"),
    "round_robin": ("last_assigned_at", "agent_id"),
    "random": ("random",),
}
# A decision is stored and sent: one that looked at a thousand agents names those that matter most.
MAX_CANDIDATES = 100
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Choice:
    """The outcome of looking at every agent for one conversation; `winner` is None when nobody could be chosen."""

    strategy: str
    winner: Agent | None
    candidates: tuple[Candidate, ...]
    looked_at: int
    eligible: int
    seed: int | None = None
    remark: str = ""

    @property
    def reason(self) -> str:
        """A sentence for people, and a second one where something needs saying about who was asked."""
        return f"{self._sentence} {self.remark}".rstrip()

    @property
    def _sentence(self) -> str:
        if self.winner is None:
            return f"Nobody of {self.looked_at} can be chosen{_tally(self.candidates)}."
        crowd = "the only one eligible" if self.eligible == 1 else f"of {self.eligible} eligible"
        had = f"had {self.winner.load} of {self.winner.capacity}"
        match self.strategy:
            case "round_robin":
                return f"{self.winner.name}'s turn, {crowd}; {had}."
            case "random":
                return f"{self.winner.name} was drawn, {crowd}, with seed {self.seed}; {had}."
            case _:
                return f"{self.winner.name} is the least busy, {crowd}; {had}."


def choose(agents: Iterable[Agent], strategy: str, circle: Circle, draw: Callable[[], int]) -> Choice:
    """Pick an agent of the circle by a strategy. `draw` gives a seed when chance decides."""
    everyone = list(agents)
    obstacles = {agent.id: agent.obstacle(circle) for agent in everyone}
    eligible = [agent for agent in everyone if obstacles[agent.id] is None]
    seed = draw() if strategy == "random" and eligible else None
    ordered = order(eligible, strategy, seed)
    ranks = {agent.id: rank for rank, agent in enumerate(ordered, 1)}
    others = sorted(
        (agent for agent in everyone if agent.id not in ranks), key=lambda agent: (obstacles[agent.id] in EXCLUSIONS, agent.id)
    )
    candidates = tuple(
        Candidate(
            agent_id=agent.id,
            name=agent.name,
            eligible=agent.id in ranks,
            reason=obstacles[agent.id],
            load=agent.load,
            capacity=agent.capacity,
            rank=ranks.get(agent.id),
            last_assigned_at=agent.last_assigned_at,
        )
        for agent in (ordered + others)[:MAX_CANDIDATES]
    )
    return Choice(
        strategy, ordered[0] if ordered else None, candidates, len(everyone), len(ordered), seed=seed, remark=circle.remark
    )


def order(eligible: list[Agent], strategy: str, seed: int | None) -> list[Agent]:
    """The eligible agents, who is to be chosen first."""
    by_id = sorted(eligible, key=lambda agent: agent.id)
    match strategy:
        case "round_robin":
            return sorted(by_id, key=_longest_without)
        case "random":
            return Random(seed).sample(by_id, len(by_id))  # noqa: S311 - a fair and repeatable draw, not a secret
        case _:
            return sorted(by_id, key=lambda agent: (agent.load, _longest_without(agent)))


def _longest_without(agent: Agent) -> datetime:
    return agent.last_assigned_at or NEVER


def _tally(candidates: Iterable[Candidate]) -> str:
    counts: dict[str, int] = {}
    for candidate in candidates:
        if candidate.reason is not None:
            counts[candidate.reason] = counts.get(candidate.reason, 0) + 1
    told = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(counts.items()))
    return f": {told}" if told else ""
