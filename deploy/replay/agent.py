"""An agent as a console plays one: signed in, one event stream, answering what is assigned to them."""

import threading
import time
from typing import Any
from uuid import uuid4

from deploy.replay.account import Account
from deploy.replay.client import Clock
from deploy.replay.dialogues import Turn
from deploy.replay.errors import OutOfTime, Stopped
from deploy.replay.inbox import Arrival, Inbox
from deploy.replay.ledger import Posted
from deploy.replay.stream import Stream

# Small enough that a longer dialogue's transcript needs several pages.
PAGE = 20


class Desk:
    """Who of the agents has which conversation, as each one's own stream told."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._holders: dict[str, Agent] = {}
        self._changed = threading.Condition()

    def give(self, conversation_id: str, agent: "Agent") -> None:
        """The conversation is this agent's now."""
        with self._changed:
            self._holders[conversation_id] = agent
            self._changed.notify_all()

    def holder(self, conversation_id: str, timeout: float) -> "Agent":
        """The agent who has the conversation; waits for one to get it. Raises OutOfTime, Stopped."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while conversation_id not in self._holders:
                if self._stop.is_set():
                    raise Stopped
                if time.monotonic() >= deadline:
                    raise OutOfTime(f"no agent saw the conversation assigned to them within {timeout:g} s")
                self._changed.wait(0.5)
            return self._holders[conversation_id]


class Agent:
    """One replay agent; `name` is how the report calls their stream."""

    def __init__(self, account: Account, desk: Desk) -> None:
        self.account = account
        self.id: str = account.agent["id"]
        self.name = f"the agent {account.agent['name']}"
        self.inbox = Inbox(self.name, account.gateway.stop)
        self._desk = desk
        self.stream = Stream(
            account.gateway,
            "/v1/events",
            self.inbox,
            token=lambda: account.access_token,
            renew=account.renew,
            on_arrival=self._notice,
        )

    def begin(self) -> None:
        """Open the stream, which makes the agent connected, and be available."""
        self.stream.open(self.account.gateway.timeout)
        self.account.call("PATCH", "/v1/agents/me", {"availability": "available"})

    def say(self, conversation_id: str, text: str, reader: str) -> Posted:
        """Post one turn that `reader` is to see; returns when the gateway has accepted it."""
        client_message_id = uuid4().hex
        clock = Clock()
        message = self.account.call(
            "POST",
            f"/v1/conversations/{conversation_id}/messages",
            {"text": text, "client_message_id": client_message_id},
            clock=clock,
        )
        return Posted(Turn("agent", text), message["id"], message["seq"], client_message_id, reader, clock.at)

    def archive(self, conversation_id: str) -> None:
        """Close the conversation, which frees the agent's capacity."""
        self.account.call("PATCH", f"/v1/conversations/{conversation_id}", {"status": "archived"})

    def read_transcript(self, conversation_id: str) -> list[dict[str, Any]]:
        """Every stored message, page by page from the first."""
        messages: list[dict[str, Any]] = []
        while True:
            after = messages[-1]["seq"] if messages else 0
            page = self.account.call("GET", f"/v1/conversations/{conversation_id}/messages?after_seq={after}&limit={PAGE}")
            messages += page["items"]
            if len(page["items"]) < PAGE:
                return messages

    def _notice(self, arrival: Arrival) -> None:
        if arrival.name.startswith("conversation.") and (arrival.data.get("assignee") or {}).get("id") == self.id:
            self._desk.give(arrival.data["id"], self)
