"""What the load reads of an event stream, however it is cut into pieces."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.load.exchange import request
from tests.load.loop import Loop
from tests.load.stream import Stream
from tests.load.wire import Wire
from tests.unit.load.server import serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BLOCKS = (
    b': foyer\nretry: 1000\n\nid: a-1\nevent: stream.ready\ndata: {"position":"a-1"}\n\n',
    b": heartbeat\nid: a-2\n\n",
    b'id: a-3\nevent: message.created\ndata: {"id":"m"}\n\nid: a-4\nevent: agent.updated\ndata: {}\n\n',
)
TOLD = [
    (b"stream.ready", b"a-1", b'{"position":"a-1"}'),
    (b"message.created", b"a-3", b'{"id":"m"}'),
    (b"agent.updated", b"a-4", b"{}"),
]


def chunked(blocks: tuple[bytes, ...]) -> bytes:
    return HEAD + b"".join(b"%x\r\n%b\r\n" % (len(block), block) for block in blocks)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def opened(listener: socket.socket, loop: Loop) -> tuple[Stream, socket.socket]:
    stream = Stream(request("GET", "/v1/events", token="t"))
    stream.open(loop, listener.getsockname())
    return stream, listener.accept()[0]


@pytest.mark.parametrize("size", [1, 7, 64, 4096])
@pytest.mark.parametrize("whole", [chunked(BLOCKS), HEAD.replace(b"Transfer-Encoding: chunked\r\n", b"") + b"".join(BLOCKS)])
def test_events_are_told_whole_when_they_come_in_pieces(listener: socket.socket, whole: bytes, size: int) -> None:
    with closing(Loop()) as loop:
        stream, other = opened(listener, loop)
        with other:
            for start in range(0, len(whole), size):
                other.sendall(whole[start : start + size])
                loop.step(0)
            assert loop.run_until(lambda: len(stream.events) >= 3, 5)
            stream.close()
    assert [(event.name, event.id, event.data) for event in stream.events] == TOLD
    assert stream.begun <= stream.opened == stream.events[0].moment
    assert stream.fault == ""


def test_end_that_nobody_wanted_is_a_fault(listener: socket.socket) -> None:
    with closing(Loop()) as loop:
        stream, other = opened(listener, loop)
        other.sendall(chunked(BLOCKS) + b"0\r\n\r\n")
        assert loop.run_until(lambda: bool(stream.fault), 5)
        other.close()
    assert stream.fault == "the stream ended"
    assert len(stream.events) == 3


def test_wire_tells_which_streams_were_refused() -> None:
    with serving(lambda _: b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n") as url, closing(Wire(url, 1)) as wire:
        with pytest.raises(RuntimeError, match="2 of 2 streams did not open: answered 503"):
            wire.attach([Stream(request("GET", "/")), Stream(request("GET", "/"))], timeout=5)
        assert wire.detach() == ["a stream broke: answered 503"] * 2


def test_wire_reads_its_streams_while_it_waits() -> None:
    with serving(lambda _: chunked(BLOCKS)) as url, closing(Wire(url, 1)) as wire:
        streams = [Stream(request("GET", "/")) for _ in range(5)]
        wire.attach(streams, timeout=5, at_once=2)
        assert wire.wait_until(lambda: all(len(stream.events) == 3 for stream in streams), 5)
        assert wire.detach() == []
