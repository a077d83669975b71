"""The bot's part of a turn: what it says, what it collected, whom it asks for; pure."""

from collections.abc import Callable
from typing import Any

from services.messaging import events
from services.messaging.flows.engine import AssignmentWanted, FlowStuck, Play
from services.messaging.turn import Turn

Document = dict[str, Any]

FALLBACK_TEXT = "A colleague will be right with you."
FLOW = {"kind": "bot", "id": None, "name": None}  # as whoever asked for an agent


def let_bot(turn: Turn, play: Callable[[], Play], *, release: bool = False) -> None:
    """Take over what the bot does; `release` when somebody has the conversation who is to give it up for whom it asks."""
    speaker = {"kind": "bot", "id": None, "name": turn.conversation["channel"]["name"]}
    try:
        played = play()
    except FlowStuck:
        # A broken flow must not leave the visitor alone.
        turn.say(speaker, FALLBACK_TEXT)
        ask_for_agent(turn, AssignmentWanted(), FLOW, release=release)
        return
    for said in played.says:
        turn.say(speaker, said.text, choices=said.choices)
        turn.give_answer()
    turn.set(flow=turn.conversation["flow"] | {"at": played.at, "fields": played.fields})
    for name, value in played.collected.items():
        turn.events.append(events.internal("field_collected", turn.conversation, field=name, value=value))
    if played.assignment is not None:
        ask_for_agent(turn, played.assignment, FLOW, release=release)
    # Nobody could ever write into a conversation that begins archived; outside business hours a flow may lead there at once.
    if played.close and turn.change != "conversation_started":
        turn.archive(speaker)


def ask_for_agent(turn: Turn, wanted: AssignmentWanted, actor: Document, *, release: bool = False) -> None:
    """Have the assignment service find somebody; until then the visitor waits."""
    turn.await_answer()
    turn.set(handler="queue", left_line=False)
    turn.tell("conversation_updated")
    turn.tell_desk(
        "assignment_requested",
        strategy=wanted.strategy,
        agents=wanted.agents,
        team_id=wanted.team,
        priority=wanted.priority,
        unavailable=wanted.unavailable,
        requested_by=actor,
        release=release,
    )


def ask_again(turn: Turn) -> None:
    """Ask for an agent if the visitor had left the line: for who writes where no flow goes on."""
    if turn.conversation.get("left_line"):
        contact = turn.conversation["contact"]
        ask_for_agent(turn, AssignmentWanted(), {"kind": "visitor", "id": contact["id"], "name": contact["name"]})
