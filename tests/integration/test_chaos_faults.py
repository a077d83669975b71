"""The faults of tests.chaos that need more than a signal: each does what it says, and the product bears it with nothing lost and nothing doubled."""

import time
from collections.abc import Iterator
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
from tests.chaos.product import GATEWAYS, REPLICAS, ChaosProduct, labels
from tests.chaos.world import World
from tests.integration.talking import Talk, begin_talk, breakable
from tests.support.clocks import find_library
from tests.support.product import Visitor
from tests.support.small_disk import why_no_disk
from tests.support.waiting import wait_until

# Eight processes start once for all, and the disk is full for as long as mongod needs to come back.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NEEDS_DISK = pytest.mark.skipif(bool(why_no_disk()), reason=why_no_disk())
NEEDS_CLOCKS = pytest.mark.skipif(find_library() is None, reason="libfaketime is not installed")
SERVICES = labels(*REPLICAS)


@pytest.fixture(scope="module")
def faults() -> dict[type[Fault], Fault]:
    """Those that arrange something before the start; the two clocks are one."""
    return {kind: kind() for kind in (FullDisk, ClockAhead, SlowDatabase, SlowBroker) if not kind().why_not()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, faults: dict[type[Fault], Fault]) -> Iterator[World]:
    product = ChaosProduct(tmp_path_factory.mktemp("chaos"))
    for label in SERVICES:
        product.variables[label] = {"FOYER_METRICS_PORT": str(free_port())}
    with breakable(product, list(faults.values())) as world:
        yield world


talk = pytest.fixture(begin_talk)


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

        def says_which() -> bool:
            return talk.send(talk.gateways[0], "without room 2", keys[2]) == 503 and talk.answers[-1][1] == "DATABASE_UNAVAILABLE"

        wait_until(says_which, what="the part that is down named before the deadline")
        assert not talk.well(talk.gateways[0])
    finally:
        fault.heal(world)
    for number, key in enumerate(keys):
        wait_until(lambda: talk.send(talk.gateways[1], f"without room {number}", key) == 201, 60, what="room")  # noqa: B023
        talk.texts.append(f"without room {number}")
    talk.check()


@NEEDS_CLOCKS
@pytest.mark.parametrize("by", [HOUR, -HOUR])
@pytest.mark.parametrize("label", [replicas[-1] for replicas in (*REPLICAS.values(), GATEWAYS)])
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
    return parsedate_to_datetime(requests.get(url, timeout=15).headers["Date"])


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
    try:
        if kind is WipedBroker:
            assert talk.send(talk.gateways[0], "without a broker", new_id()) in {0, 503}
    finally:
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
