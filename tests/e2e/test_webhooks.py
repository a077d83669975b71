"""Bots and integrations outside: told by signed webhooks, acting through an API token; and receivers that nobody should notice."""

import threading
import time
from typing import Any

import pytest

from services.common.ids import new_id
from tests.e2e.conftest import make_channel
from tests.support.product import Agent, Gateway, Visitor
from tests.support.receiver import (
    Reaction,
    Received,
    Receiver,
    answering,
    dripping_head,
    flooding,
    hanging_up,
    lying,
    running_receiver,
    silent,
)
from tests.support.waiting import wait_until

CONVERSATIONS = ["conversation.created", "conversation.updated", "conversation.assigned", "conversation.archived"]


receiver = pytest.fixture(running_receiver, scope="module")


class Hook:
    """A webhook of one channel, heard at a path of its own."""

    def __init__(self, gateway: Gateway, admin: str, receiver: Receiver, channel_id: str, *events: str) -> None:
        self.receiver = receiver
        self.path = f"/{new_id()}"
        body = {"url": receiver.url(self.path), "events": list(events), "channel_ids": [channel_id]}
        created = gateway.ask("POST", "/v1/webhooks", body, token=admin)
        self.id: str = created["id"]
        self.secret: str = created["secret"]
        self._gateway = gateway
        self._admin = admin

    def wait_for(self, count: int) -> list[Received]:
        return self.receiver.wait_for(self.path, count, timeout=20)

    def end(self) -> None:
        self._gateway.ask("DELETE", f"/v1/webhooks/{self.id}", token=self._admin)


class ExternalBot:
    """A bot of somebody's own: hears messages by webhook, answers and asks for an agent through the API."""

    def __init__(self, gateway: Gateway, admin: str, hook: Hook) -> None:
        token = gateway.ask("POST", "/v1/tokens", {"name": "Own bot", "scopes": ["bot"]}, token=admin)["token"]
        self._gateway = gateway
        self._token = token
        self._hook = hook
        self._heard = 0

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._gateway.ask(method, f"/v1/bot{path}", body, token=self._token)

    def hear(self) -> dict[str, Any]:
        """The next message by a visitor."""
        while True:
            received = self._hook.wait_for(self._heard + 1)[self._heard]
            self._heard += 1
            assert received.is_signed_with(self._hook.secret)
            message: dict[str, Any] = received.json["data"]
            if message["author"]["kind"] == "visitor":
                return message

    def answer(self, message: dict[str, Any], text: str) -> None:
        body = {"text": text, "client_message_id": f"re-{message['id']}"}
        self._ask("POST", f"/conversations/{message['conversation_id']}/messages", body)

    def keep(self, message: dict[str, Any], **fields: Any) -> dict[str, Any]:
        contact_id = self._ask("GET", f"/conversations/{message['conversation_id']}")["contact"]["id"]
        kept: dict[str, Any] = self._ask("PUT", f"/contacts/{contact_id}/fields", {"fields": fields})
        return kept

    def hand_over(self, message: dict[str, Any], agent: Agent) -> None:
        self._ask("POST", f"/conversations/{message['conversation_id']}/assign", {"agents": [agent.id]})


def test_external_bot_drives_a_conversation_and_hands_it_over(gateway: Gateway, admin: str, receiver: Receiver) -> None:
    channel_id = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Own bot"}, token=admin)["id"]
    hook = Hook(gateway, admin, receiver, channel_id, "message.created")
    bot, agent = ExternalBot(gateway, admin, hook), Agent(gateway, admin, "Ann")
    stream = agent.watch()
    visitor = Visitor(gateway, channel_id)
    visitor.say("Where is my parcel?")
    asked = bot.hear()
    bot.answer(asked, "Which number?")
    bot.answer(asked, "Which number?")
    visitor.say("PX-1234")
    told = bot.hear()
    assert bot.keep(told, parcel=told["text"])["fields"] == {"parcel": "PX-1234"}
    bot.hand_over(told, agent)
    stream.wait_for("conversation.assigned", id=visitor.conversation_id)
    agent.say(visitor.conversation_id, "It comes today.")
    assert [(m["author"]["kind"], m["text"]) for m in visitor.messages()] == [
        ("visitor", "Where is my parcel?"),
        ("bot", "Which number?"),
        ("visitor", "PX-1234"),
        ("agent", "It comes today."),
    ]
    heard = [received.json["data"]["seq"] for received in hook.wait_for(4)]
    assert heard == [1, 2, 3, 4]
    stream.close()
    hook.end()


