"""What may happen to a conversation, decided on its present state; nothing here reads or writes anything.

A decision is a `Turn`: the conversation as it will be, the messages it gains and the events that tell of it. The store
commits a turn over the version it was decided on, or not at all.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.ids import new_id
from services.common.times import now
from services.messaging import errors, events
from services.messaging.flows import engine
from services.messaging.flows.engine import FlowStuck, Play
from services.messaging.turn import Turn

Document = dict[str, Any]
Actor = Mapping[str, Any]
Flow = Mapping[str, Any]

FALLBACK_TEXT = "A colleague will be right with you."


def begin_conversation(channel: Document, contact: Document, flow: Flow | None) -> Turn:
    """A contact's new conversation, in which the channel's bot speaks first."""
    at = now()
    conversation: Document = {
        "_id": new_id(),
        "version": 0,
        "status": "open",
        "handler": "bot",
        "contact": {"id": contact["_id"], "name": contact["name"]},
        "channel": {"id": channel["_id"], "name": channel["name"], "kind": channel["kind"]},
        "assignee": None,
        "assignment_version": 0,
        "desk_version": 0,
        "queue": None,
        "last_message": None,
        "last_seq": 0,
        "unread_count": 0,
        "read_seq": 0,
        "visitor_read_seq": 0,
        "visitor_turns": 0,
        "flow": {"id": channel["flow_id"], "at": None, "fields": contact.get("fields", {})},
        "created_at": at,
        "active_at": at,
        "archived_at": None,
    }
    turn = Turn(conversation, at=at)
    turn.tell("conversation_started")
    if flow is not None:
        _let_bot(turn, lambda: engine.enter(flow, flow["start"], conversation["flow"]["fields"]))
    return turn


def visitor_writes(
    conversation: Document, flow: Flow | None, text: str | None, choice: str | None, client_message_id: str
) -> Turn:
    """The visitor's message and, while the bot has the conversation, its answer. The message is `turn.messages[0]`."""
    turn = Turn(_open(conversation))
    contact = conversation["contact"]
    author = {"kind": "visitor", "id": contact["id"], "name": contact["name"]}
    at = conversation["flow"]["at"]
    shown = text or _label(flow, at, choice) or choice or ""
    turn.say(author, shown, client_message_id=client_message_id)
    turn.set(unread_count=conversation["unread_count"] + 1, visitor_turns=conversation["visitor_turns"] + 1)
    if conversation["visitor_turns"] == 0:
        turn.events.append(events.internal("visitor_engaged", conversation))
    if conversation["handler"] == "bot" and flow is not None and at is not None:
        _let_bot(turn, lambda: engine.answer(flow, at, conversation["flow"]["fields"], text or "", choice))
    return turn


def agent_writes(conversation: Document, actor: Actor, text: str, client_message_id: str) -> Turn:
    """An agent's message. Into a conversation that nobody has, it takes it, and the bot falls silent."""
    turn = Turn(_open(conversation))
    author = {"kind": "agent", "id": actor["id"], "name": actor["name"]}
    message = turn.say(author, text, client_message_id=client_message_id)
    turn.set(unread_count=0, read_seq=message["seq"])
    if conversation["assignee"] is None:
        agent = {"id": actor["id"], "name": actor["name"]}
        turn.set(handler="agent", assignee=agent, queue=None)
        turn.tell_desk("conversation_taken", agent=agent)
        turn.tell("conversation_assigned")
    return turn


def bot_writes(
    conversation: Document, actor: Actor, text: str, choices: list[dict[str, str]] | None, client_message_id: str
) -> Turn:
    """A message of an external bot, which drives the conversation through an API token."""
    turn = Turn(_open(conversation))
    turn.say(
        {"kind": "bot", "id": actor["id"], "name": actor["name"]}, text, choices=choices, client_message_id=client_message_id
    )
    return turn


def archive(conversation: Document) -> Turn:
    """Archived; an archived one stays as it is."""
    turn = Turn(dict(conversation))
    if conversation["status"] == "open":
        turn.set(status="archived", archived_at=turn.at, queue=None)
        turn.tell("conversation_archived")
    return turn


def reopen(conversation: Document) -> Turn:
    """Open again, for any agent to take; the bot stays silent."""
    turn = Turn(dict(conversation))
    if conversation["status"] == "archived":
        turn.set(status="open", archived_at=None, handler="agent", assignee=None, queue=None)
        turn.tell("conversation_updated")
    return turn


def mark_read(conversation: Document, side: str, seq: int, unread_count: int) -> Turn:
    """Move a side's read marker forward; `unread_count` is what remains for the agents' side."""
    turn = Turn(dict(conversation))
    marker = "visitor_read_seq" if side == "visitor" else "read_seq"
    seq = min(seq, conversation["last_seq"])
    if seq > conversation[marker]:
        turn.set(**{marker: seq})
        if side != "visitor":
            turn.set(unread_count=unread_count)
        turn.tell("conversation_updated")
    return turn


def return_to_bot(conversation: Document, flow: Flow | None, actor: Actor) -> Turn:
    """The bot has it again: it repeats the question it was waiting for, or begins anew."""
    turn = Turn(_open(conversation))
    if conversation["handler"] == "bot":
        return turn
    turn.set(handler="bot", assignee=None, queue=None)
    turn.tell("conversation_updated")
    if flow is not None:
        at = conversation["flow"]["at"]
        block = at if engine.expects_answer(flow, at) else flow["start"]
        _let_bot(turn, lambda: engine.enter(flow, block, conversation["flow"]["fields"]), release=True)
    # A flow that asks for an agent at once releases the present one with that very request.
    if turn.conversation["handler"] == "bot":
        turn.tell_desk("conversation_returned", actor=dict(actor))
    return turn


