"""When Facebook allows to write: within 24 hours of the visitor's last message, agents with leave to do so within 7 days; pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

STANDARD = timedelta(hours=24)
HUMAN_AGENT = timedelta(days=7)
OUTSIDE_WINDOW = {
    "code": "OUTSIDE_WINDOW",
    "message": "Facebook lets a page write only within 24 hours of the visitor's last message.",
}


class Envelope(NamedTuple):
    """How a send is declared to Facebook."""

    messaging_type: str
    tag: str | None = None


def declare(last_visitor_at: datetime | None, author_kind: str, at: datetime, *, human_agent_tag: bool) -> Envelope | None:
    """How to declare a message that an author sends at a moment; None when it may not be sent.

    `human_agent_tag` says that the page has Facebook's leave to answer by humans for 7 days.
    """
    if last_visitor_at is None:
        return None
    silent = at - last_visitor_at
    if silent <= STANDARD:
        return Envelope("RESPONSE")
    if author_kind == "agent" and human_agent_tag and silent <= HUMAN_AGENT:
        return Envelope("MESSAGE_TAG", "HUMAN_AGENT")
    return None