def test_life_of_a_conversation_is_told_in_order(gateway: Gateway, admin: str, receiver: Receiver) -> None:
    channel_id = make_channel(gateway, admin)
    agent = Agent(gateway, admin, "Ann", capacity=50)
    hook = Hook(gateway, admin, receiver, channel_id, *CONVERSATIONS, "message.created")
    visitors = [Visitor(gateway, channel_id) for _ in range(4)]
    threads = [threading.Thread(target=visitor.pass_bot) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for visitor in visitors:
        agent.say(visitor.conversation_id, "Good morning")
        agent.archive(visitor.conversation_id)

    def told(visitor: Visitor) -> list[dict[str, Any]]:
        found = [each.json["data"] | {"type": each.json["type"]} for each in receiver.at(hook.path)]
        ids = ("id", "conversation_id")
        return [data for data in found if visitor.conversation_id in [data.get(name) for name in ids]]

    def is_over(visitor: Visitor) -> bool:
        return [data["type"] for data in told(visitor)][-1:] == ["conversation.archived"]

    for visitor in visitors:
        wait_until(lambda visitor=visitor: is_over(visitor), what="the end of the conversation")  # type: ignore[misc]
        data = told(visitor)
        assert data[0]["type"] == "conversation.created"
        assert data[-1]["type"] == "conversation.archived"
        sequence = [one["seq"] for one in data if one["type"] == "message.created"]
        assert sequence == list(range(1, len(sequence) + 1))
        versions = [one["version"] for one in data if one["type"] != "message.created"]
        assert versions == sorted(versions)
    hook.end()


@pytest.mark.parametrize(
    "reaction",
    [silent, hanging_up, lying, dripping_head, flooding, answering(500)],
    ids=["silent", "hanging_up", "lying", "dripping_head", "flooding", "failing"],
)
def test_nobody_notices_a_bad_receiver(gateway: Gateway, admin: str, receiver: Receiver, reaction: Reaction) -> None:
    channel_id = make_channel(gateway, admin)
    bad = Hook(gateway, admin, receiver, channel_id, "message.created", *CONVERSATIONS)
    good = Hook(gateway, admin, receiver, channel_id, "message.created")
    receiver.react(bad.path, reaction)
    agent = Agent(gateway, admin, "Ann", capacity=100)
    stream = agent.watch()
    visitors = [Visitor(gateway, channel_id) for _ in range(8)]
    bad.wait_for(1)
    for number, visitor in enumerate(visitors):
        began = time.monotonic()
        visitor.pass_bot()
        agent.say(visitor.conversation_id, f"answer {number}")
        assert time.monotonic() - began < 3 * 4  # four calls, each within its deadline
        stream.wait_for("message.created", conversation_id=visitor.conversation_id, text=f"answer {number}")
    total = sum(len(visitor.messages()) for visitor in visitors)
    heard = {each.id: each.json["data"] for each in good.wait_for(total)}
    assert len(heard) == total
    assert gateway.send("GET", "/readyz").status_code == 200
    deliveries = gateway.ask("GET", f"/v1/webhooks/{bad.id}/deliveries?limit=100", token=admin)["items"]
    assert deliveries
    stream.close()
    bad.end()
    good.end()


def test_private_targets_are_refused(gateway: Gateway, admin: str) -> None:
    for url in (
        "http://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00::1]/",
        "ftp://example.com/",
        "https://user:secret@example.com/",
        "http://example.com/",
    ):
        response = gateway.send("POST", "/v1/webhooks", {"url": url, "events": ["message.created"]}, token=admin)
        assert response.status_code == 422, url
        assert "url" in response.json()["errors"], url
