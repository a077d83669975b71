"""How agents, teams, assignments and decisions are kept: to and from the database's documents.

A document of an earlier version lacks what came later; it then has the value that a new one begins with. One that a later version
wrote may hold more, which is passed over, and kept.
"""

from dataclasses import fields
from typing import Any

from services.assignment.agents import Agent, Assignee, Team
from services.assignment.domain import Actor, Assignment, Decision
from services.common.documents import of_known
from services.common.ids import new_id

Document = dict[str, Any]

# The collections.
ASSIGNMENTS = "assignments"
AGENTS = "agents"
TEAMS = "teams"
DECISIONS = "decisions"
CHANNELS = "channels"
LEDGER = "ledger"  # also the id of its only document
TAKERS = "takers"
NOTES = "notes"
ERASED = "erased"  # contacts, by id

_AGENT_FIELDS = tuple(field.name for field in fields(Agent) if field.name != "id")
_SAME_FIELDS = tuple(
    field.name
    for field in fields(Assignment)
    if field.name not in {"conversation_id", "agent", "requested_by", "allowed", "passed", "heard"}
)


def to_agent(document: Document) -> Agent:
    """The agent in a document."""
    return Agent(id=document["_id"], **{name: document[name] for name in _AGENT_FIELDS if name in document})


def agent_values(agent: Agent) -> Document:
    """What a document keeps of an agent, without its id."""
    return {name: getattr(agent, name) for name in _AGENT_FIELDS}


def to_team(document: Document) -> Team:
    """The team in a document."""
    return Team(
        document["_id"], document["name"], frozenset(document["agent_ids"]), document["deleted"], version=document["version"]
    )


def team_document(team: Team) -> Document:
    """What is kept of a team."""
    return {
        "_id": team.id,
        "name": team.name,
        "agent_ids": sorted(team.members),
        "deleted": team.deleted,
        "version": team.version,
    }


def to_assignment(document: Document) -> Assignment:
    """The assignment in a document."""
    return Assignment(
        conversation_id=document["_id"],
        agent=of_known(Assignee, document["agent"]) if document["agent"] else None,
        requested_by=of_known(Actor, document["requested_by"]) if document["requested_by"] else None,
        allowed=None if document["allowed"] is None else tuple(document["allowed"]),
        passed=tuple(document.get("passed", ())),
        heard=document["conversation_version"],
        **{name: document[name] for name in _SAME_FIELDS if name in document},
    )


def assignment_values(assignment: Assignment) -> Document:
    """What a document keeps of an assignment, without its id; the derived values are what its indexes sort by."""
    return {name: getattr(assignment, name) for name in _SAME_FIELDS} | {
        "agent": _values(assignment.agent),
        "requested_by": _values(assignment.requested_by),
        "allowed": None if assignment.allowed is None else list(assignment.allowed),
        "passed": list(assignment.passed),
        "conversation_version": assignment.heard,
        "place": assignment.place,
        "silent_since": assignment.silent_since,
    }


def decision_document(decision: Decision, conversation_id: str, seq: int) -> Document:
    """A decision as the `seq`-th of its conversation's history."""
    values = vars(decision) | {
        "actor": _values(decision.actor),
        "assignee": _values(decision.assignee),
        "candidates": [_values(candidate) for candidate in decision.candidates],
        "ordering": list(decision.ordering),
    }
    return {"_id": new_id(), "conversation_id": conversation_id, "seq": seq} | values


def _values(part: Any) -> Document | None:
    """A dataclass of plain values; `asdict` would copy each of them, for a hundred candidates."""
    return None if part is None else dict(vars(part))
