"""One visitor and one agent, followed closely while the product is broken."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import requests

from services.common.ids import new_id
from tests.chaos.faults import Fault
from tests.chaos.product import ChaosProduct
from tests.chaos.world import World
from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until

TEXTS = 4


@contextmanager
def breakable(product: ChaosProduct, faults: Sequence[Fault]) -> Iterator[World]:
    """The product, running, with what these faults arrange before its start."""
    try:
        for fault in faults:
            fault.prepare(product)
        product.start()
        yield World(product, logging.getLogger(__name__).info)
    finally:
        product.stop()
        for fault in faults:
            fault.clear(product)


class Talk:
    """A visitor who writes to whichever gateway answers, until it does; an agent who has the conversation; and what both saw."""

    def __init__(self, world: World) -> None:
        self.gateways = list(world.product.gateways.values())
        gateway = self.gateways[0]
        admin = gateway.sign_in()
        self.agent = Agent(gateway, admin, capacity=50)
        channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"}, token=admin)
        blocks = {
            "ask": {"type": "question", "kind": "text", "text": "What is it?", "field": "matter", "next": "pause"},
            "pause": {"type": "delay", "seconds": 1, "next": "desk"},
            "desk": {"type": "assign", "agents": [self.agent.id]},
        }
        gateway.ask("PUT", f"/v1/channels/{channel['id']}/flow", {"start": "ask", "blocks": blocks}, token=admin)
        self.channel_id = channel["id"]
        self.visitor = Visitor(gateway, self.channel_id)
        self.streams = [self.agent.watch(), self.visitor.watch()]
        self.texts: list[str] = []
        self.answers: list[tuple[int, str]] = []
        self.answer_to_the_bot()

    def answer_to_the_bot(self) -> None:
        """The question, the bot's pause, and an agent."""
        self.say("It is this.")
        self.streams[0].wait_for("conversation.assigned", id=self.visitor.conversation_id, timeout=40)

    def send(self, gateway: Gateway, text: str, key: str) -> int:
        """One attempt: its status, 0 without an answer."""
        body = {"text": text, "client_message_id": key}
        try:
            answer = gateway.send("POST", "/v1/widget/messages", body, token=self.visitor.token)
        except requests.RequestException:
            return 0
        self.answers.append((answer.status_code, answer.json().get("code", "")))
        return answer.status_code

    def say(self, text: str, timeout: float = 60.0) -> None:
        """As a client does: the same id again, at another gateway, until it is accepted."""
        key, turns = new_id(), 0

        def accepted() -> bool:
            nonlocal turns
            turns += 1
            return self.send(self.gateways[turns % len(self.gateways)], text, key) == 201

        wait_until(accepted, timeout, what=f"the acceptance of {text!r} among {self.answers[-3:]}", interval=0.1)
        self.texts.append(text)

    def go_on(self, about: str) -> None:
        """Say some more."""
        for number in range(TEXTS):
            self.say(f"{about} {number}")

    def check(self, *, resets: bool = False) -> None:
        """Stored once each and in order; on both streams the same; and nobody was refused but honestly."""
        wait_until(lambda: all(self.well(gateway) for gateway in self.gateways), 60, what="readiness")
        self.say("That is all.")
        stored = [(message["seq"], message["text"]) for message in self.visitor.messages()]
        assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
        said = set(self.texts)
        assert [text for _, text in stored if text in said] == self.texts
        for stream in self.streams:
            stream.wait_for("message.created", conversation_id=self.visitor.conversation_id, text="That is all.", timeout=30)
            seen = [m["seq"] for m in stream.named("message.created") if m["conversation_id"] == self.visitor.conversation_id]
            if resets:
                assert seen == sorted(set(seen))
            else:
                assert stream.named("reset") == []
                assert seen[-len(self.texts) :] == [seq for seq, _ in stored][-len(self.texts) :]
                assert seen == list(range(seen[0], stored[-1][0] + 1))
            stream.close()
        assert {status for status, _ in self.answers} <= {201, 503}, self.answers

    @staticmethod
    def well(gateway: Gateway) -> bool:
        with suppress(requests.RequestException):
            return gateway.send("GET", "/readyz").status_code == 200
        return False


def begin_talk(world: World) -> Talk:
    """Once all is well."""
    wait_until(lambda: all(map(Talk.well, world.product.gateways.values())), 60, what="readiness")
    return Talk(world)
