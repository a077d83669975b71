"""One broker, one database and one process of each service for all service tests: tests use fresh ids instead of a fresh world."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from deploy.local.process import ChildProcess
from services.common.rpc_client import RpcClient
from tests.support import parts
from tests.support.stack import Stack, wait_for_service

Service = Callable[[str], ChildProcess]
# A busy machine takes longer than a call's usual deadline.
PATIENCE = 15.0


def patient_rpc(stack: Stack) -> Iterator[RpcClient]:
    """Calls to the stack's services, which are waited for longer than a gateway waits."""
    with parts.calling(replace(stack.settings, rpc_timeout=PATIENCE)) as client:
        yield client


stack = pytest.fixture(parts.stack, scope="session")
rpc = pytest.fixture(patient_rpc, scope="session")
collector = pytest.fixture(parts.collector, scope="session")
announcer = pytest.fixture(parts.announcer, scope="session")
dead_letters = pytest.fixture(parts.dead_letters, scope="session")


@pytest.fixture(scope="session")
def service(stack: Stack, rpc: RpcClient) -> Service:
    """`service("contacts")`: the one shared process of a service, started on first use and healthy; again if a test ended it."""

    def start(name: str) -> ChildProcess:
        process = stack.services.get(name)
        if process is None or not process.running:
            process = stack.start_service(name)
            wait_for_service(rpc, name, process)
        return process

    return start
