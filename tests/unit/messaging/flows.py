"""Flows that several tests play."""

from typing import Any

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
