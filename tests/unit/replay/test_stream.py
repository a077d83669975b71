"""A client's stream: it resumes where it was, and says why it can't."""

import threading
from collections.abc import Callable

import pytest

from deploy.replay.client import Gateway
from deploy.replay.errors import OutOfTime, Refused, StreamBroken
from deploy.replay.inbox import Inbox, is_message
from deploy.replay.stream import Stream
from tests.unit.replay.scripted import Reply, ScriptedServer, serve

SSE = {"Content-Type": "text/event-stream; charset=utf-8"}
READY = b"retry: 10\nid: 3-1\nevent: stream.ready\ndata: {}\n\n"


def streamed(*blocks: bytes) -> Reply:
    return Reply(200, b"".join(blocks), SSE)


def shown(offset: int, seq: int) -> bytes:
    return b'id: 3-%d\nevent: message.created\ndata: {"conversation_id": "c", "seq": %d}\n\n' % (offset, seq)


def open_stream(
    server: ScriptedServer, renew: Callable[[str], None] | None = None, timeout: float = 10.0
) -> tuple[Stream, Inbox]:
    gateway = Gateway(server.url, timeout=10, stop=threading.Event())
    inbox = Inbox("the visitor", gateway.stop)
    stream = Stream(gateway, "/v1/events", inbox, token=lambda: "t", renew=renew, headers={"X-Forwarded-For": "192.0.2.7"})
    stream.open(timeout)
    return stream, inbox


def test_stream_resumes_behind_the_last_whole_event_when_it_was_cut() -> None:
    with serve(streamed(READY, shown(2, 1), shown(3, 2)[:-1]), Reply(503), streamed(shown(3, 2), shown(4, 3))) as server:
        stream, inbox = open_stream(server)
        inbox.wait_for("c", is_message(3), "message 3", 10)
        stream.close()
    assert [arrival.seq for arrival in inbox.arrivals("c")][:3] == [1, 2, 3]
    assert [asked.headers.get("Last-Event-ID") for asked in server.asked][:3] == [None, "3-2", "3-2"]
    assert server.asked[0].headers["Authorization"] == "Bearer t"
    assert server.asked[0].headers["X-Forwarded-For"] == "192.0.2.7"
    assert stream.reconnects >= 1


def test_stream_is_open_only_when_it_has_named_its_position() -> None:
    with serve(streamed(b": foyer\n\n"), streamed(READY)) as server:
        stream, _ = open_stream(server)
        stream.close()
    assert len(server.asked) >= 2


def test_opening_fails_when_no_position_comes() -> None:
    with (
        serve(streamed(b": foyer\n\n")) as server,
        pytest.raises(OutOfTime, match=r"did not open within 0.2 s: it named no position"),
    ):
        open_stream(server, timeout=0.2)


@pytest.mark.parametrize("refusal", [Reply(404), Reply(401), Reply(500), Reply(200, b"{}", {"Content-Type": "application/json"})])
def test_opening_fails_when_the_gateway_refuses_the_stream(refusal: Reply) -> None:
    with serve(refusal) as server, pytest.raises(StreamBroken, match="can't be opened"):
        open_stream(server)


def test_those_who_wait_are_told_when_an_open_stream_is_refused() -> None:
    with serve(streamed(READY), Reply(403, b'{"code": "CONTACT_BLOCKED"}')) as server:
        stream, inbox = open_stream(server)
        with pytest.raises(StreamBroken, match="can't see message 1: 403 CONTACT_BLOCKED"):
            inbox.wait_for("c", is_message(1), "message 1", 10)
        stream.close()


def test_token_is_renewed_when_the_stream_is_refused_with_it() -> None:
    refused: list[str] = []
    with serve(Reply(401), streamed(READY)) as server:
        stream, _ = open_stream(server, renew=refused.append)
        stream.close()
    assert refused == ["t"]


def test_opening_fails_when_the_token_can_not_be_renewed() -> None:
    def renew(_: str) -> None:
        raise Refused(401, "INVALID_CREDENTIALS", "")

    with serve(Reply(401)) as server, pytest.raises(StreamBroken, match="INVALID_CREDENTIALS"):
        open_stream(server, renew=renew)
