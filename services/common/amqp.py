"""Links to RabbitMQ: connections, and confirmed publishing; services.common.consuming has the other side.

Works under eventlet (services), gevent (gateway) and plain threads (tests): whoever patches the standard library first
decides what a thread and a lock are.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import amqp
from amqp.transport import TCPTransport
from kombu.connection import Connection
from kombu.transport import pyamqp

from services.common import unreadable
from services.common.logs import get_logger
from services.common.wire import CONTENT_TYPE

log = get_logger(__name__)

HEARTBEAT = 10  # seconds; a broker that moved is found again within three of them
# Nothing else bounds the wait for an answer to what is declared; on a cluster a declaration takes a second.
ANSWER_TIMEOUT = 5.0
WRITE_TIMEOUT = 2.0  # seconds; a broker in alarm stops reading, and a publisher must not wait for it for ever
READ_BYTES = 16_384  # more at once only makes what is left over longer to move
PERSISTENT = 2
TRANSIENT = 1
BROKER_ERRORS: tuple[type[Exception], ...] = (amqp.exceptions.AMQPError, OSError, EOFError)

unreadable.tolerate()


class _BufferedTransport(TCPTransport):  # type: ignore[misc, unused-ignore]
    """Takes what the socket has: py-amqp asks it nine times for each message, for three frames' head, body and end."""

    def _read(self, n: int, initial: bool = False, _errnos: object = None) -> bytes:  # noqa: ARG002, FBT001, FBT002 - py-amqp's signature
        buffered: bytes = self._read_buffer  # type: ignore[has-type, unused-ignore]
        try:
            while len(buffered) < n:
                received = self._quick_recv(max(READ_BYTES, n - len(buffered)))
                if not received:
                    raise OSError("Server unexpectedly closed connection")
                buffered += received
        finally:
            self._read_buffer = buffered
        self._read_buffer = buffered[n:]
        return buffered[:n]


class _Link(amqp.Connection):
    # Without `connection.blocked`: py-amqp otherwise reads the socket before every publish (18 % of the calls' cost).
    negotiate_capabilities = {"consumer_cancel_notify": True, "authentication_failure_close": True}

    def Transport(  # noqa: N802 - py-amqp's
        self,
        host: str,
        connect_timeout: float | None,
        ssl: Any = False,  # noqa: FBT002
        read_timeout: float | None = None,
        write_timeout: float | None = None,
        socket_settings: dict[int, Any] | None = None,
        **options: Any,
    ) -> Any:
        options |= {"read_timeout": read_timeout, "write_timeout": write_timeout, "socket_settings": socket_settings}
        if ssl:
            return super().Transport(host, connect_timeout, ssl, **options)
        return _BufferedTransport(host, connect_timeout=connect_timeout, **options)


class _Transport(pyamqp.Transport):
    Connection = _Link


def connect(uri: str, *, timeout: float = 3.0) -> Connection:
    """An established connection with heartbeats. Raises one of BROKER_ERRORS."""
    connection = Connection(uri, transport=_Transport, heartbeat=HEARTBEAT, connect_timeout=timeout)
    try:
        # kombu's own `connect` sleeps two seconds over a refusal.
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, reraise_as_library_errors=False)
    except Exception as error:
        if isinstance(error, BROKER_ERRORS):
            raise
        # kombu wraps what it meets in its own OperationalError, depending on where.
        raise ConnectionError(str(error)) from error
    return connection


def close_quietly(connection: Connection | None) -> None:
    """Close politely if the peer answers within a second, and in any case."""
    link = connection._connection if connection is not None else None  # noqa: SLF001 - the property would connect again
    if connection is None or link is None:
        return
    with contextlib.suppress(Exception):
        link.transport.sock.settimeout(1.0)
        connection.release()
    with contextlib.suppress(Exception):
        link.collect()


@dataclass(frozen=True)
class Outgoing:
    """One message to publish."""

    exchange: str
    routing_key: str
    body: bytes
    properties: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)

    def to_amqp(self) -> amqp.Message:
        """The message as py-amqp takes it."""
        return amqp.Message(
            self.body,
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            application_headers=self.headers,
            **self.properties,
        )


class Unroutable(Exception):
    """The broker had no queue for a mandatory message."""


