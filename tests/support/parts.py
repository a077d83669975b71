"""The parts that conftests at several levels give their tests, each begun and ended in one place; the scopes are theirs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from services.common.rpc_client import RpcClient
from services.common.settings import Settings
from tests.support.events import Announcer, Collector
from tests.support.stack import Stack

AnyStack = TypeVar("AnyStack", bound=Stack)


@contextmanager
def running(stack: AnyStack) -> Iterator[AnyStack]:
    """The stack, started; all of it ends with the context, also when it did not start whole."""
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@contextmanager
def calling(settings: Settings) -> Iterator[RpcClient]:
    """Calls to the services as the gateway makes them."""
    client = RpcClient(settings)
    assert client.start(10)
    yield client
    client.close()


@contextmanager
def collecting(settings: Settings) -> Iterator[Collector]:
    """Every event published from now on."""
    collector = Collector(settings)
    collector.start()
    yield collector
    collector.close()


@contextmanager
def announcing(settings: Settings) -> Iterator[Announcer]:
    """Publishes events in the services' names."""
    announcer = Announcer(settings)
    yield announcer
    announcer.close()
