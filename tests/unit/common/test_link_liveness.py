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
def test_broker_counts_as_gone_when_it_stands_still(monkeypatch: pytest.MonkeyPatch, ago: float, alive: bool) -> None:
    monkeypatch.setattr("services.common.consuming.time.monotonic", lambda: 100.0)
    assert a_link(heard=100.0 - ago).alive is alive


def test_link_is_alive_when_it_has_just_been_made() -> None:
    assert a_link(heard=0).alive


def test_link_is_not_alive_when_it_is_not_ready() -> None:
    assert not a_link(heard=time.monotonic(), ready=False).alive
    assert not ConsumerLoop("amqp://nowhere", "test", lambda channel: None).alive


class StandingStill:
    """A connection during whose first read the process stands still for a while; in the second the loop is told to end."""

    def __init__(self, loop: ConsumerLoop, clock: list[float], seconds: float) -> None:
        self._loop, self._clock, self._seconds = loop, clock, seconds
        self.checks = 0

    def drain_events(self) -> None:
        if self.checks:
            self._loop._stopping.set()
        self._clock[0] += self._seconds

    def heartbeat_check(self) -> None:
        self.checks += 1


def test_link_is_made_anew_when_the_process_stood_still_for_longer_than_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, clock = a_link(heard=0), [100.0]
    monkeypatch.setattr("services.common.consuming.time.monotonic", lambda: clock[0])
    loop._connection = StandingStill(loop, clock, HEARTBEAT + 1)  # type: ignore[assignment]
    with pytest.raises(ConnectionError, match="stood still for 11 s"):
        loop._drain()


def test_link_is_kept_when_the_process_was_merely_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, clock = a_link(heard=0), [100.0]
    monkeypatch.setattr("services.common.consuming.time.monotonic", lambda: clock[0])
    connection = StandingStill(loop, clock, HEARTBEAT - 1)
    loop._connection = connection  # type: ignore[assignment]
    loop._drain()
    assert connection.checks == 2
