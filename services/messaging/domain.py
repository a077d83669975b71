"""What may happen to a conversation, decided on its present state; nothing here reads or writes anything.

A decision is a `Turn`: the conversation as it will be, the messages it gains and the events that tell of it. The store
commits a turn over the version it was decided on, or not at all. How the bot, the line and agents hand a conversation to each
other is in `handovers.py`.
"""

from collections.abc import Mapping
from typing import Any

from services.common.ids import new_id
from services.common.times import now, to_wire
from services.messaging import errors, events
from services.messaging.bot import ask_again, let_bot
from services.messaging.flows import engine
from services.messaging.flows.facts import Facts
from services.messaging.turn import Turn, on_open

Document = dict[str, Any]
Actor = Mapping[str, Any]
Flow = Mapping[str, Any]


def begin_conversation(channel: Document, contact: Document, flow: Flow | None, *, facts: Facts) -> Turn:
    """A contact's new conversation, in which the channel's bot speaks first."""
    turn = _begin(channel, contact)
    if flow is not None:
        _enter_at_start(turn, flow, facts)
    return turn


def visitor_begins(
    channel: Document, contact: Document, flow: Flow | None, text: str, client_message_id: str, *, facts: Facts
) -> Turn:
    """A new conversation that the visitor's message opens. It answers nothing: the bot's flow starts behind it.

    The message is `turn.messages[0]`.
    """
    turn = _begin(channel, contact)
    _say_as_visitor(turn, text, client_message_id)
    if flow is not None:
        _enter_at_start(turn, flow, facts)
    return turn


def visitor_writes(
    conversation: Document,
    flow: Flow | None,
    text: str | None,
    choice: str | None,
    client_message_id: str,
    *,
    facts: Facts,
) -> Turn:
    """The visitor's message and, while the bot has the conversation, its answer. The message is `turn.messages[0]`.

    While the bot is silent for a time, the message waits with it.
    """
    turn = Turn(on_open(conversation))
    at = conversation["flow"]["at"]
    _say_as_visitor(turn, text or _label(flow, at, choice) or choice or "", client_message_id)
    if conversation["handler"] != "bot" or conversation.get("wake_at") is not None:
        return turn
    if flow is None or at is None:
        ask_again(turn)
    elif engine.is_delayed(flow, at):  # somebody had the conversation meanwhile, so nothing would go on by itself
        let_bot(turn, lambda: engine.resume(flow, at, conversation["flow"]["fields"], facts=facts))
    else:
        fields, tries = conversation["flow"]["fields"], conversation["flow"].get("tries", 0)
        let_bot(turn, lambda: engine.answer(flow, at, fields, text or "", choice, tries=tries, facts=facts))
    return turn


def agent_writes(conversation: Document, actor: Actor, text: str, client_message_id: str) -> Turn:
    """An agent's message. Into a conversation that nobody has, it takes it, and the bot falls silent."""
    turn = Turn(on_open(conversation))
    agent = {"id": actor["id"], "name": actor["name"]}
    message = turn.say({"kind": "agent"} | agent, text, client_message_id=client_message_id)
    turn.set(unread_count=0, read_seq=message["seq"])
    answered = turn.give_answer()
    if conversation["assignee"] is None:
        turn.set(handler="agent", assignee=agent, queue=None, left_line=False)
        turn.tell_desk("conversation_taken", agent=agent)
        turn.tell("conversation_assigned")
    elif answered:
        turn.events.append(events.internal("answer_given", conversation, agent=agent))
    return turn


def bot_writes(
    conversation: Document, actor: Actor, text: str, choices: list[dict[str, str]] | None, client_message_id: str
) -> Turn:
    """A message of an external bot, which drives the conversation through an API token."""
    turn = Turn(on_open(conversation))
    turn.say(
        {"kind": "bot", "id": actor["id"], "name": actor["name"]}, text, choices=choices, client_message_id=client_message_id
    )
    # Who was told that an agent comes goes on waiting for the agent.
    if conversation["assignee"] is None and conversation["handler"] != "queue":
        turn.give_answer()
    return turn


def archive(conversation: Document, actor: Actor) -> Turn:
    """Archived; an archived one stays as it is."""
    turn = Turn(dict(conversation))
    if conversation["status"] == "open":
        turn.archive(actor)
    return turn


def reopen(conversation: Document) -> Turn:
    """Open again, for any agent to take; the bot stays silent."""
    turn = Turn(dict(conversation))
    if conversation["status"] == "archived":
        turn.set(status="open", archived_at=None, archived_by=None, handler="agent", assignee=None, queue=None)
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


def rename_contact(conversation: Document, name: str) -> Turn:
    """Show the contact's name; who was erased has none, also when a renaming comes late."""
    turn = Turn(dict(conversation))
    if name != conversation["contact"]["name"] and not conversation.get("erased"):
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


def _begin(channel: Document, contact: Document) -> Turn:
    at = now()
    flow = {"id": channel["flow_id"], "version": channel.get("flow_version"), "at": None, "tries": 0}
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
        "flow": flow | {"fields": contact.get("fields", {})},
        "wake_at": None,  # when the flow goes on behind its delay block
        "created_at": at,
        "active_at": at,
        "archived_at": None,
        "archived_by": None,
        "awaiting_answer_since": None,
        "left_line": False,  # the visitor stopped waiting for an agent: writing again asks again
    }
    turn = Turn(conversation, at=at)
    turn.tell("conversation_started")
    return turn


def _enter_at_start(turn: Turn, flow: Flow, facts: Facts) -> None:
    fields = turn.conversation["flow"]["fields"]
    let_bot(turn, lambda: engine.enter(flow, flow["start"], fields, facts=facts))


def _say_as_visitor(turn: Turn, text: str, client_message_id: str) -> None:
    conversation, contact = turn.conversation, turn.conversation["contact"]
    turn.say({"kind": "visitor", "id": contact["id"], "name": contact["name"]}, text, client_message_id=client_message_id)
    first = conversation["visitor_turns"] == 0
    turn.set(unread_count=conversation["unread_count"] + 1, visitor_turns=conversation["visitor_turns"] + 1)
    if first:
        turn.events.append(events.internal("visitor_engaged", conversation))
    if turn.await_answer() and (conversation["assignee"] is not None or conversation["handler"] == "queue"):
        turn.events.append(events.internal("answer_awaited", conversation, since=to_wire(turn.at)))


def _label(flow: Flow | None, at: str | None, choice: str | None) -> str | None:
    if flow is None or at is None or choice is None:
        return None
    options = flow["blocks"].get(at, {}).get("options", [])
    return next((option["label"] for option in options if option["value"] == choice), None)
