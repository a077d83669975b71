"""Streams resumed by id: on the same process or another, from the recent entries or from the log, or told to start over."""

import itertools
import threading

import pytest

from gateway.settings import GatewaySettings
from gateway.streams import StreamHub
from gateway.streams.limits import Limits
from gateway.streams.subscriber import Viewer
from services.common.errors import Unavailable
from tests.service.streams.kit import AGENT, FORGETFUL, Publishing, ServicesStandIn, running_hub, settings_for, watch
from tests.support.waiting import wait_until


def test_stream_begins_with_a_position_to_resume_from_when_no_id_is_given(hub: StreamHub, publishing: Publishing) -> None:
    publishing.messages(3)
    wait_until(lambda: hub.position.endswith("-3"))
    client = watch(hub)
    assert client.names == ["stream.ready"]
    resume_from = client.leave()
    publishing.messages(2)

    resumed = watch(hub, resume_from)

    assert resumed.wait_for_messages(2) == [3, 4]
    assert resumed.names[0] == "stream.ready"
    assert resumed.payloads[0].id == resume_from


@pytest.mark.parametrize("limits", [None, FORGETFUL], ids=["from recent entries", "from the log"])
def test_nothing_is_missing_or_twice_when_resumed_on_another_gateway_while_events_keep_coming(
    settings: GatewaySettings, publishing: Publishing, limits: Limits | None
) -> None:
    with running_hub(settings, limits) as one, running_hub(settings, limits) as other:
        gateways = itertools.cycle([one, other])
        stop = threading.Event()

        def keep_publishing() -> None:
            while not stop.wait(0.005):  # about as fast as a busy product
                publishing.messages(10)

        publisher = threading.Thread(target=keep_publishing)
        client = watch(next(gateways))
        seen: list[int] = []
        publisher.start()
        try:
            for _ in range(12):
                client.wait_for_messages(300)
                resume_from = client.leave()
                seen += client.numbers
                away_until = len(publishing.sent) + 100  # more than the forgetful gateway keeps
                wait_until(lambda until=away_until: len(publishing.sent) >= until)  # type: ignore[misc]
                client = watch(next(gateways), resume_from)
        finally:
            stop.set()
            publisher.join()
        wait_until(lambda: client.numbers and client.numbers[-1] == publishing.sent[-1], what="the last message")
        seen += client.numbers
        client.leave()

    assert seen == publishing.sent


def test_log_itself_is_read_when_recent_entries_do_not_reach_back(settings: GatewaySettings, publishing: Publishing) -> None:
    with running_hub(settings, FORGETFUL) as hub:
        client = watch(hub)
        resume_from = client.leave()
        publishing.messages(1_500)  # more than one leg
        other = "somebody else"
        publishing.messages(10, contact_id=other)
        wait_until(lambda: hub.position.endswith("-1510"))

        resumed = watch(hub, resume_from)
        theirs = watch(hub, resume_from, Viewer.visitor(other))

        assert resumed.wait_for_messages(1_510) == publishing.sent
        assert theirs.wait_for_messages(10) == publishing.sent[1_500:]
        assert "reset" not in resumed.names + theirs.names


def assert_told_to_fetch_again(hub: StreamHub, publishing: Publishing, last_event_id: str) -> None:
    client = watch(hub, last_event_id)
    wait_until(lambda: len(client.payloads) == 2)
    assert client.names == ["reset", "stream.ready"]
    assert {payload.id for payload in client.payloads} == {hub.position}
    publishing.messages(1)
    assert client.wait_for_messages(1) == publishing.sent[-1:]


@pytest.mark.parametrize("odd", ["x", "1-2-3", "-5", "abc-", "abc--1", "abc-99999999999999999999", "\r\nid: 1", "a" * 10_000])
def test_client_is_told_to_fetch_again_when_its_id_is_not_ours(hub: StreamHub, publishing: Publishing, odd: str) -> None:
    assert_told_to_fetch_again(hub, publishing, odd)


def test_client_is_told_to_fetch_again_when_its_id_is_of_another_epoch(hub: StreamHub, publishing: Publishing) -> None:
    publishing.messages(5)
    wait_until(lambda: hub.position.endswith("-5"))
    assert_told_to_fetch_again(hub, publishing, "deadbeef-3")


def test_client_is_told_to_fetch_again_when_its_id_lies_beyond_the_end(hub: StreamHub, publishing: Publishing) -> None:
    publishing.messages(5)
    wait_until(lambda: hub.position.endswith("-5"))
    epoch = hub.position.partition("-")[0]
    assert_told_to_fetch_again(hub, publishing, f"{epoch}-5000")


def test_client_is_served_when_its_id_is_reached_a_moment_later(
    hub: StreamHub, publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.streams.stream.AHEAD_SECONDS", 15.0)
    publishing.messages(5)
    wait_until(lambda: hub.position.endswith("-5"))
    epoch = hub.position.partition("-")[0]
    late = threading.Timer(0.3, lambda: publishing.messages(5))
    late.start()

    client = watch(hub, f"{epoch}-8")

    late.join()
    assert client.wait_for_messages(2) == [8, 9]
    assert "reset" not in client.names


def test_client_is_told_to_fetch_again_when_the_log_no_longer_holds_what_it_missed(settings: GatewaySettings) -> None:
    small = settings_for(settings.amqp_uri, stream_max_bytes=400_000)
    publishing = Publishing(small)
    with running_hub(small, FORGETFUL) as hub:
        leaving, staying = watch(hub), watch(hub)
        publishing.messages(5)
        leaving.wait_for_messages(5)
        resume_from = leaving.leave()
        for _ in range(60):  # the broker drops old segments when it begins new ones
            publishing.messages(25, padding=1_000)
            staying.wait_for_messages(len(publishing.sent))
        assert "reset" not in staying.names

        assert_told_to_fetch_again(hub, publishing, resume_from)
    with running_hub(small) as later:  # it wanted to read from the beginning, which is gone
        assert_told_to_fetch_again(later, publishing, resume_from)
    publishing.close()


def test_stream_is_refused_when_the_log_has_never_been_read() -> None:
    hub = StreamHub(settings_for("amqp://guest:guest@127.0.0.1:1/"), ServicesStandIn(), set())
    hub.start()
    try:
        with pytest.raises(Unavailable) as refusal:
            hub.open(AGENT, None, "sse")
    finally:
        hub.stop()
    assert refusal.value.data["retry_after"] > 0
