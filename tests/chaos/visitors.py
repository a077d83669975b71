"""A visitor: opens a session, goes through the bot's flow, talks to whoever answers, and comes again after the end."""

import random
import sys
from typing import Any

from services.common.ids import new_id
from tests.chaos.clients import Caller, Refused
from tests.chaos.history import Said, Visit
from tests.chaos.numbering import Numbering
from tests.chaos.scripts import Script
from tests.chaos.streams import Stream

OVER = sys.maxsize  # whatever number its last message has
COMES_BY_SESSION = 0.5  # else by writing, which opens a conversation as well


class Visitor:
    """`act` does the next thing that a visitor would do; one thread at a time."""

    def __init__(self, caller: Caller, numbers: Numbering, channel_id: str, script: Script, name: str) -> None:
        self.name = name
        self.conversation_id = ""
        self.contact_id = ""
        self._caller = caller
        self._history = caller.history
        self._numbers = numbers
        self._channel_id = channel_id
        self._script = script
        self._token = ""
        self._step = 0
        self._archived = False
        self._heard: dict[str, set[str]] = {}  # what the bot has said, by conversation
        self._stream: Stream | None = None

    def act(self) -> None:
        """One thing."""
        if self._stream is None:
            self._arrive()
        elif self._archived and random.random() < COMES_BY_SESSION:
            self._open_session()
        elif self._archived or self._step >= len(self._script.steps):
            self._say(f"{self.name} says {self._numbers.next()}")
        else:
            self._answer_bot()

    def leave(self) -> None:
        """Close the page."""
        if self._stream is not None:
            self._stream.close()

    def _arrive(self) -> None:
        if not self._token:
            self._open_session()
        seen = self._history.open_stream(self.name, self.contact_id)
        stream = Stream(
            self._caller,
            "/v1/widget/events",
            seen,
            token=lambda: self._token,
            renew=lambda _: None,
            heard=self._hear,
            first=random.randrange(2),
        )
        stream.open()
        self._stream = stream
        self._fetch()

    def _open_session(self) -> None:
        key = new_id()
        body = {"url": "https://shop.example/", "title": "Shop"} | ({"visitor_token": self._token} if self._token else {})
        session = self._caller.ask("session", "POST", f"/v1/widget/{self._channel_id}/session", body, key=key)
        self._token, self.contact_id = session["visitor_token"], session["contact"]["id"]
        self._history.visits.append(Visit(self.contact_id, session["conversation"]["id"], key))
        if session["conversation"]["id"] != self.conversation_id:
            self._begin(session["conversation"]["id"], step=0)
        for message in session["messages"]:
            self._hear("message.created", message)

    def _begin(self, conversation_id: str, *, step: int) -> None:
        self._history.begin_conversation(conversation_id, self.contact_id)
        self.conversation_id = conversation_id
        self._step = step
        self._archived = False

    def _answer_bot(self) -> None:
        step = self._script.steps[self._step]
        if step.question not in self._heard.get(self.conversation_id, set()):
            self._fetch()  # not asked yet, or the stream has not told
            return
        number = self._numbers.next()
        text = step.answer(number)
        before = self.conversation_id
        self._say(None if step.choice else text, step.choice)
        if before == self.conversation_id:
            self._step += 1
            if step.field:
                self._history.collected[self.contact_id, step.field] = text

    def _say(self, text: str | None, choice: str = "") -> None:
        key = new_id()
        body = {"client_message_id": key} | ({"choice": choice} if choice else {"text": text})
        try:
            message = self._caller.ask("say", "POST", "/v1/widget/messages", body, token=self._token)
        except Refused:
            return
        said = text if text is not None else message["text"]  # a button's label is the flow's
        self._history.said.append(Said(message["conversation_id"], message["id"], message["seq"], "visitor", said, key))
        if message["conversation_id"] != self.conversation_id:
            # An agent has archived the one before: the bot began anew, and this was taken as its first answer.
            self._begin(message["conversation_id"], step=1)
            self._history.collected[self.contact_id, self._script.steps[0].field] = message["text"]

    def _fetch(self) -> None:
        for conversation_id, seq in self._read().items():
            if self._stream is not None:
                self._stream.seen.known.setdefault(conversation_id, seq)

    def _read(self) -> dict[str, int]:
        """The newest message's number by the conversation that the page shows; nothing while that has none."""
        items = self._caller.ask("read", "GET", "/v1/widget/messages?limit=100", token=self._token)["items"]
        for message in items:
            self._hear("message.created", message)
        return {message["conversation_id"]: message["seq"] for message in items[-1:]}

    def _begin_anew(self, known: dict[str, int]) -> None:
        """As a page does after `reset`: fetch what it shows now. Of a conversation that is over by then nothing is owed to it."""
        known |= dict.fromkeys([*known, self.conversation_id], OVER)
        known |= self._read()

    def _hear(self, name: str, data: dict[str, Any]) -> None:
        if name == "message.created" and data["author"]["kind"] == "bot":
            self._heard.setdefault(data["conversation_id"], set()).add(data["text"])
        elif name == "conversation.archived" and data["id"] == self.conversation_id:
            self._archived = True
        elif name == "reset" and self._stream is not None:
            self._begin_anew(self._stream.seen.known)
