"""Where the scenarios work: a product of their own on this machine's loopback, with people who use it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import amqp

from deploy.local.broker import PASSWORD, USER
from deploy.local.waiting import wait_until
from services.common.topology import rpc_queue
from tests.load import machine
from tests.load.ceilings import Ceilings, measure
from tests.load.crowd import Copy, Shape, multiply
from tests.load.driver import Caller
from tests.load.report import Value
from tests.load.watching import Watch
from tests.support.parts import running
from tests.support.product import SERVICES, Agent, Gateway, Product

MAX_CAPACITY = 1000
CONNECTIONS = 200  # so many requests can be under way
SETTLING_SECONDS = 120.0
PREPARING = 4  # at once: the preparation is not what is measured
GATEWAY = "gateway"
PAGE = {"url": "https://shop.example/", "title": "Shop"}


@dataclass
class Lab:
    """Given to each scenario. `quick` asks for a run that shows that the scenario works, with numbers that mean nothing."""

    folder: Path
    quick: bool
    say: Callable[[str], None]
    versions: dict[str, Value] = field(default_factory=dict)
    _products: int = field(default=0, init=False)

    @contextmanager
    def product(self, *, replicas: int = 1, of: str = "assignment") -> Iterator["World"]:
        """A fresh product with so many processes of one part: a service, or the gateway."""
        self._products += 1
        with running(Product(self.folder / f"product-{self._products}")) as product:
            gateway = product.start_gateway()
            self.versions = machine.versions(product)
            world = World(self, product, gateway)
            try:
                world.start_replicas(of, replicas)
                yield world
            finally:
                world.close()


@dataclass(frozen=True)
class Guest:
    """A visitor whose next message makes the channel's flow ask for an agent."""

    token: str
    conversation_id: str


@dataclass(frozen=True)
class Talk:
    """A conversation under way between a visitor and the agent who has it; no bot is in it."""

    conversation_id: str
    contact_id: str
    channel_id: str
    visitor_token: str
    agent_id: str
    agent_token: str


class World:
    """A running product, and the people in it."""

    def __init__(self, lab: Lab, product: Product, gateway: Gateway) -> None:
        self.product = product
        self.gateways = [gateway]
        self.url = gateway.url
        self.caller = Caller(gateway.url, CONNECTIONS)
        self._lab = lab
        self._gateway = gateway
        self._admin = gateway.sign_in()
        self._watches: list[Watch] = []

    @property
    def urls(self) -> list[str]:
        """Those of all gateways."""
        return [gateway.url for gateway in self.gateways]

    @cached_property
    def ceilings(self) -> Ceilings:
        """What the bare broker and the bare database of this product need, measured when it is asked for first."""
        self._lab.say("measuring the bare broker and the bare database")
        return measure(self.product, 50 if self._lab.quick else 500)

    def start_replicas(self, of: str, count: int) -> None:
        """Have so many processes of a service or of the gateway, all ready: start what is missing, stop what is too many."""
        for number in range(2, count + 1):
            if (label := f"{of}-{number}") in self.product.services:
                continue
            if of == GATEWAY:
                self.gateways.append(self.product.start_gateway(label))
            else:
                self.product.start_service(of, instance=label)
        surplus = [
            label for label in self.product.services if label.startswith(f"{of}-") and int(label.rpartition("-")[2]) > count
        ]
        for label in surplus:
            process = self.product.services.pop(label)
            self.gateways = [gateway for gateway in self.gateways if gateway.process is not process]
            process.stop()
        for name in SERVICES:
            self._wait_listening(name, sum(label.partition("-")[0] == name for label in self.product.services))

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
        self._keep_assignments(channel)
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

    def converse(self, agents: Sequence[Agent], count: int) -> list[Talk]:
        """So many conversations under way, the agents in turns, in a channel without a flow."""
        channel = self._gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Talks"}, token=self._admin)
        self._keep_assignments(channel)
        turns = [(channel["id"], agents[number % len(agents)]) for number in range(count)]
        with ThreadPoolExecutor(PREPARING) as pool:
            return list(pool.map(lambda turn: self._begin_talk(*turn), turns))

    def crowd(self, channel_id: str, count: int) -> None:
        """So many more conversations in the channel, which nobody has."""
        self.multiply(self._invite(channel_id).conversation_id, count)

    def multiply(self, conversation_id: str, count: int, shape: Shape | None = None, *, first: int = 1) -> list[Copy]:
        """So many copies of a conversation (see tests.load.crowd), once nothing of it is on its way any more."""
        if not wait_until(lambda: self._is_settled(conversation_id), SETTLING_SECONDS):
            raise RuntimeError(f"a conversation was not settled within {SETTLING_SECONDS:g} s")
        return multiply(self.product, conversation_id, count, shape, first=first)

    def parts(self) -> dict[str, list[int]]:
        """The process groups of each part of the product."""
        groups: dict[str, list[int]] = {}
        for label, process in self.product.services.items():
            if process.pid is not None:
                groups.setdefault(label.partition("-")[0], []).append(process.pid)
        for name, server in (("broker", self.product.broker.process), ("database", self.product.database.process)):
            if server is not None and server.pid is not None:
                groups[name] = [server.pid]
        return groups

    def close(self) -> None:
        """Everybody goes."""
        self.unseat()
        self.caller.close()

    def _keep_assignments(self, channel: dict[str, Any]) -> None:
        """Nobody answers here, and nothing is to be given anew while others are measured."""
        if "reassignment" in channel:
            never = {"disconnected_after_seconds": None, "unanswered_after_seconds": None}
            self._gateway.ask("PATCH", f"/v1/channels/{channel['id']}", {"reassignment": never}, token=self._admin)

    def _begin_talk(self, channel_id: str, agent: Agent) -> Talk:
        session: Any = self.caller.send("POST", f"/v1/widget/{channel_id}/session", PAGE)
        thread = session["conversation"]["id"]
        # Who writes into a conversation that nobody has takes it.
        self.caller.send(
            "POST", f"/v1/conversations/{thread}/messages", {"text": "Hello!", "client_message_id": "begin"}, agent.token
        )
        return Talk(thread, session["contact"]["id"], channel_id, session["visitor_token"], agent.id, agent.token)

    def _wait_listening(self, service: str, count: int) -> None:
        """Return once so many processes of a service take calls; the gateway's readiness has told before that it can do its work."""
        with amqp.Connection(f"127.0.0.1:{self.product.broker.port}", userid=USER, password=PASSWORD) as connection:
            channel = connection.channel()
            queue = rpc_queue(service)
            if not wait_until(lambda: channel.queue_declare(queue, passive=True).consumer_count == count, SETTLING_SECONDS):
                raise RuntimeError(f"{count} processes of {service} did not take calls within {SETTLING_SECONDS:g} s")

    def _is_settled(self, conversation_id: str) -> bool:
        """Whether its messages are filed and its visitor is counted."""
        messaging = self.product.mongo("messaging")
        found = messaging.conversations.find_one({"_id": conversation_id})
        if found is None or found["outbox"]:
            return False
        return messaging.visitors.find_one({"_id": found["contact"]["id"], "counted": False}) is None

    def _invite(self, channel_id: str) -> Guest:
        session: Any = self.caller.send("POST", f"/v1/widget/{channel_id}/session", PAGE)
        answer = {"text": "Prices", "client_message_id": "first"}
        self.caller.send("POST", "/v1/widget/messages", answer, session["visitor_token"])
        return Guest(session["visitor_token"], session["conversation"]["id"])
