"""Whether a link's broker is there: connected, and heard of late."""

import time
from types import SimpleNamespace

import pytest

from services.common.amqp import HEARTBEAT
from services.common.consuming import ConsumerLoop


def a_link(*, heard: float, ready: bool = True) -> ConsumerLoop:
    """A link of which the broker was last heard at that moment (of the monotonic clock), 0 for not yet checked."""
    loop = ConsumerLoop("amqp://nowhere", "test", lambda channel: None)
    loop._connection = SimpleNamespace(connection=SimpleNamespace(last_heartbeat_received=heard))  # type: ignore[assignment]
    if ready:
        loop.ready.set()
    return loop


@pytest.mark.parametrize(("ago", "alive"), [(0.0, True), (HEARTBEAT - 1, True), (HEARTBEAT + 1, False)])
def test_broker_counts_as_gone_when_it_stands_still(ago: float, alive: bool) -> None:
    assert a_link(heard=time.monotonic() - ago).alive is alive


def test_link_is_alive_when_it_has_just_been_made() -> None:
    assert a_link(heard=0).alive


def test_link_is_not_alive_when_it_is_not_ready() -> None:
    assert not a_link(heard=time.monotonic(), ready=False).alive
    assert not ConsumerLoop("amqp://nowhere", "test", lambda channel: None).alive
