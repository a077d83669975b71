"""The beat that tells assignment which visitors are there."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from gateway.streams import metrics
from gateway.streams.fanout import Fanout
from gateway.streams.limits import Limits
from gateway.streams.subscriber import Viewer
from gateway.streams.visitors import CHUNK, VisitorBeat
from services.common.errors import Unavailable
from tests.support.waiting import wait_until
from tests.unit.streams.rpc import RecordingRpc

NOTE = "assignment.note_visitors"


def notes(rpc: RecordingRpc) -> list[list[str]]:
    return [arguments["contact_ids"] for arguments in rpc.asked(NOTE)]


def beat_of(rpc: RecordingRpc, streaming: Callable[[], Iterable[str]] = list, interval: float = 60.0) -> VisitorBeat:
    return VisitorBeat(rpc, streaming, interval)


def waiting(count: int) -> RecordingRpc:
    return RecordingRpc(lambda *_: {"waiting": count})


def test_nobody_is_named_when_nobody_waits() -> None:
    rpc = waiting(0)
    beat = beat_of(rpc, lambda: ["c1"])
    beat.saw("c2")
    beat.beat()
    assert notes(rpc) == [[]]


def test_all_who_are_there_are_named_once_when_somebody_waits() -> None:
    rpc = waiting(1)
    beat = beat_of(rpc, lambda: ["c1", "c2"])
    for contact_id in ("c2", "c3", "c3"):
        beat.saw(contact_id)
    beat.beat()
    assert notes(rpc) == [[], ["c1", "c2", "c3"]]


def test_nothing_more_is_told_when_somebody_waits_and_nobody_is_there() -> None:
    rpc = waiting(1)
    beat_of(rpc).beat()
    assert notes(rpc) == [[]]


def test_visitors_are_named_in_parts_when_there_are_many() -> None:
    rpc = waiting(7)
    everybody = [f"c{number}" for number in range(2 * CHUNK + 1)]
    beat_of(rpc, lambda: everybody).beat()
    assert [len(part) for part in notes(rpc)] == [0, CHUNK, CHUNK, 1]
    assert [one for part in notes(rpc) for one in part] == everybody


def test_visitor_is_forgotten_when_the_last_request_is_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    beat = beat_of(waiting(1))
    beat.saw("c1")
    assert beat.present() == ["c1"]
    monkeypatch.setattr("gateway.streams.visitors.SEEN_SECONDS", -1.0)
    assert beat.present() == []
    assert not beat._seen


def test_whoever_asked_longest_ago_is_forgotten_first_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.streams.visitors.MAX_SEEN", 2)
    beat = beat_of(waiting(1))
    for contact_id in ("c1", "c2", "c1", "c3"):
        beat.saw(contact_id)
    assert beat.present() == ["c1", "c3"]


def test_later_parts_are_told_when_one_fails() -> None:
    failures = metrics.BEAT_FAILURES._value.get()

    def answer(_: str, arguments: dict[str, Any]) -> Any:
        if arguments["contact_ids"][:1] == ["c0"]:
            raise Unavailable("Late.")
        return {"waiting": 1}

    rpc = RecordingRpc(answer)
    beat_of(rpc, lambda: [f"c{number}" for number in range(CHUNK + 1)]).beat()
    assert [len(part) for part in notes(rpc)] == [0, CHUNK, 1]
    assert metrics.BEAT_FAILURES._value.get() == failures + 1


@pytest.mark.parametrize("failure", [Unavailable("Down."), ValueError("Unexpected."), None], ids=["away", "broken", "odd answer"])
def test_beat_goes_on_when_one_fails(failure: Exception | None) -> None:
    def answer(*_: Any) -> Any:
        if len(rpc.calls) > 2:
            return {"waiting": 1}
        if failure is not None:
            raise failure
        return None

    rpc = RecordingRpc(answer)
    beat = beat_of(rpc, lambda: ["c1"], interval=0.01)
    beat.start()
    try:
        wait_until(lambda: ["c1"] in notes(rpc), what="a beat that succeeds")
    finally:
        beat.stop(5)
    assert not beat._thread.is_alive()


def test_telling_ends_between_two_parts_when_the_process_stops() -> None:
    beat: VisitorBeat

    def answer(_: str, arguments: dict[str, Any]) -> Any:
        if arguments["contact_ids"]:
            beat.stop(0)
        return {"waiting": 1}

    rpc = RecordingRpc(answer)
    beat = beat_of(rpc, lambda: [f"c{number}" for number in range(3 * CHUNK)], interval=0.01)
    beat.start()
    beat._thread.join(5)
    assert not beat._thread.is_alive()
    assert [len(part) for part in notes(rpc)] == [0, CHUNK]


def test_stop_returns_when_the_beat_was_never_started() -> None:
    beat_of(waiting(0)).stop(1)


def test_visitors_are_known_from_their_streams_opening_to_its_end() -> None:
    fanout = Fanout(Limits())
    agent = fanout.subscriber(Viewer.agent("agent-1", None))
    first, second = (fanout.subscriber(Viewer.visitor("c1")) for _ in range(2))
    other = fanout.subscriber(Viewer.visitor("c2"))  # none of them live yet
    assert fanout.visitors() == {"c1", "c2"}
    fanout.follow(first)
    for subscriber in (second, other, agent):
        fanout.leave(subscriber)
    assert fanout.visitors() == {"c1"}
    fanout.leave(first)
    assert fanout.visitors() == set()
