"""A client's stream as the body of a `text/event-stream` response (WHATWG HTML, 9.2)."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Response

from gateway.streams import sockets
from gateway.streams.entries import OPENING, sse_heartbeat
from gateway.streams.stream import ClientStream
from gateway.streams.subscriber import Reason

# Proxies must neither keep nor gather what passes.
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class EventStreamBody:
    """Iterates over blocks of bytes; `close`, which the server calls at every end, lets go also of a body never begun."""

    def __init__(self, stream: ClientStream) -> None:
        self._stream = stream
        self._blocks = self._encode()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._blocks)

    def close(self) -> None:
        """End the stream."""
        self._stream.close()

    def _encode(self) -> Iterator[bytes]:
        opening = OPENING
        for batch in self._stream.batches():
            if batch.payloads:
                yield opening + b"".join([payload.sse() for payload in batch.payloads])
            else:
                yield opening + sse_heartbeat(batch.position)
            opening = b""


def respond(stream: ClientStream, environ: dict[str, Any]) -> Response:
    """The response that sends the stream for as long as both sides want."""
    sock = sockets.of(environ)
    actions: list[Callable[[], None]] = [
        sockets.prepare(sock),
        sockets.watch_for_end(sock, lambda: stream.subscriber.end(Reason.GONE)),
    ]
    for action in actions:
        stream.on_close(action)
    if sock is not None:
        stream.subscriber.on_abort(lambda: sockets.abort(sock))
    return Response(EventStreamBody(stream), content_type="text/event-stream; charset=utf-8", headers=HEADERS)
