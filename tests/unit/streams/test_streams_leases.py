"""Leases: many renewed in parts, one closed behind its stream."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.streams.leases import CHUNK, Leases
from services.common.errors import Unavailable
from tests.support.waiting import wait_until
from tests.unit.streams.rpc import RecordingRpc


@contextmanager
def renewing(answer: Callable[[str, dict[str, Any]], Any], count: int) -> Iterator[tuple[Leases, RecordingRpc]]:
    rpc = RecordingRpc(answer)
    leases = Leases(rpc, lease_seconds=0.06)
    for number in range(count):
        leases.open(f"agent-{number}", "sse")
    leases.start()
    try:
        yield leases, rpc
    finally:
        leases._held.clear()
        leases.stop(5)


def test_all_are_renewed_in_parts_when_there_are_many() -> None:
    with renewing(lambda *_: {}, 2 * CHUNK + 1) as (leases, rpc):
        wait_until(lambda: len(rpc.asked("presence.renew_connections")) >= 3, what="the first round of renewals")
        first = rpc.asked("presence.renew_connections")[:3]
    assert [len(renewal["connections"]) for renewal in first] == [CHUNK, CHUNK, 1]
    assert {renewal["gateway_id"] for renewal in first} == {leases.gateway_id}
    renewed = [connection["agent_id"] for renewal in first for connection in renewal["connections"]]
    assert renewed == [f"agent-{number}" for number in range(2 * CHUNK + 1)]


def test_later_parts_are_renewed_when_an_earlier_one_fails() -> None:
    def answer(name: str, arguments: dict[str, Any]) -> Any:
        if name == "presence.renew_connections" and arguments["connections"][0]["agent_id"] == "agent-0":
            raise Unavailable("Late.")
        return {}

    with renewing(answer, CHUNK + 1) as (_, rpc):
        wait_until(lambda: len(rpc.asked("presence.renew_connections")) >= 4, what="two rounds of renewals")
        rounds = rpc.asked("presence.renew_connections")[:4]
    assert [len(renewal["connections"]) for renewal in rounds] == [CHUNK, 1, CHUNK, 1]


def test_nothing_is_renewed_when_no_stream_is_open() -> None:
    with renewing(lambda *_: {}, 1) as (leases, rpc):
        (lease,) = leases._held.values()
        leases.close(lease)
        wait_until(lambda: rpc.asked("presence.close_connection"), what="the closing")
        renewals = len(rpc.asked("presence.renew_connections"))
        leases._ended.put(lease)  # a second closing says that a round has passed in between
        wait_until(lambda: len(rpc.asked("presence.close_connection")) == 2)
    assert len(rpc.asked("presence.renew_connections")) == renewals
