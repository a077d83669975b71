"""nameko 2.14.1's known traps on the events' side, and the outbox' promises, each shown kept."""

import contextlib
import signal
import time
import urllib.request
from typing import Any

import pytest

from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from services.common.amqp import Outgoing, Publisher, close_quietly, connect
from services.common.envelope import Event, NewEvent
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from services.common.topology import EVENT_LOG, event_exchange
from services.common.wire import Undecodable
from tests.integration.conftest import ProbeRunner
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until


def announce(announcer: Announcer, name: str, **data: object) -> str:
    return announcer.publish("messaging", "field_collected", {"name": name, **data}, entity=("conversation", "c", 1))


def test_event_waits_for_its_consumer_when_it_is_published_before_the_first_start(
    announcer: Announcer, probes: ProbeRunner
) -> None:
    name = new_id()
    announce(announcer, name)
    probes.start()
    wait_until(lambda: probes.done(name) == ["event"])


def test_event_goes_aside_with_its_reason_and_blocks_nobody_when_it_fails_repeatedly(
    probe: ChildProcess, announcer: Announcer, probes: ProbeRunner, dead_letters: DeadLetters
) -> None:
    poison, wholesome = new_id(), new_id()
    announce(announcer, poison, poison=True)
    announce(announcer, wholesome)
    wait_until(lambda: probes.done(wholesome) == ["event"])
    letters = wait_until(lambda: dead_letters.take("contacts"), 30)
    [(headers, body)] = letters
    assert poison.encode() in body
    assert headers["x-foyer-reason"] == "failed"
    assert "can't be handled" in headers["x-foyer-detail"]
    assert (headers["x-foyer-exchange"], headers["x-foyer-routing-key"]) == ("messaging.events", "field_collected")
    assert probes.done(poison) == []


@pytest.mark.parametrize("body", [b"\xff", b"[]", b"{}", b'{"id": 5, "type": null}'])
def test_event_goes_aside_when_it_cannot_be_decoded(
    probe: ChildProcess, stack: Stack, dead_letters: DeadLetters, body: bytes
) -> None:
    publisher = Publisher(stack.settings.amqp_uri)
    publisher.publish_confirmed([Outgoing(event_exchange("messaging"), "field_collected", body)])
    publisher.close()
    [(headers, kept)] = wait_until(lambda: dead_letters.take("contacts"))
    assert headers["x-foyer-reason"] == "undecodable"
    assert kept == body
    assert probe.running


def test_event_is_handled_later_and_not_put_aside_when_the_database_is_away(
    probe: ChildProcess, announcer: Announcer, probes: ProbeRunner, stack: Stack, dead_letters: DeadLetters
) -> None:
    probe.stop()
    port = free_port()
    probes.start(FOYER_METRICS_PORT=str(port))
    name = new_id()
    stack.database.kill()
    try:
        announce(announcer, name)
        wait_until(lambda: attempts_failed(port) >= 2, 30)
    finally:
        stack.database.start()
    wait_until(lambda: probes.done(name) == ["event"], 30)
    assert dead_letters.take("contacts") == []


def attempts_failed(port: int) -> float:
    """What the probe's own metrics say of failed attempts."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=15) as response:
        lines = response.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("foyer_events_retried_total{"))


def test_event_is_sent_once_when_all_goes_well(probe: ChildProcess, rpc: RpcClient, collector: Collector) -> None:
    made = [rpc.call("contacts", "make", name=new_id())["id"] for _ in range(20)]
    collector.wait_for("contact_created", lambda e: e["entity"]["id"] in made, count=20)
    assert [e["entity"]["id"] for e in collector.found("contact_created") if e["entity"]["id"] in made] == made


def test_event_is_swept_up_when_a_crash_left_it(probe: ChildProcess, stack: Stack, collector: Collector) -> None:
    """What a process leaves that was killed between its commit and the broker's confirmation: a document with an outbox."""
    thing = new_id()
    first, second = (NewEvent("contact_updated", "contact", {"number": number}).entry(thing, number) for number in (1, 2))
    stack.mongo("contacts").things.insert_one({"_id": thing, "version": 2, "outbox": [first, second]})
    collector.wait_for("contact_updated", lambda e: e["entity"]["id"] == thing, 20, count=2)
    events = collector.found("contact_updated", lambda e: e["entity"]["id"] == thing)
    assert [event["data"]["number"] for event in events] == [1, 2]
    wait_until(lambda: stack.mongo("contacts").things.find_one({"_id": thing})["outbox"] == [])  # type: ignore[index]


