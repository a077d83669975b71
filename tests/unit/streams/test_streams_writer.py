"""Live streams are sent from one greenlet: what a client gets, and what ends it.

All on gevent's loop, without its patching: whatever waits here lets the writer run.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

import gevent
import pytest
from gevent import socket

from gateway.streams import sockets, sse, writer
from gateway.streams.catchup import CatchUp
from gateway.streams.entries import Audience, Entry, Payload, chunk
from gateway.streams.fanout import Fanout
from gateway.streams.limits import Limits
from gateway.streams.stream import ClientStream
from gateway.streams.subscriber import Reason, Viewer
from gateway.streams.writer import StreamWriter
from services.common.envelope import Event
from services.common.times import now

SMALL = Limits(queue_length=8)


class Desk:
    """A warm fan-out, a writer, and clients at the other ends of their sockets."""

    def __init__(self) -> None:
        self.fanout = Fanout(SMALL)
        self.fanout.restart("e", 0)
        self.fanout.warmed()
        self.writer = StreamWriter()
        self.closed: list[ClientStream] = []
        self._ends: list[Any] = []
        self._offset = 0

    def client(self, contact_id: str = "c1") -> tuple[ClientStream, Any]:
        """A stream that the writer has, and the client's end of it."""
        stream = ClientStream(self.fanout, cast("CatchUp", None), Viewer.visitor(contact_id))
        stream.begin()
        stream.on_close(lambda: self.closed.append(stream))
        ours, theirs = socket.socketpair()
        sockets.prepare(ours)
        theirs.settimeout(5)
        self._ends += [ours, theirs]
        self.writer.adopt(stream, ours)
        return stream, theirs

    def tell(self, contact_id: str = "c1", size: int = 10) -> bytes:
        """Something happens to a contact; returns what its clients are to get."""
        self._offset += 1
        payload = Payload(f"e-{self._offset}", "message.created", b"x" * size)
        entry = Entry(self._offset, {Audience.VISITOR: payload}, contact_id)
        event = Event(str(self._offset), "message_posted", "messaging", "message", "m", 1, now(), {}, contact_id)
        self.fanout.accept(self._offset, event, entry)
        return payload.chunk()

    def hang_up(self) -> None:
        for end in self._ends:
            end.close()


def wait_until(condition: Callable[[], object], what: str) -> None:
    with gevent.Timeout(10, AssertionError(what)):
        while not condition():
            gevent.sleep(0.01)


def receive(client: Any, expected: bytes, *, followed: bool = False) -> None:
    """With `followed`, what may have come behind it by then is left."""
    got = b""
    while len(got) < len(expected):
        data = client.recv(len(expected) - len(got) if followed else 65_536)
        assert data, got
        got += data
    assert got == expected


def receive_end(client: Any) -> bytes:
    got = b""
    while data := client.recv(65_536):
        got += data
    return got


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.fanout.stop()
    wait_until(lambda: desk.fanout.wait_empty(0), what="the streams' ends")
    desk.hang_up()


def test_each_client_gets_its_own_in_order_and_in_chunks(desk: Desk) -> None:
    (_, first), (_, second) = desk.client("c1"), desk.client("c2")
    ours = [desk.tell("c1"), desk.tell("c1")]
    theirs = desk.tell("c2")
    receive(first, b"".join(ours))
    receive(second, theirs)


def test_what_was_queued_before_the_hand_over_is_sent(desk: Desk) -> None:
    stream = ClientStream(desk.fanout, cast("CatchUp", None), Viewer.visitor("c1"))
    stream.begin()
    expected = desk.tell()
    ours, theirs = socket.socketpair()
    desk.writer.adopt(stream, ours)
    theirs.settimeout(5)
    with theirs:
        receive(theirs, expected)


@pytest.mark.parametrize("reason", [Reason.REVOKED, Reason.STOPPING, Reason.BEHIND])
def test_response_is_completed_when_the_stream_is_ended_from_here(desk: Desk, reason: Reason) -> None:
    stream, client = desk.client()
    stream.subscriber.end(reason)
    assert receive_end(client) == b"0\r\n\r\n"
    assert desk.closed == [stream]


