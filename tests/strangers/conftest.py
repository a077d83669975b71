"""The whole product, once for all strangers' tests; without limits of rates, which would end an attack before it is seen."""

import pytest

from deploy.local.ports import free_port
from tests.e2e.conftest import make_channel
from tests.support import parts
from tests.support.facebook import running_facebook
from tests.support.product import Gateway, Product
from tests.support.receiver import running_receiver

facebook = pytest.fixture(running_facebook, scope="session")
product = pytest.fixture(parts.open_product, scope="session")
gateway = pytest.fixture(parts.gateway, scope="session")
admin = pytest.fixture(parts.admin, scope="session")
streams_end = pytest.fixture(parts.streams_end, scope="module", autouse=True)


@pytest.fixture(scope="session")
def channel_id(gateway: Gateway, admin: str) -> str:
    """A web channel with the Acme flow."""
    return make_channel(gateway, admin)


def start_gateway(product: Product, name: str, **environment: str) -> Gateway:
    """One more gateway, which has variables of its own."""
    another = Gateway(product, name, free_port())
    another.process.environment = {**(another.process.environment or {}), **environment}
    another.start()
    return another


receiver = pytest.fixture(running_receiver, scope="session")


@pytest.fixture(scope="session")
def second(product: Product, gateway: Gateway) -> Gateway:
    """Another gateway, for what has to hold on every one."""
    return start_gateway(product, "second")


@pytest.fixture(scope="session")
def guarded(product: Product, gateway: Gateway) -> Gateway:
    """A gateway with limits, behind a proxy that it trusts: the tests are that proxy."""
    return start_gateway(product, "guarded", FOYER_RATE_LIMITS="on")


@pytest.fixture(scope="session")
def alone(product: Product, gateway: Gateway) -> Gateway:
    """A gateway with limits, that nothing stands before."""
    return start_gateway(product, "alone", FOYER_RATE_LIMITS="on", TRUSTED_PROXIES="")
