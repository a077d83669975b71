"""How the bot, the line and agents hand a conversation to each other, decided as in `domain.py`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.common.times import from_wire, to_wire
from services.messaging import events
from services.messaging.bot import ask_again, ask_for_agent, let_bot
from services.messaging.flows import engine
from services.messaging.flows.engine import AssignmentWanted, Play
from services.messaging.flows.facts import Facts
from services.messaging.turn import Turn, on_open

Document = dict[str, Any]
Actor = Mapping[str, Any]
Flow = Mapping[str, Any]

# Two services' clocks may differ; who is absent has been silent for much longer.
CLOCKS_APART = timedelta(seconds=10)
OUTCOMES = frozenset({"assigned", "queued", "unavailable", "unassigned", "left", "closed"})
BY_STATE = {"assigned": "assigned", "queued": "queued"}


def return_to_bot(conversation: Document, flow: Flow | None, actor: Actor, *, facts: Facts) -> Turn:
    """The bot has it again: it repeats the question it was waiting for, goes on behind a delay, or begins anew."""
    turn = Turn(on_open(conversation))
    if conversation["handler"] == "bot":
        return turn
    turn.set(handler="bot", assignee=None, queue=None, left_line=False)
    turn.tell("conversation_updated")
    if flow is not None:
        let_bot(turn, lambda: _take_up(flow, conversation["flow"], facts), release=True)
    # A flow that asks for an agent at once releases the present one with that very request, and one that closes, by the archiving.
    if turn.conversation["handler"] == "bot" and turn.conversation["status"] == "open":
        turn.tell_desk("conversation_returned", actor=dict(actor))
    return turn


def resume(conversation: Document, flow: Flow | None, *, facts: Facts) -> Turn:
    """The bot's time of silence is over: its flow goes on behind the delay block. Before that time nothing happens."""
    turn = Turn(dict(conversation))
    wake_at = conversation.get("wake_at")
    if wake_at is None or wake_at > turn.at:
        return turn
    turn.set(wake_at=None)
    turn.tell("conversation_updated")
    at, fields = conversation["flow"]["at"], conversation["flow"]["fields"]
    if flow is not None and at is not None and conversation["handler"] == "bot" and conversation["status"] == "open":
        let_bot(turn, lambda: engine.resume(flow, at, fields, facts=facts))
    return turn


def request_assignment(conversation: Document, actor: Actor, wanted: AssignmentWanted) -> Turn:
    """Ask for an agent from outside a flow. Asking for a conversation that someone has, or that waits already, changes nothing."""
    turn = Turn(on_open(conversation))
    if conversation["assignee"] is None and conversation["handler"] != "queue":
        ask_for_agent(turn, wanted, dict(actor))
    return turn


def follow_assignment(
    conversation: Document, assignment: Mapping[str, Any], version: int, flow: Flow | None, *, facts: Facts
) -> Turn:
    """Show what the assignment service decided; it owns who has a conversation."""
    turn = Turn(dict(conversation))
    turn.set(assignment_version=version)
    outcome = _outcome(assignment)
    assignment = {**assignment, "outcome": outcome}
    if conversation["status"] != "open":
        # Somebody was given it while it was being archived: said again, so that its capacity is freed again.
        if outcome in {"assigned", "queued"}:
            turn.tell("conversation_archived")
        return turn
    if assignment["conversation_version"] < conversation["desk_version"]:
        return turn  # decided before the desk heard what happened since; it will tell again
    _show(turn, assignment)
    if outcome == "assigned":
        _tell_who_waits(turn, conversation)
    elif outcome in {"unavailable", "left"}:
        _let_flow_go_on(turn, conversation, assignment, flow, facts)
    return turn


def _outcome(assignment: Mapping[str, Any]) -> str:
    """What came of it; a word that only a later version knows is read by the state that it led to."""
    outcome: str = assignment["outcome"]
    return outcome if outcome in OUTCOMES else BY_STATE.get(assignment["state"], "unassigned")


def _take_up(flow: Flow, place: Mapping[str, Any], facts: Facts) -> Play:
    at, fields = place["at"], place["fields"]
    if engine.is_delayed(flow, at):
        return engine.resume(flow, at, fields, facts=facts)
    return engine.enter(flow, at if engine.expects_answer(flow, at) else flow["start"], fields, facts=facts)


def _show(turn: Turn, assignment: Mapping[str, Any]) -> None:
    before = _holding(turn.conversation)
    outcome = assignment["outcome"]
    turn.set(left_line=outcome == "left")
    if outcome == "assigned":
        turn.set(handler="agent", assignee=assignment["assignee"], queue=None)
    elif outcome == "queued":
        place = {
            "position": assignment["queue_position"],
            "estimated_wait_seconds": assignment.get("estimated_wait_seconds"),
        }
        turn.set(handler="queue", assignee=None, queue=place)
    elif outcome in {"unavailable", "left"}:
        turn.set(handler="bot", assignee=None, queue=None)
    elif turn.conversation["handler"] != "bot":
        turn.set(handler="agent", assignee=None, queue=None)
    if before != _holding(turn.conversation):
        turn.tell("conversation_assigned" if outcome == "assigned" else "conversation_updated")


def _holding(conversation: Document) -> tuple[Any, ...]:
    return conversation["handler"], conversation["assignee"], conversation["queue"]


def _tell_who_waits(turn: Turn, before: Document) -> None:
    """Whoever gets by hand what never asked for an agent is awaited by a visitor of whom the desk has not heard.

    In line the desk has heard: by the request, or by `answer_awaited`.
    """
    since = before.get("awaiting_answer_since")
    if since is not None and before["handler"] != "queue" and before["assignee"] != turn.conversation["assignee"]:
        turn.events.append(events.internal("answer_awaited", before, since=to_wire(since)))


def _let_flow_go_on(turn: Turn, before: Document, assignment: Mapping[str, Any], flow: Flow | None, facts: Facts) -> None:
    at, fields = before["flow"]["at"], before["flow"]["fields"]
    if assignment["outcome"] == "unavailable":
        if flow is not None:
            block = _unavailable_block(flow, at)
            let_bot(turn, lambda: engine.enter(flow, block, fields, facts=facts))
    elif not _is_back(before, assignment):
        return
    elif flow is None or at is None:
        ask_again(turn)
    elif engine.waits_for_agent(flow, at):
        let_bot(turn, lambda: engine.enter(flow, at, fields, facts=facts))
    else:  # a question, which a wrong answer may have led here from, or a delay that nobody counts any more
        let_bot(turn, lambda: _take_up(flow, before["flow"], facts))


def _unavailable_block(flow: Flow, at: str | None) -> str | None:
    block = flow["blocks"].get(at, {}) if at is not None else {}
    unavailable: str = block.get("unavailable", "wait")
    return None if unavailable == "wait" else unavailable


def _is_back(conversation: Document, assignment: Mapping[str, Any]) -> bool:
    """Whether a visitor who was believed absent wrote before that was heard of: the message would otherwise get no answer."""
    last, decision = conversation["last_message"], assignment.get("decision") or {}
    if decision.get("rule") != "visitor_absent" or last is None or last["author"]["kind"] != "visitor":
        return False
    return bool(last["created_at"] > from_wire(assignment["changed_at"]) - CLOCKS_APART)
