"""A turn: what one decision does to one conversation. Built by the domain, committed by the store; pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.common.envelope import NewEvent
from services.common.ids import new_id
from services.common.times import now, to_wire
from services.messaging import events, views

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
        """Change fields of the conversation."""
        self.conversation.update(values)
        self.touched.update(values)

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
    ) -> Document:
        """Add a message with the next number."""
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
            "delivery": None,
        }
        last = {"seq": message["seq"], "author": author, "preview": views.preview(text), "created_at": self.at}
        self.set(last_seq=message["seq"], last_message=last, active_at=self.at)
        self.messages.append(message)
        self.events.append(events.message_posted(message, conversation["contact"]["id"]))
        return message

    def finish(self) -> list[NewEvent]:
        """All events in order. The conversation's own comes first when it begins, else last, with the resulting state."""
        if self.change is None:
            return self.events
        told = events.conversation_changed(self.change, self.conversation | {"version": self.conversation["version"] + 1})
        return [told, *self.events] if self.change == "conversation_started" else [*self.events, told]
