"""A client's stream as the body of a `text/event-stream` response (WHATWG HTML, 9.2)."""

import errno
from collections.abc import Iterator
from typing import Any

from flask import Response

from gateway.streams import sockets
from gateway.streams.entries import OPENING, sse_heartbeat
from gateway.streams.stream import ClientStream
from gateway.streams.subscriber import Reason
from gateway.streams.writer import StreamWriter

# Proxies must neither keep nor gather what passes.
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class HandedOver(BrokenPipeError):
    """The connection goes on without its request. gunicorn takes it for a client that has left, and says nothing."""

    def __init__(self) -> None:
        super().__init__(errno.EPIPE, "handed over")


class EventStreamBody:
    """Iterates over blocks of bytes; `close`, which the server calls at every end, lets go also of a body never begun."""

    def __init__(self, stream: ClientStream, sock: Any, writer: StreamWriter | None) -> None:
        self._stream = stream
        self._sock = sock
        self._writer = writer
        self._handed_over = False
        self._actions = [sockets.prepare(sock), sockets.watch_for_end(sock, lambda: stream.subscriber.end(Reason.GONE))]
        self._blocks = self._encode()
        if sock is not None:
            stream.subscriber.on_abort(lambda: sockets.abort(sock))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._blocks)

    def close(self) -> None:
        """End the stream, unless it goes on elsewhere."""
        while self._actions:
            self._actions.pop()()
        if not self._handed_over:
            self._stream.close()

    def _encode(self) -> Iterator[bytes]:
        opening = OPENING
        for batch in self._stream.beginning() if self._writer is not None else self._stream.batches():
            if batch.payloads:
                yield opening + b"".join([payload.sse() for payload in batch.payloads])
            else:
                yield opening + sse_heartbeat(batch.position)
            opening = b""
        if self._writer is not None and self._stream.subscriber.ended is None:
            self._hand_over(self._writer)

    def _hand_over(self, writer: StreamWriter) -> None:
        while self._actions:
            self._actions.pop()()
        writer.adopt(self._stream, self._sock)
        self._handed_over = True
        raise HandedOver


def respond(stream: ClientStream, environ: dict[str, Any], writer: StreamWriter) -> Response:
    """The response that sends the stream for as long as both sides want; the writer goes on with it where gunicorn serves it."""
    sock = sockets.of(environ)
    # An HTTP/1.0 response has no chunks.
    chunked = sock is not None and environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
    body = EventStreamBody(stream, sock, writer if chunked else None)
    return Response(body, content_type="text/event-stream; charset=utf-8", headers=HEADERS)
