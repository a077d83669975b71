"""nameko 2.14.1's known traps on the calls' side, each shown handled."""

import dataclasses
import signal
import threading
import time
from typing import Any

import pytest

from deploy.local.process import ChildProcess
from services.common.amqp import HEARTBEAT
from services.common.errors import DomainError, RemoteError, Unavailable
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from tests.integration.conftest import ProbeRunner
from tests.support.events import Announcer
from tests.support.stack import Stack, wait_for_service
from tests.support.tcp_relay import TcpRelay
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("probe")


def test_error_keeps_its_code_and_types_when_it_crosses_the_wire(rpc: RpcClient) -> None:
    with pytest.raises(RemoteError) as raised:
        rpc.call("contacts", "fail", name="Ann")
    assert raised.value.error_code == "CONTACT_NOT_FOUND"
    assert raised.value.text == "no Ann"
    assert raised.value.data == {"numbers": [1, 2.5], "none": None, "nested": {"name": "Ann"}}


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("break_down", {"name": "x"}, "INTERNAL"),
        ("answer_nonsense", {"name": "x"}, "INTERNAL"),
        ("work", {"name": 5}, "VALIDATION_FAILED"),
        ("work", {}, "VALIDATION_FAILED"),
        ("work", {"name": "x", "colour": "red"}, "VALIDATION_FAILED"),
        ("unknown", {}, "MALFORMED_REQUEST"),
    ],
)
def test_call_is_answered_with_a_code_when_it_fails(rpc: RpcClient, method: str, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(RemoteError) as raised:
        rpc.call("contacts", method, **arguments)
    assert raised.value.error_code == code
    assert "division" not in raised.value.text


@pytest.mark.parametrize(
    ("body", "properties"),
    [
        (b'{"args": [], "kwargs": {"name": "x"}}', {}),
        (b"\xff\x00 not json", {"reply_to": "nobody"}),
        (b"[1, 2]", {"reply_to": "nobody"}),
        (b'{"args": [1], "kwargs": {}}', {"reply_to": "nobody"}),
        (b'{"args": [], "kwargs": 5}', {"reply_to": "nobody", "content_type": "application/x-pickle"}),
        (b"", {"reply_to": "nobody", "content_type": "text/plain", "content_encoding": "klingon"}),
    ],
)
def test_service_lives_on_when_a_hostile_message_arrives(
    rpc: RpcClient, probes: ProbeRunner, probe: ChildProcess, body: bytes, properties: dict[str, str]
) -> None:
    pid = probe.pid
    probes.publish("contacts.work", body, **properties)
    assert rpc.call("contacts", "work", name=new_id())
    assert probe.pid == pid
    assert probes.done("x") == []


def test_caller_is_told_at_once_when_the_service_does_not_exist(rpc: RpcClient) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match="not running"):
        rpc.call("presence", "get_health", timeout=20)
    assert time.monotonic() - started < 10


def test_call_ends_at_its_deadline_and_is_never_begun_when_the_service_hangs(
    rpc: RpcClient, probes: ProbeRunner, probe: ChildProcess
) -> None:
    name = new_id()
    probe.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable, match="did not answer"):
            rpc.call("contacts", "work", name=name, timeout=0.5)
    finally:
        probe.send_signal(signal.SIGCONT)
    assert rpc.call("contacts", "work", name=new_id())
    assert probes.done(name) == []


def test_running_work_answers_and_is_not_repeated_when_sigterm_comes(
    rpc: RpcClient, probes: ProbeRunner, probe: ChildProcess
) -> None:
    name = new_id()
    answers: list[object] = []
    call = threading.Thread(target=lambda: answers.append(rpc.call("contacts", "work", name=name, seconds=1.0, timeout=30)))
    call.start()
    wait_until(lambda: probes.done(name) == ["started"])
    other = probes.start("other", wait=False)
    try:
        probe.send_signal(signal.SIGTERM)
        call.join(30)
        assert answers == [{"name": name}]
        assert probe.wait(20)
        assert probe.returncode == 0
        wait_until(lambda: _answers(rpc), 60)
        assert probes.done(name) == ["started", "ended"]
    finally:
        other.stop()


def test_call_is_done_by_another_replica_when_one_is_killed(rpc: RpcClient, probes: ProbeRunner, probe: ChildProcess) -> None:
    name = new_id()
    answers: list[object] = []
    call = threading.Thread(target=lambda: answers.append(rpc.call("contacts", "work", name=name, seconds=2.0, timeout=60)))
    call.start()
    wait_until(lambda: probes.done(name) == ["started"])
    probe.kill()
    probes.start()
    call.join(60)
    assert answers == [{"name": name}]
    assert probes.done(name) == ["started", "started", "ended"]


def test_calls_are_answered_when_a_flood_of_slow_events_arrives(
    rpc: RpcClient, announcer: Announcer, probes: ProbeRunner
) -> None:
    flood = new_id()
    for number in range(60):
        data = {"name": flood, "seconds": 1.0}
        announcer.publish("messaging", "field_collected", data, entity=("conversation", "c", number))
    assert [rpc.call("contacts", "work", name=new_id(), timeout=3.0) for _ in range(5)]
    assert len(probes.done(flood)) < 60
    wait_until(lambda: len(probes.done(flood)) == 60, 60)


def test_log_holds_no_argument_when_everything_is_logged(rpc: RpcClient, probes: ProbeRunner, probe: ChildProcess) -> None:
    probe.stop()
    talkative = probes.start("talkative", FOYER_LOG_LEVEL="DEBUG")
    secret = f"secret-{new_id()}"
    rpc.call("contacts", "work", name=secret)
    for method in ("fail", "break_down"):
        with pytest.raises(DomainError):
            rpc.call("contacts", method, name=secret)
    talkative.stop()
    log = talkative.log_path.read_text()
    assert "division by zero" in log
    assert secret not in log.replace(f"no {secret}", "")


def _answers(rpc: RpcClient) -> bool:
    try:
        return bool(rpc.call("contacts", "get_health", timeout=1.0))
    except DomainError:
        return False


def test_calls_are_answered_again_at_once_when_the_broker_has_not_noticed_the_lost_link(
    stack: Stack, probe: ChildProcess
) -> None:
    with TcpRelay(stack.broker.port) as relay:
        uri = stack.broker.uri().replace(str(stack.broker.port), str(relay.port))
        client = RpcClient(dataclasses.replace(stack.settings, amqp_uri=uri))
        try:
            assert client.start(10)
            wait_for_service(client, "contacts", probe)
            relay.strand()
            wait_until(lambda: not client.connected, what="the loss")
            # Sooner than the broker gives the dead link's exclusive queue up: that takes two heartbeats.
            wait_until(lambda: client.connected, HEARTBEAT, what="the next link")
            assert client.call("contacts", "get_health")["status"] == "ok"
        finally:
            client.close()
