"""A dialogue's book without a fault, for the tests to put one fault into."""

from typing import Any

from deploy.replay.dialogues import Dialogue, Turn
from deploy.replay.inbox import Arrival
from deploy.replay.ledger import Posted, Record

VISITOR, AGENT = "the visitor", "the agent Replay 1"
_SAID = [
    ("bot", "Your name?"),
    ("visitor", "Ada"),
    ("bot", "Your e-mail?"),
    ("visitor", "ada@example.com"),
    ("bot", "One moment."),
    ("visitor", "Where is my parcel?"),
    ("agent", "On its way."),
    ("agent", "Tomorrow, they say."),
    ("visitor", "Thanks"),
    ("system", "archived"),
]
ANSWERS, TURNS = (2, 4), (6, 7, 8, 9)


def message(seq: int) -> dict[str, Any]:
    kind, text = _SAID[seq - 1]
    client_message_id = f"c{seq}" if kind in ("visitor", "agent") else None
    return {"id": f"m{seq}", "seq": seq, "author": {"kind": kind}, "text": text, "client_message_id": client_message_id}


def shown(seq: int, at: float = 0.0, **changes: Any) -> Arrival:
    return Arrival(f"3-{seq}", "message.created", {**message(seq), "conversation_id": "conv", **changes}, at)


def archived(event_id: str = "3-99") -> Arrival:
    return Arrival(event_id, "conversation.archived", {"id": "conv", "status": "archived"}, 0.0)


def posted(seq: int) -> Posted:
    side, text = _SAID[seq - 1]
    assert side in ("visitor", "agent")
    turn = Turn("visitor" if side == "visitor" else "agent", text)
    return Posted(turn, f"m{seq}", seq, f"c{seq}", AGENT if side == "visitor" else VISITOR, at=float(seq))


def sound_record() -> Record:
    """Ten messages, all stored; the visitor's stream began after the first one, the agent's before."""
    assigned = Arrival("3-50", "conversation.assigned", {"id": "conv", "handler": "agent"}, 0.0)
    return Record(
        Dialogue("parcel", tuple(posted(seq).turn for seq in TURNS)),
        conversation_id="conv",
        answers=[posted(seq) for seq in ANSWERS],
        turns=[posted(seq) for seq in TURNS],
        stored=[message(seq) for seq in range(1, 11)],
        seen={
            VISITOR: [*(shown(seq, at=seq + 0.5) for seq in range(2, 11)), assigned, archived()],
            AGENT: [*(shown(seq, at=seq + 0.25) for seq in range(1, 11)), assigned, archived()],
        },
        fetched={VISITOR: 1},
        finished=True,
    )
