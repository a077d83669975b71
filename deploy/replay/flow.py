"""The bot flow of a replay's channel, and the questions that its visitors wait for."""

from typing import Any

NAME_QUESTION = "What is your name?"
EMAIL_QUESTION = "And your e-mail address?"


def build_flow(agent_ids: list[str]) -> dict[str, Any]:
    """Greet, ask name and e-mail, then assign to one of these agents: never to someone who happens to be signed in."""
    return {
        "start": "hello",
        "blocks": {
            "hello": {"type": "message", "text": "Hello, this is the shop's bot.", "next": "name"},
            "name": {"type": "question", "kind": "name", "text": NAME_QUESTION, "field": "name", "next": "email"},
            "email": {
                "type": "question",
                "kind": "email",
                "text": EMAIL_QUESTION,
                "field": "email",
                "retry": "That does not look like an e-mail address.",
                "next": "handover",
            },
            "handover": {
                "type": "assign",
                "text": "A colleague will be right with you.",
                "strategy": "least_busy",
                "agents": agent_ids,
                "unavailable": "wait",
            },
        },
    }
