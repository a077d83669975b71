"""What the channels' bots ask, and how the visitors answer. Every question is asked once in a conversation, so a repeated one shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HANDOVER: dict[str, Any] = {"type": "assign", "text": "A colleague will be right with you."}

SHOP: dict[str, Any] = {
    "start": "hello",
    "blocks": {
        "hello": {"type": "message", "text": "Hello, I am the shop's bot.", "next": "name"},
        "name": {"type": "question", "kind": "name", "text": "What is your name?", "field": "name", "next": "email"},
        "email": {"type": "question", "kind": "email", "text": "And your e-mail address?", "field": "email", "next": "topic"},
        "topic": {
            "type": "buttons",
            "text": "What is it about?",
            "field": "topic",
            "options": [
                {"label": "A quote", "value": "quote", "next": "handover"},
                {"label": "An order", "value": "order", "next": "handover"},
            ],
        },
        "handover": HANDOVER,
    },
}

# With a delay, which a timer of messaging has to end.
DESK: dict[str, Any] = {
    "start": "wish",
    "blocks": {
        "wish": {"type": "question", "kind": "name", "text": "Who are you, please?", "field": "name", "next": "moment"},
        "moment": {"type": "message", "text": "One moment.", "next": "pause"},
        "pause": {"type": "delay", "seconds": 1, "next": "detail"},
        "detail": {"type": "question", "kind": "text", "text": "How can we help?", "field": "detail", "next": "handover"},
        "handover": HANDOVER,
    },
}


@dataclass(frozen=True)
class Step:
    """One answer of a visitor: what the bot asks before it, the field that it fills on the profile, or the button it presses."""

    question: str
    field: str = ""
    choice: str = ""

    def answer(self, number: int) -> str:
        """A text that nobody else says."""
        return f"visitor{number}@example.org" if self.field == "email" else f"Visitor {number}"


@dataclass(frozen=True)
class Script:
    """A channel's flow, and the way through it."""

    name: str
    flow: dict[str, Any]
    steps: Sequence[Step]


SCRIPTS = (
    Script(
        "Shop",
        SHOP,
        (
            Step("What is your name?", "name"),
            Step("And your e-mail address?", "email"),
            Step("What is it about?", choice="quote"),
        ),
    ),
    Script("Desk", DESK, (Step("Who are you, please?", "name"), Step("How can we help?"))),
)
