"""What a service's process says of itself when its workers hang, or its broker or database is away."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from gateway.readiness import HEALTH_SECONDS
from services.common.errors import DomainError, Unavailable
from services.common.ids import new_id
from services.common.rpc import RPC_WORKERS
from services.common.rpc_client import RpcClient
from tests.integration.conftest import ProbeRunner
from tests.support.events import Announcer
from tests.support.stack import Stack
from tests.support.tcp_relay import TcpRelay
from tests.support.waiting import wait_until

CONFIRM_SELECT = b"\x00\x55\x00\x0a"  # as AMQP has it; only who publishes events says it
BASIC_CONSUME = b"\x00\x3c\x00\x14"


class Watched:
    """A probe that serves its health, and what it says there."""

    def __init__(self, probes: ProbeRunner, **extra: str) -> None:
        self.port = free_port()
        self.process: ChildProcess = probes.start(f"watched-{new_id()}", wait=True, FOYER_METRICS_PORT=str(self.port), **extra)
        wait_until(lambda: self.code("/healthz") == 200, 20, what="health")

    def send(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)

    def code(self, path: str) -> int:
        return self.send(path).status_code

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = self.send("/healthz").json()
        return report

    def probed(self) -> subprocess.CompletedProcess[str]:
        """`python -m services.common.probe` as a container's health check runs it."""
        command = [sys.executable, "-m", "services.common.probe"]
        return subprocess.run(
            command, env={"FOYER_METRICS_PORT": str(self.port)}, capture_output=True, text=True, timeout=20, check=False
        )


@pytest.fixture
def watch(probes: ProbeRunner) -> Iterator[Any]:
    started: list[Watched] = []

    def start(**extra: str) -> Watched:
        started.append(Watched(probes, **extra))
        return started[-1]

    yield start
    for watched in started:
        watched.process.kill()
    # What they held would be delivered to the next test's.
    probes.empty_queues()


def occupy(rpc: RpcClient, count: int) -> None:
    """Have `count` calls that never end."""

    def call() -> None:
        with pytest.raises(DomainError):
            rpc.call("contacts", "work", name="for ever", seconds=3600.0, timeout=3.0)

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_health_names_the_replica_and_every_part(watch: Any) -> None:
    watched = watch()
    report = watched.report()
    assert report["instance"].endswith(f":{watched.process.pid}")
    assert report["status"] == "ok"
    assert all(report[part] is True for part in ("database", "broker", "events", "outbox", "workers"))
    assert watched.send("/livez").json() == {"status": "ok", "hanging": []}
    probed = watched.probed()
    assert (probed.returncode, '"status":"ok"' in probed.stdout) == (0, True)


