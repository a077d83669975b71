"""How agents, assignments and decisions are kept: to and from the database's documents."""

from dataclasses import asdict
from typing import Any

from services.assignment.domain import Actor, Agent, Assignee, Assignment, Decision
from services.common.ids import new_id

Document = dict[str, Any]


def to_agent(document: Document) -> Agent:
    """The agent in a document."""
    return Agent(
        id=document["_id"],
        name=document["name"],
        role=document["role"],
        connected=document["connected"],
        availability=document["availability"],
        capacity=document["capacity"],
        active=document["active"],
        presence_version=document["presence_version"],
        load=document["load"],
        last_assigned_at=document["last_assigned_at"],
    )


def agent_values(agent: Agent) -> Document:
    """What a document keeps of an agent, without its id."""
    values = asdict(agent)
    del values["id"]
    return values


def to_assignment(document: Document) -> Assignment:
    """The assignment in a document."""
    return Assignment(
        conversation_id=document["_id"],
        channel_id=document["channel_id"],
        contact_id=document["contact_id"],
        state=document["state"],
        agent=Assignee(**document["agent"]) if document["agent"] else None,
        requested_at=document["requested_at"],
        requested_by=Actor(**document["requested_by"]) if document["requested_by"] else None,
        priority=document["priority"],
        strategy=document["strategy"],
        allowed=None if document["allowed"] is None else tuple(document["allowed"]),
        unavailable=document["unavailable"],
        heard=document["conversation_version"],
    )


def assignment_values(assignment: Assignment) -> Document:
    """What a document keeps of an assignment, without its id."""
    values = asdict(assignment)
    del values["conversation_id"]
    values["conversation_version"] = values.pop("heard")
    values["allowed"] = None if assignment.allowed is None else list(assignment.allowed)
    return values | {"place": assignment.place}


def decision_document(decision: Decision, conversation_id: str, seq: int) -> Document:
    """A decision as the `seq`-th of its conversation's history."""
    values = asdict(decision)
    values["candidates"] = list(values["candidates"])
    values["ordering"] = list(values["ordering"])
    return {"_id": new_id(), "conversation_id": conversation_id, "seq": seq} | values
