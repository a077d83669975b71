"""A broker for the stream tests, which kill and restart it, and a log of its own for each test."""

from collections.abc import Iterator

import pytest

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from gateway.settings import GatewaySettings
from gateway.streams import StreamHub
from services.common.ids import new_id
from tests.service.streams.kit import Publishing, running_hub, settings_for


@pytest.fixture(scope="session")
def stream_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """One RabbitMQ for all stream tests."""
    port, management_port = free_ports(2)
    broker = LocalBroker(tmp_path_factory.mktemp("stream-broker"), port, management_port=management_port)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def settings(stream_broker: LocalBroker) -> Iterator[GatewaySettings]:
    """Settings for a virtual host that nobody used before."""
    vhost = f"streams-{new_id()}"
    yield settings_for(stream_broker.add_vhost(vhost))
    stream_broker.delete_vhost(vhost)


@pytest.fixture
def publishing(settings: GatewaySettings) -> Iterator[Publishing]:
    """A relay's side of the log."""
    publishing = Publishing(settings)
    yield publishing
    publishing.close()


@pytest.fixture
def hub(settings: GatewaySettings, publishing: Publishing) -> Iterator[StreamHub]:
    """A gateway's streams."""
    with running_hub(settings) as hub:
        yield hub
