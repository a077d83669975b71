"""Who finds out when all is well again: a pair of people at each gateway, who try one request of each kind until it succeeds."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.common.ids import new_id
from tests.chaos.agents import Agent
from tests.chaos.clients import Caller
from tests.chaos.history import Attempt, Said
from tests.chaos.load import Crowd
from tests.chaos.numbering import Numbering

PAUSE_SECONDS = 0.05
Request = Callable[[], tuple[Attempt, Any]]


@dataclass
class Recovery:
    """Seconds from the fault's end until every kind had succeeded at every gateway; None if it did not happen in time."""

    seconds: float | None
    missing: list[str]


class Witness:
    """Its visitor talks on a channel without a flow; its agent counts as busy, so that nobody else is given to it."""

    def __init__(self, caller: Caller, numbers: Numbering, crowd: Crowd, name: str) -> None:
        self._caller = caller
        self._history = caller.history
        self._numbers = numbers
        self._name = name
        token = crowd.admin.value
        channel = caller.ask("prepare", "POST", "/v1/channels", {"kind": "web", "name": name}, token=token, key=new_id())
        self._channel_id = channel["id"]
        self.agent = Agent(caller, numbers, crowd.admin, name)
        self.agent.watch()
        self.agent.choose("busy")
        session = caller.ask("prepare", "POST", f"/v1/widget/{self._channel_id}/session", {}, key=new_id())
        self._visitor_token: str = session["visitor_token"]
        self._contact_id: str = session["contact"]["id"]
        self._conversation_id: str = session["conversation"]["id"]
        self._history.begin_conversation(self._conversation_id, self._contact_id)

    def watch(self, url: str, since: float, timeout: float) -> Recovery:
        """Try all kinds at one gateway until each has succeeded after `since`, at most until `timeout` seconds after it."""
        recovered = since
        left = dict(self._kinds(url))
        for kind, request in list(left.items()):
            while not self._caller.ending.is_set():
                attempt, content = request()
                if attempt.status == 401:
                    self.agent.list_own()  # renews the token
                elif attempt.status == 500:
                    self._history.complain(f"{kind} answered 500: {content}")
                if attempt.confirmed:
                    recovered = max(recovered, attempt.ended)
                    del left[kind]
                    break
                if self._history.clock() - since > timeout:
                    return Recovery(None, sorted(left))
                self._caller.ending.wait(PAUSE_SECONDS * random.uniform(0.5, 1.5))
        return Recovery(recovered - since, sorted(left))

    def leave(self) -> None:
        """Go."""
        self.agent.leave()

    def _kinds(self, url: str) -> dict[str, Request]:
        """A request of each kind. What writes has its ids once, and repeats with them."""
        say = {"text": f"{self._name} asks {self._numbers.next()}", "client_message_id": new_id()}
        answer = {"text": f"{self._name} answers {self._numbers.next()}", "client_message_id": new_id()}
        note, key = {"text": f"{self._name} notes {self._numbers.next()}"}, new_id()
        conversation = f"/v1/conversations/{self._conversation_id}"

        def send(
            kind: str, method: str, path: str, body: object = None, *, agent: bool = True, key: str = ""
        ) -> tuple[Attempt, Any]:
            token = self.agent.token if agent else self._visitor_token
            return self._caller.attempt(f"probe {kind}", url, method, path, body, token=token, key=key)

        def post(kind: str, path: str, body: dict[str, str], *, agent: bool) -> tuple[Attempt, Any]:
            attempt, content = send(kind, "POST", path, body, agent=agent)
            if attempt.confirmed:
                author = "agent" if agent else "visitor"
                said = Said(self._conversation_id, content["id"], content["seq"], author, body["text"], body["client_message_id"])
                self._history.said.append(said)
            return attempt, content

        return {
            "say": lambda: post("say", "/v1/widget/messages", say, agent=False),
            "answer": lambda: post("answer", f"{conversation}/messages", answer, agent=True),
            "list": lambda: send("list", "GET", "/v1/conversations?limit=20"),
            "read": lambda: send("read", "GET", f"{conversation}/messages"),
            "note": lambda: send("note", "POST", f"/v1/contacts/{self._contact_id}/notes", note, key=key),
            "assign": lambda: send("assign", "PUT", f"{conversation}/assignee", {"agent_id": self.agent.id}),
            "availability": lambda: send("availability", "PATCH", "/v1/agents/me", {"availability": "busy"}),
            "ready": lambda: send("ready", "GET", "/readyz"),
        }


def watch_all(witnesses: list[tuple[Witness, str]], since: float, timeout: float) -> Recovery:
    """All witnesses at once, each at its gateway; the slowest counts."""
    found: list[Recovery] = []
    threads = [
        threading.Thread(target=lambda witness=witness, url=url: found.append(witness.watch(url, since, timeout)))
        for witness, url in witnesses
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    missing = sorted({kind for each in found for kind in each.missing})
    if missing or len(found) < len(witnesses):
        return Recovery(None, missing or ["the witnesses themselves"])
    return Recovery(max(each.seconds or 0.0 for each in found), [])
