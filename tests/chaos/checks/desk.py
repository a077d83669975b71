"""Whether those who give conversations to agents agree: the desk, messaging, presence, and what the agents themselves were told. Pure."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.history import History
from tests.chaos.stored import Assignment, Stored, Worker
from tests.chaos.violation import Violation

# How messaging shows what the desk says of an open conversation.
HANDLERS = {"assigned": "agent", "queued": "queue"}


def check_desk(history: History, stored: Stored) -> Iterator[Violation]:
    """All of it."""
    yield from _check_loads(stored)
    yield from _check_conversations(stored)
    yield from _check_line(stored)
    yield from _check_agents(history, stored)


def _check_loads(stored: Stored) -> Iterator[Violation]:
    held = Counter(each.agent for each in stored.assignments.values() if each.state == "assigned")
    chosen = Counter(each.agent for each in stored.assignments.values() if each.state == "assigned" and each.by_rule)
    shown = Counter(each.assignee for each in stored.conversations.values() if each.status == "open" and each.assignee)
    for agent_id, worker in stored.workers.items():
        where = f"agent {agent_id}"
        loads = {
            "the desk's load": worker.load,
            "messaging's conversations": shown[agent_id],
            "presence's count": worker.shown_load,
        }
        for name, number in loads.items():
            if number is not None and number != held[agent_id]:
                yield Violation("stuck", where, f"{name} is {number}, assigned are {held[agent_id]}")
        if chosen[agent_id] > worker.capacity:
            yield Violation(
                "stuck", where, f"was chosen for {chosen[agent_id]} conversations, beyond the capacity of {worker.capacity}"
            )


def _check_conversations(stored: Stored) -> Iterator[Violation]:
    for conversation_id, conversation in stored.conversations.items():
        assignment = stored.assignments.get(conversation_id)
        where = f"conversation {conversation_id}"
        if conversation.status == "archived":
            if assignment is not None and assignment.state in HANDLERS:
                yield Violation("stuck", where, f"it is archived, and for the desk {assignment}")
            continue
        wanted = HANDLERS.get(assignment.state if assignment else "unassigned")
        agent = assignment.agent if assignment is not None and assignment.state == "assigned" else None
        differs = conversation.handler != wanted if wanted else conversation.handler == "queue"
        if differs or conversation.assignee != agent:
            yield Violation("stuck", where, f"messaging shows {conversation}, the desk says {assignment}")


def _check_line(stored: Stored) -> Iterator[Violation]:
    for conversation_id, assignment in stored.assignments.items():
        if assignment.state != "queued":
            continue
        for agent_id, worker in stored.workers.items():
            if _may_take(agent_id, worker, assignment):
                what = f"it waits, while agent {agent_id} could take it: {worker}"
                yield Violation("stuck", f"conversation {conversation_id}", what)


def _may_take(agent_id: str, worker: Worker, assignment: Assignment) -> bool:
    present = worker.connected and worker.reachable and worker.availability == "available"
    asked = assignment.allowed is None or agent_id in assignment.allowed
    return present and asked and worker.load < worker.capacity and f"{agent_id}/{worker.shift}" not in assignment.passed


def _check_agents(history: History, stored: Stored) -> Iterator[Violation]:
    for agent_id, worker in stored.workers.items():
        where = f"agent {agent_id}"
        if worker.shown_availability not in (None, worker.availability):
            yield Violation("stuck", where, f"is {worker.shown_availability} for presence, {worker.availability} for the desk")
        if worker.shown_connected not in (None, worker.connected):
            yield Violation(
                "stuck", where, f"connected is {worker.shown_connected} for presence, {worker.connected} for the desk"
            )
        confirmed = history.availability.get(agent_id)
        if confirmed is None:
            continue
        if confirmed != worker.shown_availability:
            yield Violation("lost", where, f"was told to be {confirmed}, and is {worker.shown_availability}")
        if not (worker.connected and worker.reachable):
            yield Violation("stuck", where, f"has a stream open, and counts as gone: {worker}")
