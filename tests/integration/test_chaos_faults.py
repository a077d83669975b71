"""The faults of tests.chaos that need more than a signal: each does what it says, and the product bears it with nothing lost and nothing doubled."""

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from deploy.local.ports import free_port
from services.common.amqp import close_quietly, connect
from services.common.ids import new_id
from services.common.topology import read_epoch
from tests.chaos.faults import Fault
from tests.chaos.faults.clock import HOUR, ClockAhead
from tests.chaos.faults.disk import FullDisk
from tests.chaos.faults.slow import SHORTEST, SlowBroker, SlowDatabase
from tests.chaos.faults.wiped import DeletedCalls, LogMadeAnew, WipedBroker
from tests.chaos.product import GATEWAYS, REPLICAS, ChaosProduct
from tests.chaos.world import World
from tests.support.clocks import find_library
from tests.support.product import Agent, Gateway, Visitor
from tests.support.small_disk import why_no_disk
from tests.support.waiting import wait_until

# Eight processes start once for all, and the disk is full for as long as mongod needs to come back.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NEEDS_DISK = pytest.mark.skipif(bool(why_no_disk()), reason=why_no_disk())
NEEDS_CLOCKS = pytest.mark.skipif(find_library() is None, reason="libfaketime is not installed")
SERVICES = [label for labels in REPLICAS.values() for label in labels]
TEXTS = 4


@pytest.fixture(scope="module")
def faults() -> dict[type[Fault], Fault]:
    """Those that arrange something before the start; the two clocks are one."""
    return {kind: kind() for kind in (FullDisk, ClockAhead, SlowDatabase, SlowBroker) if not kind().why_not()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, faults: dict[type[Fault], Fault]) -> Iterator[World]:
    product = ChaosProduct(tmp_path_factory.mktemp("chaos"))
    try:
        for fault in faults.values():
            fault.prepare(product)
        for label in SERVICES:
            product.variables.setdefault(label, {})["FOYER_METRICS_PORT"] = str(free_port())
        product.start()
        yield World(product, logging.getLogger(__name__).info)
    finally:
        product.stop()
        for fault in faults.values():
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


@pytest.fixture
def talk(world: World) -> Talk:
    wait_until(lambda: all(map(Talk.well, world.product.gateways.values())), 60, what="readiness")
    return Talk(world)


@NEEDS_DISK
def test_full_disk_is_answered_503_and_nothing_is_lost_when_there_is_room_again(
    world: World, faults: dict[type[Fault], Fault], talk: Talk
) -> None:
    fault = faults[FullDisk]
    talk.go_on("before")
    fault.apply(world)
    try:
        with pytest.raises(OSError, match="No space left"):
            (world.product.database.data_dir / "more").write_bytes(bytes(4096))
        keys = [new_id() for _ in range(3)]
        wait_until(lambda: not world.product.process("database").running, 30, what="mongod's end")
        sent = [talk.send(talk.gateways[0], f"without room {number}", key) for number, key in enumerate(keys)]
        assert sent == [503, 503, 503]
        assert talk.answers[-1][1] == "DATABASE_UNAVAILABLE"
        assert not talk.well(talk.gateways[0])
    finally:
        fault.heal(world)
    for number, key in enumerate(keys):
        wait_until(lambda: talk.send(talk.gateways[1], f"without room {number}", key) == 201, 60, what="room")  # noqa: B023
        talk.texts.append(f"without room {number}")
    talk.check()


@NEEDS_CLOCKS
@pytest.mark.parametrize("by", [HOUR, -HOUR])
@pytest.mark.parametrize("label", [labels[-1] for labels in (*REPLICAS.values(), GATEWAYS)])
def test_process_sees_another_clock_and_the_product_none(
    world: World, faults: dict[type[Fault], Fault], label: str, by: int
) -> None:
    fault = faults[ClockAhead]
    assert isinstance(fault, ClockAhead)
    fault.clocks[label].move(by)
    try:
        assert abs(seen_by(world, label) - datetime.now(UTC) - timedelta(seconds=by)) < timedelta(minutes=10)
        # Everything from the beginning: tokens of one gateway at the other, leases, a bot's pause, an assignment.
        talk = Talk(world)
        talk.go_on("meanwhile")
        assert talk.agent.presence()["connected"]
        changes = talk.agent.presence()["recent_changes"]
        assert [change["cause"] for change in changes] == ["stream_opened"]
    finally:
        fault.heal(world)
    assert abs(seen_by(world, label) - datetime.now(UTC)) < timedelta(minutes=10)
    talk.go_on("afterwards")
    other = Visitor(talk.gateways[1], talk.channel_id)
    other.say("Me, too.")
    talk.streams[0].wait_for("conversation.assigned", id=other.conversation_id, timeout=30)
    assert [message["text"] for message in other.messages()].count("Me, too.") == 1
    decisions = talk.agent.ask("GET", f"/v1/conversations/{talk.visitor.conversation_id}/assignments")["items"]
    assert [decision["action"] for decision in decisions] == ["assigned"]
    talk.check()


def seen_by(world: World, label: str) -> datetime:
    """What time it is for a process, by the Date of what its own server answers."""
    port = world.product.variables[label]["FOYER_METRICS_PORT"] if label not in GATEWAYS else ""
    url = f"http://127.0.0.1:{port}/livez" if port else f"{world.product.gateways[label].url}/healthz"
    return parsedate_to_datetime(requests.get(url, timeout=5).headers["Date"])


@pytest.mark.parametrize("kind", [SlowDatabase, SlowBroker])
def test_product_is_slow_or_says_so_when_a_server_is(
    world: World, faults: dict[type[Fault], Fault], talk: Talk, kind: type[Fault]
) -> None:
    fault = faults[kind]
    assert isinstance(fault, SlowDatabase | SlowBroker)
    assert fault.relay is not None
    passed = fault.relay.passed
    talk.go_on("quick")
    assert fault.relay.passed > passed, "everything goes round the relay"
    fault.apply(world)
    try:
        began = time.monotonic()
        talk.say("slow")
        assert time.monotonic() - began > SHORTEST  # a lower bound: no machine is so fast that it could be less
        talk.say("slow, too")
    finally:
        fault.heal(world)
    talk.check()


@pytest.mark.parametrize("kind", [WipedBroker, DeletedCalls])
def test_calls_arrive_again_when_their_queues_are_gone(world: World, talk: Talk, kind: type[Fault]) -> None:
    fault = kind()
    talk.go_on("before")
    fault.apply(world)
    if kind is WipedBroker:
        assert talk.send(talk.gateways[0], "without a broker", new_id()) in {0, 503}
    fault.heal(world)
    assert "rpc-messaging" in world.notes[-1]
    talk.go_on("after")
    talk.check()


def test_streams_are_told_to_fetch_again_when_the_event_log_is_made_anew(world: World, talk: Talk) -> None:
    talk.go_on("before")
    before = epoch_of(world)
    fault = LogMadeAnew()
    fault.apply(world)
    assert "foyer.events" in world.notes[-1]
    talk.go_on("meanwhile")
    fault.heal(world)
    for stream in talk.streams:
        wait_until(lambda: stream.named("reset"), 40, what="the reset")  # noqa: B023
    assert epoch_of(world) != before
    talk.go_on("after")
    talk.check(resets=True)


def epoch_of(world: World) -> str:
    connection = connect(world.product.broker.uri())
    try:
        return read_epoch(connection)
    finally:
        close_quietly(connection)
