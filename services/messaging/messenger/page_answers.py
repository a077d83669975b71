"""What the page's own people answer on Facebook, kept in the conversation as an agent's word; pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.messaging import events
from services.messaging.messenger import delivery
from services.messaging.turn import Turn, on_open

Document = dict[str, Any]

AUTHOR = {"kind": "agent", "id": None, "name": "Facebook"}


def page_answers(conversation: Mapping[str, Any], text: str, client_message_id: str, sent_at: datetime) -> Turn:
    """The visitor has an answer and all of it was read there; who has the conversation stays. Raises CONVERSATION_ARCHIVED."""
    turn = Turn(on_open(dict(conversation)))
    said = turn.say(AUTHOR, text, client_message_id=client_message_id, delivery=delivery.state("sent", sent_at))
    turn.set(unread_count=0, read_seq=said["seq"])
    if turn.give_answer() and (assignee := conversation["assignee"]) is not None:
        # Nobody is to lose the conversation for an answer that its visitor has.
        turn.events.append(events.internal("answer_given", turn.conversation, agent=assignee))
    return turn