def test_process_is_no_longer_alive_when_most_call_workers_hang(watch: Any, rpc: RpcClient) -> None:
    watched = watch(PROBE_HANG_SECONDS="0.5")
    occupy(rpc, RPC_WORKERS // 2)
    assert watched.code("/livez") == 200
    occupy(rpc, 1)
    wait_until(lambda: watched.code("/livez") == 503, what="the hang")
    assert watched.send("/livez").json()["hanging"] == ["calls"]
    assert watched.report() | {"status": "degraded", "workers": False, "broker": True} == watched.report()
    assert watched.probed().returncode == 1


def test_process_is_no_longer_alive_when_most_event_workers_hang(watch: Any, announcer: Announcer) -> None:
    watched = watch(PROBE_HANG_SECONDS="0.5")
    for number in range(6):
        announcer.publish(
            "messaging", "field_collected", {"name": "for ever", "seconds": 3600}, entity=("conversation", "c", number)
        )
    wait_until(lambda: watched.code("/livez") == 503, what="the hang")
    assert watched.send("/livez").json()["hanging"] == ["events"]


def test_service_is_unhealthy_while_the_broker_is_cut_off_and_healthy_afterwards(watch: Any, stack: Stack) -> None:
    with TcpRelay(stack.broker.port) as relay:
        uri = stack.broker.uri().replace(f":{stack.broker.port}", f":{relay.port}")
        watched = watch(AMQP_URI=uri)
        relay.hold()
        wait_until(lambda: watched.code("/healthz") == 503, 30, what="the partition noticed")
        wait_until(lambda: not (watched.report()["broker"] or watched.report()["events"]), 30, what="both links noticed")
        assert watched.report()["database"]
        assert watched.code("/livez") == 200
        relay.release()
        wait_until(lambda: watched.code("/healthz") == 200, 30, what="health again")


@pytest.mark.parametrize("part", ["broker", "database"])
def test_service_is_unhealthy_while_a_server_is_away_and_healthy_afterwards(
    watch: Any, stack: Stack, rpc: RpcClient, part: str
) -> None:
    watched = watch()
    server = stack.broker if part == "broker" else stack.database
    server.stop()
    try:
        wait_until(lambda: not watched.report()[part], 20, what="the absence noticed")
        assert watched.code("/healthz") == 503
        assert watched.code("/livez") == 200
        assert watched.probed().returncode == 1
        if part == "database":  # said in the time that the gateway gives it

            def says_so() -> bool:
                with contextlib.suppress(Unavailable):
                    return bool(rpc.call("contacts", "get_health", timeout=HEALTH_SECONDS)["database"] is False)
                return False

            wait_until(says_so, what="the absence said in time")
    finally:
        server.start()
    wait_until(lambda: watched.code("/healthz") == 200, 40, what="health again")


def test_service_is_unhealthy_while_the_database_takes_no_writes(watch: Any, stack: Stack) -> None:
    watched = watch()
    admin = stack.mongo("contacts").client.admin
    admin.command({"fsync": 1, "lock": True})
    try:
        wait_until(lambda: not watched.report()["database"], 30, what="the lock noticed")
        assert watched.code("/healthz") == 503
    finally:
        admin.command("fsyncUnlock")
    wait_until(lambda: watched.code("/healthz") == 200, 30, what="health again")


def test_trying_to_write_leaves_one_document_for_a_host_and_that_for_a_day(watch: Any, stack: Stack) -> None:
    database = stack.mongo("contacts")
    watch().process.kill()
    watch()
    assert [document["_id"] for document in database["health"].find()] == [socket.gethostname()]
    assert database["health"].index_information()["age"]["expireAfterSeconds"] == 86_400


def test_outbox_is_unwell_while_its_link_is_not_answered_and_all_is_sent_afterwards(
    watch: Any, stack: Stack, rpc: RpcClient
) -> None:
    with TcpRelay(stack.broker.port) as relay:
        uri = stack.broker.uri().replace(f":{stack.broker.port}", f":{relay.port}")
        watched = watch(AMQP_URI=uri, PROBE_STUCK_SECONDS="4")
        relay.leave_unanswered(CONFIRM_SELECT)
        wait_until(lambda: watched.report()["broker"] and watched.report()["events"], 30, what="the other links")
        thing = rpc.call("contacts", "make", name="late")["id"]
        wait_until(lambda: not watched.report()["outbox"], 30, what="the standstill noticed")
        assert watched.report() | {"status": "degraded", "database": True, "broker": True, "events": True} == watched.report()
        relay.leave_unanswered(None)
        wait_until(lambda: watched.code("/healthz") == 200, 60, what="health again")
        wait_until(lambda: stack.mongo("contacts").things.find_one({"_id": thing})["outbox"] == [], 20, what="the sending")  # type: ignore[index]


def test_links_for_calls_and_events_are_made_anew_when_their_making_is_not_answered(watch: Any, stack: Stack) -> None:
    with TcpRelay(stack.broker.port) as relay:
        uri = stack.broker.uri().replace(f":{stack.broker.port}", f":{relay.port}")
        watched = watch(AMQP_URI=uri)
        relay.leave_unanswered(BASIC_CONSUME)
        wait_until(lambda: relay.unanswered >= 2, 30, what="both links' standstill")
        assert watched.report() | {"broker": False, "events": False} == watched.report()
        relay.leave_unanswered(None)
        wait_until(lambda: watched.code("/healthz") == 200, 60, what="health again")


def test_probe_fails_when_nobody_answers() -> None:
    ended = subprocess.run([sys.executable, "-m", "services.common.probe"], env={}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "no answer" in ended.stdout