def test_everything_is_in_the_log_when_the_broker_was_killed_in_between(
    probe: ChildProcess, stack: Stack, rpc: RpcClient
) -> None:
    """RabbitMQ 3.10 confirms what it drops while a stream is still starting after the broker did."""
    # It also forgets a stream for good when it is killed within about a second of the first declaration.
    wait_until(lambda: time.monotonic() - stack.started_at > 5)
    probe.send_signal(signal.SIGSTOP)
    stack.broker.kill()
    # Committed while the broker was away, as by workers that had begun before.
    things = [new_id() for _ in range(50)]
    stack.mongo("contacts").things.insert_many(
        {"_id": thing, "version": 1, "outbox": [NewEvent("contact_created", "contact", {}).entry(thing, 1)]} for thing in things
    )
    probe.send_signal(signal.SIGCONT)
    stack.broker.start()
    wait_for_service(rpc, "contacts", probe, 30)
    wait_until(
        lambda: stack.mongo("contacts").things.count_documents({"_id": {"$in": things}, "outbox.0": {"$exists": True}}) == 0, 30
    )
    assert logged(stack, set(things)) == set(things)


def logged(stack: Stack, wanted: set[str]) -> set[str]:
    """Which of the entities the event log holds events of."""
    found: set[str] = set()
    connection = connect(stack.settings.amqp_uri)
    channel = connection.channel()
    channel.basic_qos(0, 200, False)

    def take(message: Any) -> None:
        with contextlib.suppress(Undecodable):  # what other tests published
            found.add(Event.decode(message.body).entity_id)
        channel.basic_ack(message.delivery_info["delivery_tag"])

    channel.basic_consume(EVENT_LOG, callback=take, arguments={"x-stream-offset": "first"})
    with contextlib.suppress(TimeoutError):
        while not wanted <= found:
            connection.drain_events(timeout=15)
    close_quietly(connection)
    return found & wanted


def test_service_ends_in_time_when_events_fail_because_the_database_is_away(
    probes: ProbeRunner, stack: Stack, announcer: Announcer, probe: ChildProcess
) -> None:
    probe.stop()
    port = free_port()
    probe = probes.start(FOYER_METRICS_PORT=str(port))
    names = [new_id() for _ in range(8)]
    stack.database.kill()
    try:
        for name in names:
            announce(announcer, name)
        wait_until(lambda: attempts_failed(port) >= 8, 30)
        probe.send_signal(signal.SIGTERM)
        assert probe.wait(20)
        assert probe.returncode == 0
    finally:
        stack.database.start()
    probes.start()
    wait_until(lambda: all("event" in probes.done(name) for name in names), 30)


@pytest.mark.parametrize("away", ["broker", "database", "both"])
def test_service_ends_in_time_when_what_it_needs_is_away(
    probes: ProbeRunner, stack: Stack, probe: ChildProcess, away: str
) -> None:
    by_name: dict[str, list[Any]] = {
        "broker": [stack.broker],
        "database": [stack.database],
        "both": [stack.broker, stack.database],
    }
    parts = by_name[away]
    for part in parts:
        part.kill()
    try:
        probe.send_signal(signal.SIGTERM)
        assert probe.wait(20)
        assert probe.returncode == 0
    finally:
        for part in parts:
            part.start()
        wait_until(lambda: probes.rpc.connected, 30)
