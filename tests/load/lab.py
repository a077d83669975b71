"""Where the scenarios work: a product of their own on this machine's loopback, with people who use it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.waiting import wait_until
from services.common.rpc_client import RpcClient
from tests.load import machine
from tests.load.ceilings import Ceilings, measure
from tests.load.crowd import multiply
from tests.load.driver import Caller
from tests.load.report import Value
from tests.load.watching import Watch
from tests.support.parts import calling, running
from tests.support.product import SERVICES, Agent, Gateway, Product
from tests.support.stack import wait_for_service

MAX_CAPACITY = 1000
CONNECTIONS = 200  # so many requests can be under way
SETTLING_SECONDS = 120.0
PREPARING = 4  # at once: the preparation is not what is measured


@dataclass
class Lab:
    """Given to each scenario. `quick` asks for a run that shows that the scenario works, with numbers that mean nothing."""

    folder: Path
    quick: bool
    say: Callable[[str], None]
    versions: dict[str, Value] = field(default_factory=dict)
    _products: int = field(default=0, init=False)

    @contextmanager
    def product(self, *, replicas: int) -> Iterator["World"]:
        """A fresh product with so many processes of the assignment service, and its machine's ceilings measured before."""
        self._products += 1
        with running(Product(self.folder / f"product-{self._products}")) as product:
            gateway = product.start_gateway()
            for number in range(2, replicas + 1):
                product.start_service("assignment", instance=f"assignment-{number}")
            with calling(product.settings) as rpc:
                _wait_for_all(product, rpc)
            self.versions = machine.versions(product)
            self.say("measuring the bare broker and the bare database")
            ceilings = measure(product, 50 if self.quick else 500)
            world = World(product, gateway, ceilings)
            try:
                yield world
            finally:
                world.close()


@dataclass(frozen=True)
class Guest:
    """A visitor whose next message makes the channel's flow ask for an agent."""

    token: str
    conversation_id: str


class World:
    """A running product, and the people in it."""

    def __init__(self, product: Product, gateway: Gateway, ceilings: Ceilings) -> None:
        self.ceilings = ceilings
        self.url = gateway.url
        self.caller = Caller(gateway.url, CONNECTIONS)
        self._product = product
        self._gateway = gateway
        self._admin = gateway.sign_in()
        self._watches: list[Watch] = []

    def hire(self, count: int, capacity: int) -> list[Agent]:
        """Agents with accounts."""
        return [Agent(self._gateway, self._admin, f"Agent {number}", capacity=capacity) for number in range(1, count + 1)]

    def seat(self, agents: list[Agent]) -> list[Watch]:
        """Open a stream for each, so that they are connected; the first notes everybody's decisions too."""
        opened = [Watch(self._gateway.url, agent.token, agent.id, decisions=agent is agents[0]) for agent in agents]
        self._watches += opened
        for watch in opened:
            watch.wait_open()
        return opened

    def unseat(self) -> list[str]:
        """Hang up for all; returns why streams had ended before."""
        faults = [f"an agent's stream broke: {watch.fault}" for watch in self._watches if watch.fault]
        while self._watches:
            self._watches.pop().close()
        return faults

    def open_channel(self, agents: list[Agent]) -> str:
        """A channel whose bot asks two questions, then for one of these agents."""
        ask = self._gateway.ask
        channel = ask("POST", "/v1/channels", {"kind": "web", "name": "Load"}, token=self._admin)
        desk = {"type": "assign", "text": "A colleague will be right with you.", "agents": [agent.id for agent in agents]}
        topic = {"type": "question", "kind": "text", "text": "What is it about?", "field": "topic", "next": "wish"}
        wish = {"type": "question", "kind": "text", "text": "And how can we help?", "field": "wish", "next": "desk"}
        flow = {"start": "topic", "blocks": {"topic": topic, "wish": wish, "desk": desk}}
        ask("PUT", f"/v1/channels/{channel['id']}/flow", flow, token=self._admin)
        if "reassignment" in channel:  # nobody answers here, and nothing is to be given anew while others are measured
            never = {"disconnected_after_seconds": None, "unanswered_after_seconds": None}
            ask("PATCH", f"/v1/channels/{channel['id']}", {"reassignment": never}, token=self._admin)
        return str(channel["id"])

    def invite(self, channel_id: str, count: int) -> list[Guest]:
        """Visitors who were asked the bot's last question and have not answered yet; what their first answer set off is done."""
        path = f"/v1/channels/{channel_id}"
        counted = self._gateway.ask("GET", path, token=self._admin)["visitor_count"] + count
        with ThreadPoolExecutor(PREPARING) as pool:
            guests = list(pool.map(self._invite, [channel_id] * count))
        if not wait_until(
            lambda: self._gateway.ask("GET", path, token=self._admin)["visitor_count"] >= counted, SETTLING_SECONDS
        ):
            raise RuntimeError(f"the channel's visitors were not counted within {SETTLING_SECONDS:g} s")
        return guests

    def crowd(self, channel_id: str, count: int) -> None:
        """So many more conversations in the channel, which nobody has."""
        guest = self._invite(channel_id)
        wait_until(lambda: self._is_filed(guest.conversation_id), SETTLING_SECONDS)
        multiply(self._product, guest.conversation_id, count)

    def parts(self) -> dict[str, list[int]]:
        """The process groups of each part of the product."""
        groups: dict[str, list[int]] = {}
        for label, process in self._product.services.items():
            if process.pid is not None:
                groups.setdefault(label.partition("-")[0], []).append(process.pid)
        for name, server in (("broker", self._product.broker.process), ("database", self._product.database.process)):
            if server is not None and server.pid is not None:
                groups[name] = [server.pid]
        return groups

    def close(self) -> None:
        """Everybody goes."""
        self.unseat()
        self.caller.close()

    def _is_filed(self, conversation_id: str) -> bool:
        """Whether nothing of the conversation is on its way any more."""
        found = self._product.mongo("messaging").conversations.find_one({"_id": conversation_id})
        return found is not None and not found["outbox"]

    def _invite(self, channel_id: str) -> Guest:
        page = {"url": "https://shop.example/", "title": "Shop"}
        session: Any = self.caller.send("POST", f"/v1/widget/{channel_id}/session", page)
        answer = {"text": "Prices", "client_message_id": "first"}
        self.caller.send("POST", "/v1/widget/messages", answer, session["visitor_token"])
        return Guest(session["visitor_token"], session["conversation"]["id"])


def _wait_for_all(product: Product, rpc: RpcClient) -> None:
    for label, process in product.services.items():
        name = label.partition("-")[0]
        if name in SERVICES:
            wait_for_service(rpc, name, process)
