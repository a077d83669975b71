"""
The parts that conftests at several levels give their tests, each begun and ended in one place; the scopes are theirs.

Contexts first, for fixtures with words of their own; then the fixtures that most want: `rpc = pytest.fixture(parts.rpc, scope="session")`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from services.common.rpc_client import RpcClient
from services.common.settings import Settings
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.facebook import Facebook
from tests.support.product import Gateway, Product, Stream
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
    assert client.start(15)
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


def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A broker and a database; services are started by the tests."""
    with running(Stack(tmp_path_factory.mktemp("stack"))) as stack:
        yield stack


def rpc(stack: Stack) -> Iterator[RpcClient]:
    """Calls to the stack's services."""
    with calling(stack.settings) as client:
        yield client


def collector(stack: Stack) -> Iterator[Collector]:
    """Every event since the first use of this fixture; ask for it before the act."""
    with collecting(stack.settings) as collector:
        yield collector


def announcer(stack: Stack, rpc: RpcClient) -> Iterator[Announcer]:
    """Publishes events in the services' names."""
    with announcing(stack.settings) as announcer:
        yield announcer


def dead_letters(stack: Stack, rpc: RpcClient) -> DeadLetters:
    """What services have put aside."""
    return DeadLetters(stack.settings)


def product(**extra: str) -> Callable[[pytest.TempPathFactory], Iterator[Product]]:
    """All but the gateway, with these variables."""

    def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
        with running(Product(tmp_path_factory.mktemp("product"), **extra)) as product:
            yield product

    return product


def outside(facebook: Facebook) -> dict[str, str]:
    """The variables of a product whose outside world is this machine: that Facebook, and webhooks' receivers on loopback."""
    return {"FOYER_GRAPH_URL": facebook.url, "FOYER_WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8"}


def open_product(tmp_path_factory: pytest.TempPathFactory, facebook: Facebook) -> Iterator[Product]:
    """All but the gateway, with an outside world."""
    yield from product(**outside(facebook))(tmp_path_factory)


def gateway(product: Product) -> Gateway:
    """The product's gateway, ready."""
    return product.start_gateway()


def admin(gateway: Gateway) -> str:
    """The first admin's access token."""
    return gateway.sign_in()


def streams_end() -> Iterator[None]:
    """Streams that a failed test left open would go on asking for their gateway, in the midst of other modules' tests."""
    yield
    for stream in list(Stream.open):
        stream.close()
