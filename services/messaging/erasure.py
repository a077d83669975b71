"""What remains of a conversation whose visitor was erased; pure."""

from datetime import timedelta
from typing import Any

from services.messaging.turn import Turn

Document = dict[str, Any]

ERASED_NAME = "Erased visitor"
# Longer than any call that had begun before the erasure goes on.
LOOK_AGAIN_AFTER = timedelta(minutes=1)
SYSTEM = {"kind": "system", "id": None, "name": None}


def erase_visitor(conversation: Document) -> Turn:
    """Archived, without the visitor's name, answers and words; nothing happens to one that was emptied before.

    Ids, numbers, times and who had it stay. What a bot said last keeps its author, and the visitor's own is shown by another name.
    """
    turn = Turn(dict(conversation))
    if conversation["status"] == "open":
        turn.archive(SYSTEM)
    if conversation["contact"]["name"] != ERASED_NAME:
        turn.set(contact=conversation["contact"] | {"name": ERASED_NAME}, erased=True)
    if conversation["flow"]["fields"]:
        turn.set(flow=conversation["flow"] | {"fields": {}})
    last = conversation["last_message"]
    if last is not None and (last["preview"] or _shows_visitor(last["author"])):
        author = last["author"] | {"name": ERASED_NAME} if _shows_visitor(last["author"]) else last["author"]
        turn.set(last_message=last | {"preview": "", "author": author})
    by = conversation.get("archived_by")
    if by is not None and _shows_visitor(by):
        turn.set(archived_by=by | {"name": ERASED_NAME})
    if turn.touched:
        turn.tell("conversation_updated")
    return turn


def _shows_visitor(author: Document) -> bool:
    return bool(author["kind"] == "visitor" and author["name"] != ERASED_NAME)
