"""An agent: answers whoever is given to them, writes notes, passes conversations on, archives, and is busy now and then."""

import random
from collections.abc import Sequence
from typing import Any

from services.common.ids import new_id
from tests.chaos.clients import Caller, Refused, Token
from tests.chaos.history import Given, Noted, Said
from tests.chaos.numbering import Numbering
from tests.chaos.streams import Stream
from tests.support.product import PASSWORD

# Of what an agent does with a conversation; the rest is answering.
NOTES, TRANSFERS, ARCHIVES, READS = 0.12, 0.05, 0.10, 0.08
TURNS_BUSY = 0.03
TURNS_AVAILABLE = 0.5
# What may have happened to a conversation since the agent last heard of it.
IN_ORDER = frozenset({"CONVERSATION_ARCHIVED", "ALREADY_ASSIGNED", "CONFLICT"})


class Agent:
    """`act` does the next thing that an agent would do; one thread at a time."""

    def __init__(self, caller: Caller, numbers: Numbering, admin: Token, name: str, *, capacity: int = 4) -> None:
        self.name = name
        self._caller = caller
        self._history = caller.history
        self._numbers = numbers
        self._email = f"{new_id()}@example.org"
        body = {"name": name, "email": self._email, "password": PASSWORD, "role": "agent", "capacity": capacity}
        self.id: str = caller.ask("hire", "POST", "/v1/agents", body, token=admin.value, key=new_id())["id"]
        self._token = Token(self._sign_in)
        self._mine: dict[str, dict[str, Any]] = {}
        self._versions: dict[str, int] = {}
        self._busy = False
        self._stream: Stream | None = None

    def watch(self, first: int = 0) -> None:
        """Open the stream, first at the gateway of this number."""
        seen = self._history.open_stream(self.name)
        self._stream = Stream(
            self._caller,
            "/v1/events",
            seen,
            token=lambda: self._token.value,
            renew=self._token.renew,
            heard=self._hear,
            first=first,
        )
        self._stream.open()
        self._history.availability[self.id] = "available"

    def leave(self) -> None:
        """Close the console."""
        if self._stream is not None:
            self._stream.close()

    def act(self, colleagues: Sequence["Agent"]) -> None:
        """One thing."""
        chance = random.random()
        if self._busy and chance < TURNS_AVAILABLE:
            self.choose("available")
        elif chance < TURNS_BUSY:
            self.choose("busy")
        elif not self._mine or chance < TURNS_BUSY + READS:
            self.list_own()
        else:
            self._serve(random.choice(list(self._mine.values())), colleagues)

    def choose(self, availability: str) -> None:
        """Become available or busy."""
        self.ask("availability", "PATCH", "/v1/agents/me", {"availability": availability})
        self._history.availability[self.id] = availability
        self._busy = availability == "busy"

    def list_own(self) -> None:
        """Look at one's conversations."""
        self.ask("list", "GET", "/v1/conversations?folder=mine&limit=20")

    def say(self, conversation_id: str, kind: str = "answer") -> None:
        """Write to the visitor."""
        key, text = new_id(), f"{self.name} answers {self._numbers.next()}"
        path = f"/v1/conversations/{conversation_id}/messages"
        message = self.ask(kind, "POST", path, {"text": text, "client_message_id": key})
        self._history.said.append(Said(conversation_id, message["id"], message["seq"], "agent", text, key))

    def note(self, contact_id: str, kind: str = "note") -> None:
        """Remark something on a contact."""
        text = f"{self.name} notes {self._numbers.next()}"
        body = {"text": text, "highlighted": random.random() < 0.3}
        note = self.ask(kind, "POST", f"/v1/contacts/{contact_id}/notes", body, key=new_id())
        self._history.notes.append(Noted(contact_id, note["id"], text))

    def give(self, conversation_id: str, agent_id: str, kind: str = "transfer") -> None:
        """Transfer a conversation."""
        remark = f"{self.name} passes on {self._numbers.next()}"
        self.ask(kind, "PUT", f"/v1/conversations/{conversation_id}/assignee", {"agent_id": agent_id, "remark": remark})
        self._history.given.append(Given(conversation_id, agent_id, remark))

    def archive(self, conversation_id: str, kind: str = "archive") -> None:
        """End a conversation."""
        self.ask(kind, "PATCH", f"/v1/conversations/{conversation_id}", {"status": "archived"})
        self._history.archived.add(conversation_id)
        self._mine.pop(conversation_id, None)

    def ask(self, kind: str, method: str, path: str, body: object = None, *, key: str = "") -> Any:
        """A request with the agent's token, which is renewed when it has run out. Raises Refused."""
        token = self._token.value
        expected = {"TOKEN_EXPIRED", *IN_ORDER}
        try:
            return self._caller.ask(kind, method, path, body, token=token, key=key, expected=expected)
        except Refused as refused:
            if refused.status != 401:
                raise
        return self._caller.ask(kind, method, path, body, token=self._token.renew(token), key=key, expected=IN_ORDER)

    @property
    def token(self) -> str:
        """The present access token."""
        return self._token.value

    def _serve(self, conversation: dict[str, Any], colleagues: Sequence["Agent"]) -> None:
        conversation_id, chance = conversation["id"], random.random()
        try:
            if chance < NOTES:
                self.note(conversation["contact"]["id"])
            elif chance < NOTES + TRANSFERS and colleagues:
                self.give(conversation_id, random.choice(colleagues).id)
                self._mine.pop(conversation_id, None)
            elif chance < NOTES + TRANSFERS + ARCHIVES:
                self.archive(conversation_id)
            else:
                self.say(conversation_id)
        except Refused:
            self._mine.pop(conversation_id, None)  # the stream tells of it soon, or has told

    def _sign_in(self) -> str:
        answer = self._caller.ask("sign in", "POST", "/v1/auth/token", {"email": self._email, "password": PASSWORD})
        return str(answer["access_token"])

    def _hear(self, name: str, data: dict[str, Any]) -> None:
        if name in {"conversation.created", "conversation.updated", "conversation.assigned", "conversation.archived"}:
            self._learn(data)
        elif name == "reset":
            self._refetch()

    def _learn(self, conversation: dict[str, Any]) -> None:
        if conversation["version"] <= self._versions.get(conversation["id"], 0):
            return
        self._versions[conversation["id"]] = conversation["version"]
        assignee = conversation["assignee"] or {}
        if conversation["status"] == "open" and assignee.get("id") == self.id:
            self._mine[conversation["id"]] = conversation
        else:
            self._mine.pop(conversation["id"], None)

    def _refetch(self) -> None:
        """What the stream can't tell is fetched, as its contract asks."""
        assert self._stream is not None
        for conversation in self.ask("refetch", "GET", "/v1/conversations?folder=mine&limit=100")["items"]:
            self._learn(self.ask("refetch", "GET", f"/v1/conversations/{conversation['id']}"))
        for conversation_id in list(self._history.contacts):
            found = self.ask("refetch", "GET", f"/v1/conversations/{conversation_id}")
            self._stream.seen.known[conversation_id] = found["last_seq"]
