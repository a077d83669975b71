"""The whole product, once for all tests that break nothing."""

from collections.abc import Iterator

import pytest

from tests.support.parts import running
from tests.support.product import Gateway, Product
from tests.unit.messaging.flows import ACME


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(Product(tmp_path_factory.mktemp("product"))) as product:
        yield product


@pytest.fixture(scope="session")
def gateway(product: Product) -> Gateway:
    return product.start_gateway()


@pytest.fixture(scope="session")
def admin(gateway: Gateway) -> str:
    """An admin's access token."""
    return gateway.sign_in()


def make_channel(gateway: Gateway, admin: str, **values: object) -> str:
    """A web channel with the Acme flow."""
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"} | values, token=admin)
    gateway.ask("PUT", f"/v1/channels/{channel['id']}/flow", ACME, token=admin)
    return str(channel["id"])


@pytest.fixture(scope="session")
def channel_id(gateway: Gateway, admin: str) -> str:
    return make_channel(gateway, admin)