def test_client_that_takes_nothing_is_cut_off_and_the_others_get_everything(desk: Desk) -> None:
    slow, _unread = desk.client()
    _, good = desk.client()
    told = 0
    while slow.subscriber.ended is None and told < 200:
        receive(good, desk.tell(size=100_000))
        told += 1
    assert slow.subscriber.ended is Reason.OVERFLOW
    wait_until(lambda: slow in desk.closed, what="the end of the slow one")
    receive(good, desk.tell())


def test_everything_arrives_in_order_when_the_client_pauses(desk: Desk) -> None:
    _, client = desk.client()
    expected = b"".join([desk.tell(size=200_000) for _ in range(SMALL.queue_length)])
    receive(client, expected)


def test_silence_is_broken_with_the_position(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HEARTBEAT_SECONDS", 0.0)
    _, client = desk.client()
    receive(client, chunk(b": heartbeat\nid: e-0\n\n"), followed=True)


def test_silence_of_a_client_that_took_its_rest_late_is_broken_as_soon(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HEARTBEAT_SECONDS", 0.0)
    _, client = desk.client()
    sent = desk.tell(size=3_000_000)
    gevent.sleep(writer.TICK_SECONDS * 1.5)  # it was looked at while the socket was full
    receive(client, sent, followed=True)
    receive(client, chunk(b": heartbeat\nid: e-1\n\n"), followed=True)


def test_client_is_given_up_when_a_write_makes_no_progress(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SEND_TIMEOUT", 0.0)
    monkeypatch.setattr(writer, "HEARTBEAT_SECONDS", 0.0)
    stream, _unread = desk.client()
    desk.tell(size=3_000_000)
    wait_until(lambda: stream in desk.closed, what="the end of the stream")
    assert stream.subscriber.ended is Reason.GONE


def test_one_client_s_failure_is_not_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, _unread = desk.client("c1")
    _, good = desk.client("c2")

    def fail() -> list[Payload]:
        raise RuntimeError("planted")

    monkeypatch.setattr(broken.subscriber, "take_waiting", fail)
    desk.tell("c1")
    receive(good, desk.tell("c2"))
    wait_until(lambda: broken in desk.closed, what="the end of the broken one")


def test_others_go_on_when_a_broken_one_cannot_even_be_finished(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, _unread = desk.client("c1")
    _, good = desk.client("c2")
    tried: list[ClientStream] = []

    def fail() -> list[Payload]:
        tried.append(broken)
        raise RuntimeError("planted")

    with monkeypatch.context() as patch:
        patch.setattr(broken.subscriber, "take_waiting", fail)
        patch.setattr(broken, "close", fail)
        desk.tell("c1")
        wait_until(lambda: len(tried) == 2, what="both failures")
    receive(good, desk.tell("c2"))
    broken.close()


@pytest.mark.parametrize(("protocol", "handed_over"), [("HTTP/1.1", True), ("HTTP/1.0", False)])
def test_body_hands_its_socket_over_when_it_is_live_and_chunked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, protocol: str, handed_over: bool
) -> None:
    stream = ClientStream(desk.fanout, cast("CatchUp", None), Viewer.visitor("c1"))
    stream.begin()
    ours, theirs = socket.socketpair()
    adopted: list[ClientStream] = []
    take: Callable[[ClientStream, Any], None] = lambda stream, _sock: adopted.append(stream)  # noqa: E731
    monkeypatch.setattr(desk.writer, "adopt", take)
    body = sse.respond(stream, {"gunicorn.socket": ours, "SERVER_PROTOCOL": protocol}, desk.writer).response
    blocks = iter(cast("sse.EventStreamBody", body))
    assert b"stream.ready" in next(blocks)
    desk.tell()
    if handed_over:
        with pytest.raises(BrokenPipeError):
            next(blocks)
    else:
        assert b"message.created" in next(blocks)
    cast("sse.EventStreamBody", body).close()
    assert adopted == ([stream] if handed_over else [])
    assert (stream.subscriber.ended is None) == handed_over
    stream.close()
    for end in (ours, theirs):
        end.close()
