"""A stack of their own for tests that break things."""

import contextlib
import sys
from functools import partial
from typing import Any

import amqp
import pytest

from deploy.local.process import ChildProcess
from services.common.amqp import close_quietly, connect
from services.common.rpc_client import RpcClient
from tests.support import parts
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until

stack = pytest.fixture(parts.stack, scope="module")
rpc = pytest.fixture(parts.rpc, scope="module")
collector = pytest.fixture(parts.collector, scope="module")
announcer = pytest.fixture(parts.announcer, scope="module")
dead_letters = pytest.fixture(parts.dead_letters, scope="module")
streams_end = pytest.fixture(parts.streams_end, scope="module", autouse=True)


class ProbeRunner:
    """Starts probes and looks at what they did."""

    def __init__(self, stack: Stack, rpc: RpcClient) -> None:
        self.stack = stack
        self.rpc = rpc

    def start(self, name: str = "probe", *, wait: bool = True, **extra: str) -> ChildProcess:
        process = ChildProcess(
            name,
            [sys.executable, "-m", "tests.integration.probe_process"],
            environment=self.stack.environment | extra,
            log_path=self.stack.folder / f"{name}.log",
        )
        process.start()
        self.stack.services[name] = process
        if wait:
            wait_for_service(self.rpc, "contacts", process)
        return process

    def done(self, name: str) -> list[str]:
        """What was done under a name, in order."""
        return [record["what"] for record in self.stack.mongo("contacts").done.find({"name": name})]

    def empty_queues(self) -> None:
        """Throw away the calls and events that no probe has taken, or that a killed one had."""
        connection = connect(self.stack.settings.amqp_uri)
        for queue in ("rpc-contacts", "events.contacts"):
            with contextlib.suppress(amqp.exceptions.NotFound), connection.channel() as channel:
                wait_until(partial(_is_forsaken, channel, queue), what="the end of the killed one's link")
                channel.queue_purge(queue)
        close_quietly(connection)

    def publish(self, routing_key: str, body: bytes, **properties: Any) -> None:
        """Any bytes to the RPC exchange."""
        connection = connect(self.stack.settings.amqp_uri)
        with connection.channel() as channel:
            channel.confirm_select()
            channel.basic_publish(amqp.Message(body, **properties), "nameko-rpc", routing_key)
            channel.wait([amqp.spec.Basic.Ack], timeout=5)
        close_quietly(connection)


def _is_forsaken(channel: Any, queue: str) -> bool:
    return not channel.queue_declare(queue, passive=True).consumer_count


@pytest.fixture(scope="module")
def probes(stack: Stack, rpc: RpcClient) -> ProbeRunner:
    return ProbeRunner(stack, rpc)


@pytest.fixture
def probe(probes: ProbeRunner) -> ChildProcess:
    """One running probe, the same for a module's tests unless a test ended it."""
    process = probes.stack.services.get("probe")
    if process is None or not process.running:
        process = probes.start()
    return process
