"""The reading of the log, without a broker: holes, gaps and proofs."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.streams.fanout import Fanout
from gateway.streams.limits import Limits
from gateway.streams.log import EventLog
from gateway.streams.reading import is_gap
from gateway.streams.subscriber import Viewer
from services.common.settings import Settings
from services.common.times import now, to_wire
from services.common.wire import encode


def message(offset: int, *, message_id: str | None = None) -> Any:
    body = {
        "id": message_id or f"event-{offset}",
        "type": "message_posted",
        "source": "messaging",
        "entity": {"kind": "message", "id": "m", "version": 1},
        "contact_id": None,
        "at": to_wire(now()),
        "data": {"seq": offset},
    }
    return SimpleNamespace(
        headers={"x-stream-offset": offset},
        properties={"message_id": body["id"], "type": body["type"]},
        body=encode(body),
        delivery_info={"delivery_tag": offset, "routing_key": "message_posted"},
    )


def reading_log(fanout: Fanout, channel: object) -> EventLog:
    log = EventLog(Settings.read({}), fanout, set(), Limits())
    log._epoch, log._channel = "e", channel
    return log


def test_live_client_is_told_to_fetch_again_when_segments_expired_under_the_reader() -> None:
    fanout, channel = Fanout(Limits()), object()
    log = reading_log(fanout, channel)
    log._handle(channel, message(5))
    client = fanout.subscriber(Viewer.agent("agent-1", None))
    fanout.follow(client)
    log._handle(channel, message(7))  # a new segment took 6
    log._handle(channel, message(8))
    assert [payload.id for payload in client.take(0)] == ["e-7", "e-8"]

    log._handle(channel, message(50))
    log._handle(channel, message(51))

    assert [(payload.name, payload.id) for payload in client.take(0)] == [("reset", "e-50"), ("message.created", "e-51")]
    assert fanout.floor == 49


def test_earlier_messages_are_passed_over_when_the_broker_begins_with_a_chunk_before() -> None:
    fanout, channel = Fanout(Limits()), object()
    log = reading_log(fanout, channel)
    log._from = 10
    for offset in (8, 9):
        log._handle(channel, message(offset))
    assert not fanout.warm
    log._handle(channel, message(10))
    assert (fanout.warm, fanout.position.offset, fanout.floor) == (True, 10, 9)


def test_reading_goes_on_behind_the_last_event_when_the_broker_delivers_it_again() -> None:
    fanout, channel = Fanout(Limits()), object()
    log = reading_log(fanout, channel)
    log._handle(channel, message(5))
    client = fanout.subscriber(Viewer.agent("agent-1", None))
    fanout.follow(client)
    log._proof, log._from = log._last, 5
    for offset in (3, 4, 5, 6):
        log._handle(channel, message(offset))
    assert [payload.id for payload in client.take(0)] == ["e-6"]


@pytest.mark.parametrize("found", [message(5, message_id="another"), message(6)], ids=["another event", "a later offset"])
def test_link_is_given_up_when_the_last_event_is_not_where_it_was(found: Any) -> None:
    fanout, channel = Fanout(Limits()), object()
    log = reading_log(fanout, channel)
    log._handle(channel, message(5))
    log._proof, log._from = log._last, 5
    with pytest.raises(ConnectionError):
        log._handle(channel, found)
    log._handle(channel, message(7))  # still on its way while the link is being closed
    assert fanout.position.offset == 5


@pytest.mark.parametrize(("before", "offset", "expected"), [(5, 6, False), (5, 7, False), (5, 8, True), (-1, 0, False)])
def test_step_is_a_gap_when_it_is_longer_than_over_a_segments_own_offset(before: int, offset: int, *, expected: bool) -> None:
    assert is_gap(before, offset) is expected
