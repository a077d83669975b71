"""How far a message has come on its way to the visitor: queued, sent, delivered, read, or failed; pure.

A state only moves forward. Failed is behind sent: should Facebook tell later that the message arrived after all, that is shown.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.common.times import to_wire

Delivery = dict[str, Any]

RANK = {"queued": 0, "failed": 1, "sent": 2, "delivered": 3, "read": 4}


def state(name: str, at: datetime, reason: Mapping[str, str] | None = None) -> Delivery:
    """A state as a message shows it."""
    return {"state": name, "at": to_wire(at), "reason": None if reason is None else dict(reason)}


def advance(present: Delivery, new: Delivery) -> Delivery | None:
    """The new state where it is further than the present one, or tells another reason for the same; else None."""
    ahead = RANK[new["state"]] - RANK[present["state"]]
    if ahead > 0 or (ahead == 0 and new["state"] == "queued" and new["reason"] != present["reason"]):
        return new
    return None


def marked(parts: list[Mapping[str, Any]], marks: Mapping[str, Any]) -> Delivery | None:
    """What a visitor's marks say of a message that was sent in these parts (`{mid, at}`): read, delivered, or nothing yet.

    `marks` are the thread's: `read_until` and `delivered_until`, watermarks in milliseconds, and `mids` that were delivered. A watermark
    speaks for all that was sent at or before it. The message has arrived when its last part has.
    """
    last = parts[-1]
    if last["at"] <= marks.get("read_until", 0):
        return state("read", moment(marks["read_until"]))
    if last["at"] <= marks.get("delivered_until", 0) or last["mid"] in marks.get("mids", ()):
        return state("delivered", moment(max(marks.get("delivered_until", 0), last["at"])))
    return None


def moment(milliseconds: int) -> datetime:
    """Facebook's time as ours."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def milliseconds(at: datetime) -> int:
    """Our time as Facebook's."""
    return int(at.timestamp() * 1000)
