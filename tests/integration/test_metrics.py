"""What a service's process measures of itself, its queues and its outbox, read where Prometheus reads it."""

import math
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from services.common.amqp import Outgoing, Publisher
from services.common.envelope import NewEvent
from services.common.errors import DomainError
from services.common.events import EVENT_WORKERS
from services.common.ids import new_id
from services.common.rpc import RPC_WORKERS
from services.common.rpc_client import RpcClient
from services.common.times import now
from services.common.version import VERSION
from tests.integration.conftest import ProbeRunner
from tests.support.events import Announcer, DeadLetters
from tests.support.stack import Stack
from tests.support.waiting import wait_until


class Measured:
    """A probe that looks at its queues ten times a second, and its metrics."""

    def __init__(self, probes: ProbeRunner) -> None:
        self.port = free_port()
        self.process: ChildProcess = probes.start(
            f"measured-{new_id()}",
            wait=True,
            FOYER_METRICS_PORT=str(self.port),
            PROBE_QUEUE_SECONDS="0.1",
            PROBE_WATCH_SECONDS="0.1",
        )

    def value(self, name: str, **labels: str) -> float:
        """A sample's value; 0 when there is none."""
        text = requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=15).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return next((s.value for s in samples if s.name == name and labels.items() <= s.labels.items()), 0.0)


@pytest.fixture
def measured(probes: ProbeRunner) -> Iterator[Measured]:
    started = Measured(probes)
    yield started
    started.process.kill()
    # What it held would be delivered to the next test's.
    probes.empty_queues()


def test_calls_are_timed_from_their_sending(measured: Measured, rpc: RpcClient) -> None:
    before = measured.value("foyer_rpc_wait_seconds_count", service="contacts")
    rpc.call("contacts", "work", name=new_id())
    assert measured.value("foyer_rpc_wait_seconds_count", service="contacts") > before
    assert measured.value("foyer_rpc_wait_seconds_sum", service="contacts") < 5
    wait_until(lambda: measured.value("foyer_rpc_seconds_count", method="contacts.work") == 1, what="the call timed")
    assert measured.value("foyer_build_info", service="contacts", version=VERSION) == 1
    assert measured.value("process_resident_memory_bytes") > 0


def test_events_are_timed_from_their_commit(measured: Measured, announcer: Announcer) -> None:
    announcer.publish("messaging", "field_collected", {"name": new_id()}, entity=("conversation", "c", 1))
    wait_until(lambda: measured.value("foyer_events_lag_seconds_count", source="messaging") >= 1)
    assert measured.value("foyer_events_handled_total", source="messaging", type="field_collected") == 1


def test_waiting_events_are_counted(measured: Measured, announcer: Announcer) -> None:
    for number in range(EVENT_WORKERS + 4):
        data = {"name": "held", "seconds": 3600}
        announcer.publish("messaging", "field_collected", data, entity=("conversation", "c", number))
    wait_until(lambda: measured.value("foyer_event_queue_length") == 4)
    assert measured.value("foyer_workers_busy", kind="events") == EVENT_WORKERS
    assert measured.value("foyer_workers_oldest_seconds", kind="events") > 0


def test_waiting_calls_are_counted(measured: Measured, rpc: RpcClient) -> None:
    def call() -> None:
        with pytest.raises(DomainError):
            rpc.call("contacts", "work", name="held", seconds=3600.0, timeout=10.0)

    threads = [threading.Thread(target=call) for _ in range(RPC_WORKERS + 5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: measured.value("foyer_rpc_queue_length") == 5, 10, what="the queue's length")
    assert measured.value("foyer_workers_busy", kind="calls") == RPC_WORKERS
    for thread in threads:
        thread.join()


def test_dead_letters_are_counted(measured: Measured, stack: Stack, dead_letters: DeadLetters) -> None:
    dead_letters.take("contacts")
    wait_until(lambda: measured.value("foyer_dead_letters") == 0, what="none")
    publisher = Publisher(stack.settings.amqp_uri)
    publisher.publish_confirmed([Outgoing("messaging.events", "field_collected", b"not an event")])
    publisher.close()
    wait_until(lambda: measured.value("foyer_dead_letters") == 1, what="one")
    wait_until(lambda: measured.value("foyer_events_dead_total", reason="undecodable") == 1, what="its reason")
    dead_letters.take("contacts")


def test_what_can_not_be_sent_is_counted_and_its_age_told(measured: Measured, stack: Stack) -> None:
    wait_until(lambda: time.monotonic() - stack.started_at > 5)  # younger streams don't survive their broker's end
    wait_until(lambda: measured.value("foyer_event_queue_length") == 0)
    stack.broker.stop()
    try:
        thing = new_id()
        entry = NewEvent("contact_created", "contact", {}).entry(thing, 1) | {"at": now() - timedelta(seconds=100)}
        stack.mongo("contacts").things.insert_one({"_id": thing, "version": 1, "outbox": [entry]})
        wait_until(lambda: measured.value("foyer_outbox_unsent") == 1, 20, what="the unsent event noticed")
        assert measured.value("foyer_outbox_oldest_seconds") > 100
        wait_until(lambda: math.isnan(measured.value("foyer_event_queue_length")), 20, what="the queue's length unknown")
    finally:
        stack.broker.start()
    wait_until(lambda: measured.value("foyer_outbox_oldest_seconds") == 0, 40, what="sent")
    wait_until(lambda: measured.value("foyer_event_queue_length") == 0, 20, what="the queue's length known again")


@pytest.mark.parametrize("part", ["database", "broker"])
def test_what_is_away_is_told_though_nobody_asks_for_health(measured: Measured, stack: Stack, part: str) -> None:
    parts = ("database", "broker", "events", "outbox", "workers")
    wait_until(lambda: [measured.value("foyer_health", part=each) for each in parts] == [1] * 5, 20, what="health")
    wait_until(lambda: measured.value("foyer_outbox_unsent") == 0 == measured.value("foyer_outbox_oldest_seconds"))
    wait_until(lambda: time.monotonic() - stack.started_at > 5)  # younger streams don't survive their broker's end
    server = stack.broker if part == "broker" else stack.database
    server.stop()
    try:
        wait_until(lambda: measured.value("foyer_health", part=part) == 0, 30, what="the absence told")
        if part == "database":
            wait_until(lambda: math.isnan(measured.value("foyer_outbox_unsent")), 20, what="the unsent unknown")
            assert math.isnan(measured.value("foyer_outbox_oldest_seconds"))
    finally:
        server.start()
    wait_until(lambda: measured.value("foyer_health", part=part) == 1, 40, what="the return told")
    wait_until(lambda: measured.value("foyer_outbox_unsent") == 0, 20, what="the unsent known again")