def request_assignment(conversation: Document, actor: Actor, strategy: str | None, agents: list[str] | None) -> Turn:
    """Ask for an agent from outside a flow. Asking for a conversation that someone has, or that waits already, changes nothing."""
    turn = Turn(_open(conversation))
    if conversation["assignee"] is None and conversation["handler"] != "queue":
        _ask_for_agent(turn, strategy or "least_busy", agents, "wait", dict(actor))
    return turn


def follow_assignment(conversation: Document, assignment: Mapping[str, Any], version: int, flow: Flow | None) -> Turn:
    """Show what the assignment service decided; it owns who has a conversation."""
    turn = Turn(dict(conversation))
    turn.set(assignment_version=version)
    outcome, assignee = assignment["outcome"], assignment["assignee"]
    if conversation["status"] != "open":
        # Somebody was given it while it was being archived: said again, so that its capacity is freed again.
        if outcome in {"assigned", "queued"}:
            turn.tell("conversation_archived")
        return turn
    if assignment["conversation_version"] < conversation["desk_version"]:
        return turn  # decided before the desk heard what happened since; it will tell again
    before = (conversation["handler"], conversation["assignee"], conversation["queue"])
    if outcome == "assigned":
        turn.set(handler="agent", assignee=assignee, queue=None)
    elif outcome == "queued":
        turn.set(handler="queue", assignee=None, queue={"position": assignment["queue_position"], "estimated_wait_seconds": None})
    elif outcome == "unavailable":
        turn.set(handler="bot", assignee=None, queue=None)
    elif conversation["handler"] != "bot":
        turn.set(handler="agent", assignee=None, queue=None)
    if before != (turn.conversation["handler"], turn.conversation["assignee"], turn.conversation["queue"]):
        turn.tell("conversation_assigned" if outcome == "assigned" else "conversation_updated")
    if outcome == "unavailable" and flow is not None:
        block = _unavailable_block(flow, conversation["flow"]["at"])
        _let_bot(turn, lambda: engine.enter(flow, block, conversation["flow"]["fields"]))
    return turn


def rename_contact(conversation: Document, name: str) -> Turn:
    """Show the contact's name."""
    turn = Turn(dict(conversation))
    if name != conversation["contact"]["name"]:
        turn.set(contact=conversation["contact"] | {"name": name})
        turn.tell("conversation_updated")
    return turn


def is_repeat(message: Document, author_kind: str, author_id: str | None, text: str | None, choice: str | None = None) -> bool:
    """Whether a message is what a post with its client_message_id would say again."""
    same_author = (message["author"]["kind"], message["author"]["id"]) == (author_kind, author_id)
    # A pressed button's text is its label, which a repeat doesn't carry.
    return bool(same_author and (choice is not None or message["text"] == text))


def check_repeat(
    message: Document, author_kind: str, author_id: str | None, text: str | None, choice: str | None = None
) -> Document:
    """The message of a repeated client_message_id. Raises Invalid when the repeat says something else."""
    if not is_repeat(message, author_kind, author_id, text, choice):
        raise errors.client_message_id_reused()
    return message


def _open(conversation: Document) -> Document:
    if conversation["status"] != "open":
        raise errors.conversation_archived(conversation["_id"])
    return dict(conversation)


def _let_bot(turn: Turn, play: Callable[[], Play], *, release: bool = False) -> None:
    try:
        played = play()
    except FlowStuck:
        # A broken flow must not leave the visitor alone.
        turn.say(_bot(turn.conversation), FALLBACK_TEXT)
        _ask_for_agent(turn, "least_busy", None, "wait", {"kind": "bot", "id": None, "name": None}, release=release)
        return
    for said in played.says:
        turn.say(_bot(turn.conversation), said.text, choices=said.choices)
    turn.set(flow=turn.conversation["flow"] | {"at": played.at, "fields": played.fields})
    for name, value in played.collected.items():
        turn.events.append(events.internal("field_collected", turn.conversation, field=name, value=value))
    if played.assignment is not None:
        wanted = played.assignment
        actor = {"kind": "bot", "id": None, "name": None}
        _ask_for_agent(turn, wanted.strategy, wanted.agents, wanted.unavailable, actor, release=release)
    if played.close:
        turn.set(status="archived", archived_at=turn.at)
        turn.tell("conversation_archived")


def _ask_for_agent(
    turn: Turn, strategy: str, agents: list[str] | None, unavailable: str, actor: Document, *, release: bool = False
) -> None:
    turn.set(handler="queue")
    turn.tell("conversation_updated")
    turn.tell_desk(
        "assignment_requested",
        strategy=strategy,
        agents=agents,
        unavailable=unavailable,
        requested_by=actor,
        release=release,
    )


def _bot(conversation: Document) -> Document:
    return {"kind": "bot", "id": None, "name": conversation["channel"]["name"]}


def _label(flow: Flow | None, at: str | None, choice: str | None) -> str | None:
    if flow is None or at is None or choice is None:
        return None
    options = flow["blocks"].get(at, {}).get("options", [])
    return next((option["label"] for option in options if option["value"] == choice), None)


def _unavailable_block(flow: Flow, at: str | None) -> str | None:
    block = flow["blocks"].get(at, {}) if at is not None else {}
    unavailable = block.get("unavailable", "wait")
    return None if unavailable == "wait" else unavailable
