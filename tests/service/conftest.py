"""One broker, one database and one process of each service for all service tests: tests use fresh ids instead of a fresh world."""

from collections.abc import Callable, Iterator

import pytest

from deploy.local.process import ChildProcess
from services.common.rpc_client import RpcClient
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.parts import announcing, calling, collecting, running
from tests.support.stack import Stack, wait_for_service

Service = Callable[[str], ChildProcess]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The broker and the database, running; services are started by `service`."""
    with running(Stack(tmp_path_factory.mktemp("stack"))) as stack:
        yield stack


@pytest.fixture(scope="session")
def rpc(stack: Stack) -> Iterator[RpcClient]:
    """Calls to the services as the gateway makes them."""
    with calling(stack.settings) as client:
        yield client


@pytest.fixture(scope="session")
def collector(stack: Stack) -> Iterator[Collector]:
    """Every event published since the session's first use of this fixture; ask for it before the act."""
    with collecting(stack.settings) as collector:
        yield collector


@pytest.fixture(scope="session")
def announcer(stack: Stack, rpc: RpcClient) -> Iterator[Announcer]:
    """Publishes events in other services' names."""
    with announcing(stack.settings) as announcer:
        yield announcer


@pytest.fixture(scope="session")
def dead_letters(stack: Stack, rpc: RpcClient) -> DeadLetters:
    """What services have put aside."""
    return DeadLetters(stack.settings)


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
