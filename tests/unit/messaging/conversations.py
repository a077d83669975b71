"""Conversations as turns leave them, for tests of what happens next."""

from functools import partial
from typing import Any

from services.common.times import now, to_wire
from services.messaging import domain, handovers
from services.messaging.flows.check import load_flow
from services.messaging.flows.facts import Facts, KnownFacts
from services.messaging.turn import Turn
from tests.unit.messaging.flows import ACME

Document = dict[str, Any]

FLOW, _ = load_flow(ACME)
ANN = {"kind": "agent", "id": "ann", "name": "Ann", "role": "agent"}
BEN = {"kind": "agent", "id": "ben", "name": "Ben", "role": "agent"}
CHANNEL = {"_id": "shop", "name": "Shop", "kind": "web", "flow_id": "f1", "flow_version": 3}
MESSENGER = CHANNEL | {"_id": "page", "kind": "messenger"}
CONTACT = {"_id": "c1", "name": "Teal Otter"}


OPEN = KnownFacts()
CLOSED = KnownFacts(open=False)

begin_conversation = partial(domain.begin_conversation, facts=OPEN)
visitor_writes = partial(domain.visitor_writes, facts=OPEN)
return_to_bot = partial(handovers.return_to_bot, facts=OPEN)
follow_assignment = partial(handovers.follow_assignment, facts=OPEN)


def flow(**blocks: Document) -> Document:
    """An accepted flow of these blocks that starts at `a`."""
    loaded, problems = load_flow({"start": "a", "blocks": blocks})
    assert problems == {}
    return loaded


def committed(turn: Turn) -> Document:
    """The conversation as the store would keep it."""
    turn.finish()
    return turn.conversation | {"version": turn.conversation["version"] + 1}


def begun(played: Document | None = FLOW, channel: Document = CHANNEL, facts: Facts = OPEN) -> Document:
    return committed(begin_conversation(channel, CONTACT, played, facts=facts))


def at_topic() -> Document:
    """The Acme flow has collected name and address."""
    conversation = begun()
    for number, text in enumerate(["Ann Visitor", "ann@example.org"]):
        conversation = committed(visitor_writes(conversation, FLOW, text, None, f"m{number}"))
    return conversation


def at_handover() -> Document:
    """The Acme flow has asked for an agent."""
    return committed(visitor_writes(at_topic(), FLOW, "quote", None, "m2"))


def taken() -> Document:
    """Ann has it."""
    return committed(domain.agent_writes(begun(), ANN, "Hi", "a1"))


def types(turn: Turn) -> list[str]:
    return [event.type for event in turn.finish()]


def data(turn: Turn, kind: str) -> Document:
    """The data of the turn's one event of a type."""
    (found,) = (event.data for event in turn.finish() if event.type == kind)
    return found


def assignment(
    outcome: str, agent: Document | None = None, position: int | None = None, heard: int = 99, **more: Any
) -> Document:
    """What the assignment service tells, having heard of the conversation's version `heard`."""
    assignee = agent and {"id": agent["id"], "name": agent["name"]}
    told = {"outcome": outcome, "assignee": assignee, "queue_position": position, "conversation_version": heard}
    return told | {"changed_at": to_wire(now())} | more
