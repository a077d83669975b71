"""A turn: what one decision does to one conversation. Built by the domain, committed by the store; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.common.envelope import NewEvent
from services.common.ids import new_id
from services.common.times import now, to_wire
from services.messaging import errors, events, views

Document = dict[str, Any]


@dataclass
class Turn:
    """One decision about one conversation."""

    conversation: Document
    at: datetime = field(default_factory=now)
    messages: list[Document] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    change: str | None = None  # the event that tells of the conversation's own change

    @property
    def changes(self) -> Document:
        """The fields that the store has to write."""
        return {name: self.conversation[name] for name in self.touched}

    def set(self, **values: Any) -> None:
        """Change fields of the conversation. A bot that doesn't have it any more is not waited for."""
        self.conversation.update(values)
        self.touched.update(values)
        silent = values.get("handler", "bot") != "bot" or values.get("status", "open") != "open"
        if silent and self.conversation.get("wake_at") is not None:
            self.set(wake_at=None)

    def tell(self, change: str) -> None:
        """Have the conversation's change told, by its most telling name."""
        if self.change in {None, "conversation_updated"}:
            self.change = change

    def tell_desk(self, kind: str, **data: Any) -> None:
        """Have the assignment service told; what it decided before it heard of this is not shown any more."""
        self.events.append(events.internal(kind, self.conversation, **data))
        self.set(desk_version=self.conversation["version"] + 1)

    def say(
        self,
        author: Document,
        text: str,
        *,
        choices: list[dict[str, str]] | None = None,
        client_message_id: str | None = None,
        delivery: Document | None = None,
    ) -> Document:
        """Add a message with the next number.

        On a channel whose visitors are reached from outside, what is said to them is queued, unless `delivery` knows better.
        """
        conversation = self.conversation
        message = {
            "_id": new_id(),
            "conversation_id": conversation["_id"],
            "seq": conversation["last_seq"] + 1,
            "author": author,
            "text": text,
            "choices": choices,
            "created_at": to_wire(self.at),
            "client_message_id": client_message_id,
            "delivery": delivery or self._queued(author),
        }
        last = {"seq": message["seq"], "author": author, "preview": views.preview(text), "created_at": self.at}
        self.set(last_seq=message["seq"], last_message=last, active_at=self.at)
        self.messages.append(message)
        self.events.append(events.message_posted(message, conversation["contact"]["id"]))
        return message

    def _queued(self, author: Document) -> Document | None:
        sent_out = self.conversation["channel"]["kind"] != "web" and author["kind"] in {"bot", "agent"}
        return {"state": "queued", "at": to_wire(self.at), "reason": None} if sent_out else None

    def await_answer(self) -> bool:
        """The visitor waits for an answer from now on. Returns False when it has been waiting already."""
        if self.conversation.get("awaiting_answer_since") is not None:
            return False
        self.set(awaiting_answer_since=self.at)
        return True

    def give_answer(self) -> bool:
        """The visitor has an answer. Returns whether it was waiting for one."""
        if self.conversation.get("awaiting_answer_since") is None:
            return False
        self.set(awaiting_answer_since=None)
        return True

    def archive(self, actor: Mapping[str, Any]) -> None:
        """Archived by somebody; nobody waits any more."""
        by = {name: actor.get(name) for name in ("kind", "id", "name")}
        self.set(status="archived", archived_at=self.at, archived_by=by, queue=None, awaiting_answer_since=None)
        self.tell("conversation_archived")

    def finish(self) -> list[NewEvent]:
        """All events in order. The conversation's own comes first when it begins, else last, with the resulting state.

        One that begins and ends with the same turn, which only a visitor who writes first can cause, tells both.
        """
        if self.change is None:
            return self.events
        if self.change != "conversation_started":
            return [*self.events, self._told(self.change)]
        ended = [self._told("conversation_archived")] if self.conversation["status"] == "archived" else []
        return [self._told(self.change), *self.events, *ended]

    def _told(self, change: str) -> NewEvent:
        return events.conversation_changed(change, self.conversation | {"version": self.conversation["version"] + 1})


def on_open(conversation: Document) -> Document:
    """A copy to be changed. Raises CONVERSATION_ARCHIVED."""
    if conversation["status"] != "open":
        raise errors.conversation_archived(conversation["_id"])
    return dict(conversation)
