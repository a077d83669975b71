"""The bot's part of a turn: what it says, what it collected, whom it asks for, how long it is silent; pure."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from services.common.errors import Unavailable
from services.common.logs import get_logger
from services.messaging import events
from services.messaging.flows.engine import AssignmentWanted, FlowStuck, Play
from services.messaging.turn import Turn

log = get_logger(__name__)

Document = dict[str, Any]

FALLBACK_TEXT = "A colleague will be right with you."
FLOW = {"kind": "bot", "id": None, "name": None}  # as whoever asked for an agent


def let_bot(turn: Turn, play: Callable[[], Play], *, release: bool = False) -> None:
    """Take over what the bot does; `release` when somebody has the conversation who is to give it up for whom it asks.

    Whatever goes wrong in a flow must not leave the visitor alone: a human takes over. Raises Unavailable, as nothing is wrong with
    a flow whose facts can't be read now.
    """
    try:
        played = play()
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a flow is somebody's program: its faults are not the visitor's
        _log_fault(turn, error)
        _give_up(turn, release=release)
        return
    _take_over(turn, played)
    if played.gave_up:
        _give_up(turn, silent=bool(played.says), release=release)
    elif played.assignment is not None:
        ask_for_agent(turn, played.assignment, FLOW, release=release)
    elif played.close and _may_close(turn):
        turn.archive(_speaker(turn))


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


def _take_over(turn: Turn, played: Play) -> None:
    for said in played.says:
        turn.say(_speaker(turn), said.text, choices=said.choices)
        turn.give_answer()
    turn.set(flow=turn.conversation["flow"] | {"at": played.at, "fields": played.fields, "tries": played.tries})
    for name, value in played.collected.items():
        turn.events.append(events.internal("field_collected", turn.conversation, field=name, value=value))
    for ticket in played.tickets:
        wanted = {"subject": ticket.subject, "description": ticket.description}
        turn.events.append(events.internal("ticket_wanted", turn.conversation, **wanted))
    wake_at = None if played.delay is None else turn.at + timedelta(seconds=played.delay)
    if wake_at != turn.conversation.get("wake_at"):
        turn.set(wake_at=wake_at)
        turn.tell("conversation_updated")


def _give_up(turn: Turn, *, silent: bool = False, release: bool = False) -> None:
    """Have a human take over, and say so unless something was said."""
    if not silent:
        turn.say(_speaker(turn), FALLBACK_TEXT)
    ask_for_agent(turn, AssignmentWanted(), FLOW, release=release)


def _may_close(turn: Turn) -> bool:
    """Nobody could ever write into a conversation that begins archived; outside business hours a flow may lead there at once."""
    return turn.change != "conversation_started" or turn.conversation["visitor_turns"] > 0


def _speaker(turn: Turn) -> Document:
    return {"kind": "bot", "id": None, "name": turn.conversation["channel"]["name"]}


def _log_fault(turn: Turn, error: Exception) -> None:
    flow = turn.conversation["flow"]
    known = isinstance(error, FlowStuck)
    where = {"flow_id": flow["id"], "block": flow["at"], "conversation_id": turn.conversation["_id"]}
    log.error("flow_failed", reason=f"{type(error).__name__}: {error}"[:300], exc_info=None if known else error, **where)
