"""A client's stream over a WebSocket (RFC 6455): the same envelopes, as `{"id", "event", "data"}`."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Response
from simple_websocket import ConnectionClosed, Server
from simple_websocket.errors import SimpleWebsocketError
from wsproto.utilities import ProtocolError

from gateway.streams import sockets
from gateway.streams.entries import websocket_heartbeat
from gateway.streams.stream import HEARTBEAT_SECONDS, ClientStream
from gateway.streams.subscriber import Reason
from services.common.errors import Invalid

MAX_INPUT_BYTES = 1024
MAX_INPUT_MESSAGES = 100  # between two batches or heartbeats

# RFC 6455, 7.4.1 and the IANA registry: going away, policy violation, try again later.
CLOSE_CODES = {Reason.STOPPING: 1001, Reason.REVOKED: 1008, Reason.OVERFLOW: 1013, Reason.BEHIND: 1013}
FLOODED = 1008


class _Ignored(list[Any]):
    """Takes the client's messages, of which there should be none, and keeps only their number."""

    received = 0

    def append(self, _message: Any, /) -> None:
        self.received += 1


class Handled(Response):
    """What a view returns when the conversation is over: gunicorn must write nothing more to this socket."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """End the request. gunicorn takes StopIteration for a connection that is done with."""
        if sockets.of(environ) is not None:
            raise StopIteration
        return super().__call__(environ, start_response)


def serve(stream: ClientStream, environ: dict[str, Any]) -> Response:
    """Shake hands and send the stream until either side ends it. Raises Invalid for a handshake that isn't one."""
    try:
        socket = _accept(stream, environ)
    except (SimpleWebsocketError, ProtocolError, UnicodeError) as error:
        stream.close()
        raise Invalid(f"This is not a WebSocket handshake: {error}", code="MALFORMED_REQUEST") from None
    except BaseException:
        stream.close()  # else its agent would stay connected for ever, by a lease that nobody ends
        raise
    ignored = socket.input_buffer = _Ignored()
    code = 1000
    try:
        for batch in stream.batches():
            for payload in batch.payloads:
                socket.send(payload.text())
            if not batch.payloads and batch.position is not None:
                socket.send(websocket_heartbeat(batch.position))
            if ignored.received > MAX_INPUT_MESSAGES:
                code = FLOODED
                break
            ignored.received = 0
        else:
            code = CLOSE_CODES.get(stream.subscriber.ended or Reason.GONE, 1000)
    except (ConnectionClosed, OSError):
        pass
    finally:
        stream.close()
        _close(socket, code)
    return Handled()


def _accept(stream: ClientStream, environ: dict[str, Any]) -> Any:
    sock = sockets.of(environ)
    # Compressing would cost each client a context of its own and every event a compression per client.
    plain = {name: value for name, value in environ.items() if name != "HTTP_SEC_WEBSOCKET_EXTENSIONS"}
    if sock is not None:
        sockets.prepare(sock)
        stream.subscriber.on_abort(lambda: sockets.abort(sock))
        plain["gunicorn.socket"] = sockets.WholeSocket(sock)

    def reading_thread(*, target: Callable[[], None]) -> threading.Thread:
        def read() -> None:
            try:
                target()
            finally:
                stream.subscriber.end(Reason.GONE)  # don't wait for the next heartbeat to notice

        return threading.Thread(target=read, daemon=True)

    return Server.accept(plain, ping_interval=HEARTBEAT_SECONDS, max_message_size=MAX_INPUT_BYTES, thread_class=reading_thread)


def _close(socket: Any, code: int) -> None:
    try:
        socket.close(code)
    except (ConnectionClosed, OSError, ProtocolError):
        pass