class Publisher:
    """Publishes with confirmation over one connection and channel behind a lock; opened on first use and after a failure."""

    def __init__(self, uri: str, *, prepare: Callable[[Connection], None] | None = None) -> None:
        """Take `prepare`, which is called with every new connection before anything is published over it."""
        self._uri = uri
        self._prepare = prepare
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._channel: Any = None
        self._published = 0
        self._outstanding: set[int] = set()
        self._rejected = 0
        self._returned: list[str] = []

    def connect(self) -> None:
        """Have a link, for who wants to know whether it is a new one before publishing. Raises BROKER_ERRORS."""
        with self._lock:
            if self._channel is None:
                self._open()

    def publish_confirmed(self, messages: Sequence[Outgoing], *, mandatory: bool = True, timeout: float = 5.0) -> None:
        """Send all of them in order and return when the broker has taken responsibility for each.

        A message that one queue takes is not returned for another's being gone (`require`). Raises BROKER_ERRORS or Unroutable;
        any of the messages may then have been taken, so a repeat must be harmless.
        """
        with self._lock:
            try:
                self._outstanding.clear()
                self._rejected = 0
                self._returned.clear()
                for message in messages:
                    self._send(message, mandatory=mandatory)
                    self._outstanding.add(self._published)
                self._await_confirms(time.monotonic() + timeout)
            except BROKER_ERRORS:
                self._reset()
                raise
            if self._returned:
                raise Unroutable(", ".join(sorted(set(self._returned))))

    def require(self, queues: Sequence[str]) -> None:
        """Return when the queues were there just now. Raises BROKER_ERRORS."""
        with self._lock:
            self.connect()
            if self._connection is None:
                raise ConnectionError("not connected")
            try:
                with self._connection.connection.transport.having_timeout(ANSWER_TIMEOUT):
                    for queue in queues:
                        self._channel.queue_declare(queue, passive=True)
            except BROKER_ERRORS:
                self._reset()
                raise

    def count_ready(self, queue: str) -> int:
        """How many messages wait in a queue. Raises BROKER_ERRORS, also when there is no such queue."""
        with self._lock:
            self.connect()
            connection = self._connection
            if connection is None:
                raise ConnectionError("not connected")
            try:
                # Nothing else bounds the wait for an answer to a channel's opening and a declaration.
                with connection.connection.transport.having_timeout(WRITE_TIMEOUT), connection.channel() as channel:
                    return int(channel.queue_declare(queue, passive=True).message_count)
            except amqp.exceptions.ChannelError:
                raise
            except BROKER_ERRORS:
                self._reset()
                raise

    def tend(self) -> None:
        """Answer the broker's heartbeats; call it every few seconds while nothing is published."""
        if self._connection is None or not self._lock.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(TimeoutError, socket.timeout):
                self._connection.drain_events(timeout=0.001)
            self._connection.heartbeat_check()
        except BROKER_ERRORS:
            self._reset()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connection; a later publish opens it again."""
        with self._lock:
            self._reset()

    def _send(self, message: Outgoing, *, mandatory: bool) -> None:
        self.connect()
        self._channel.basic_publish(
            message.to_amqp(),
            exchange=message.exchange,
            routing_key=message.routing_key,
            mandatory=mandatory,
            timeout=WRITE_TIMEOUT,
        )
        self._published += 1

    def _open(self) -> None:
        connection = connect(self._uri)
        try:
            with connection.connection.transport.having_timeout(ANSWER_TIMEOUT):
                if self._prepare is not None:
                    self._prepare(connection)
                channel = connection.channel()
                channel.confirm_select()
        except BaseException:
            close_quietly(connection)
            raise
        channel.events["basic_return"].add(self._handle_return)
        channel.events["basic_ack"].add(self._handle_ack)
        channel.events["basic_nack"].add(self._handle_nack)
        self._published = 0
        self._connection, self._channel = connection, channel

    def _await_confirms(self, deadline: float) -> None:
        while self._outstanding:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._connection is None:
                raise ConnectionError("the broker did not confirm in time")
            self._connection.drain_events(timeout=remaining)
        if self._rejected:
            raise ConnectionError(f"the broker rejected {self._rejected} messages")

    def _handle_ack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp's callback
        if multiple:
            self._outstanding = {other for other in self._outstanding if other > tag}
        else:
            self._outstanding.discard(tag)

    def _handle_nack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp's callback
        self._rejected += 1
        self._handle_ack(tag, multiple)

    def _handle_return(self, _reason: Exception, exchange: str, routing_key: str, _message: amqp.Message) -> None:
        self._returned.append(f"{exchange}/{routing_key}")

    def _reset(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        close_quietly(connection)
