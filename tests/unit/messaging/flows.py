"""Flows that several tests play, and facts that notice what is asked of them."""

from typing import Any

from services.messaging.flows.check import load_flow
from services.messaging.flows.facts import KnownFacts

ACME: dict[str, Any] = {
    "start": "hello",
    "blocks": {
        "hello": {"type": "message", "text": "Hi, I am the Acme bot.", "next": "name"},
        "name": {"type": "question", "kind": "name", "text": "What is your name?", "field": "name", "next": "email"},
        "email": {
            "type": "question",
            "kind": "email",
            "text": "And your e-mail, {name}?",
            "field": "email",
            "retry": "That does not look like an e-mail address.",
            "next": "topic",
        },
        "topic": {
            "type": "buttons",
            "text": "What is it about?",
            "field": "topic",
            "options": [
                {"label": "A quote", "value": "quote", "next": "handover"},
                {"label": "Just looking", "value": "looking", "next": "bye"},
            ],
        },
        "handover": {
            "type": "assign",
            "text": "A colleague will be right with you.",
            "strategy": "least_busy",
            "agents": None,
            "unavailable": "wait",
        },
        "bye": {"type": "close", "text": "Enjoy!"},
    },
}


# One block of every type, and a test on every subject.
EVERYTHING: dict[str, Any] = {
    "start": "hello",
    "blocks": {
        "hello": {"type": "message", "text": "Hi {name|there}!", "next": "there"},
        "there": {
            "type": "condition",
            "cases": [
                {
                    "if": {
                        "all": [
                            {"not": {"on": "agents", "is": "unavailable"}},
                            {"on": "url", "is": "contains", "value": "shop"},
                        ]
                    },
                    "next": "sales",
                },
                {"if": {"on": "business_hours", "is": "closed"}, "next": "country"},
            ],
            "else": "plan",
        },
        "sales": {"type": "assign", "team": "sales", "unavailable": "country"},
        "country": {
            "type": "condition",
            "cases": [{"if": {"on": "country", "is": "one_of", "value": ["DE", "AT"]}, "next": "german"}],
            "else": "email",
        },
        "german": {"type": "set", "field": "language", "value": "de", "next": "email"},
        "email": {
            "type": "question",
            "kind": "email",
            "text": "Your address, please?",
            "field": "email",
            "retries": 2,
            "otherwise": "plan",
            "next": "ticket",
        },
        "ticket": {"type": "ticket", "subject": "Call back {name|a visitor}", "next": "pause"},
        "pause": {"type": "delay", "seconds": 3_600, "next": "again"},
        "again": {"type": "goto", "next": "plan"},
        "plan": {
            "type": "buttons",
            "text": "Which plan?",
            "field": "plan",
            "retries": 1,
            "options": [{"label": "Gold", "value": "gold", "next": "bye"}, {"label": "None", "value": "none", "next": "email"}],
        },
        "bye": {"type": "close", "text": "Bye."},
    },
}


def accepted(start: str = "a", **blocks: Any) -> dict[str, Any]:
    """An accepted flow of these blocks."""
    loaded, problems = load_flow({"start": start, "blocks": blocks})
    assert problems == {}
    return loaded


class WatchedFacts(KnownFacts):
    """Known facts that remember what was asked of them, in order."""

    def __init__(self, **known: Any) -> None:
        super().__init__(**known)
        self.asked: list[Any] = []

    def is_open(self) -> bool:
        self.asked.append("open")
        return super().is_open()

    def country(self) -> str | None:
        self.asked.append("country")
        return super().country()

    def url(self, page: str) -> str | None:
        self.asked.append(f"{page} url")
        return super().url(page)

    def is_available(self, agents: list[str] | None, team: str | None) -> bool:
        self.asked.append((agents, team))
        return super().is_available(agents, team)
