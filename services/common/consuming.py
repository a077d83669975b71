"""Consuming from RabbitMQ: a loop over a connection of its own that survives the broker.

Works under eventlet, gevent and plain threads, as services.common.amqp does.
"""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import amqp
from kombu.connection import Connection

from services.common.amqp import ANSWER_TIMEOUT, BROKER_ERRORS, HEARTBEAT, Outgoing, close_quietly, connect
from services.common.ids import new_id
from services.common.logs import get_logger

log = get_logger(__name__)


class ConsumerLoop:
    """Consumes over a connection of its own until stopped; connects again, with growing pauses, whenever it is lost.

    One thread reads. Others may acknowledge and publish on the same channel: their writes take turns.
    """

    def __init__(
        self,
        uri: str,
        name: str,
        consume: Callable[[Any], None],
        *,
        lost: Callable[[], None] | None = None,
        idle: Callable[[], None] | None = None,
    ) -> None:
        """Take `consume`, which declares what it needs on a new channel and starts its consumers.

        `lost` is called when the link is lost, `idle` about once a second.
        """
        self._uri = uri
        self._name = name
        self._consume = consume
        self._lost = lost
        self._idle = idle
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._write_lock = threading.Lock()
        self._connection: Connection | None = None
        self._channel: Any = None
        self._tags: list[str] = []
        self._cancelled = False
        self.ready = threading.Event()

    @property
    def alive(self) -> bool:
        """Whether the link is there and the broker, which sends a heartbeat twice in HEARTBEAT seconds, was heard in that time."""
        connection = self._connection
        if connection is None or not self.ready.is_set():
            return False
        heard_at = connection.connection.last_heartbeat_received
        return not heard_at or time.monotonic() - heard_at < HEARTBEAT

    def run(self) -> None:
        """Consume until `close`."""
        pause = 0.2
        try:
            while not (self._stopping.is_set() or self._cancelled):
                try:
                    self._open()
                    pause = 0.2
                    self._drain()
                except BROKER_ERRORS as error:
                    if not self._stopping.is_set():
                        log.warning("broker_link_lost", link=self._name, reason=f"{type(error).__name__}: {error}")
                except Exception:  # a handler's bug costs the link, and what was unacknowledged comes again
                    log.exception("consumer_failed", link=self._name)
                finally:
                    self._forget()
                if not self._stopping.is_set():
                    self._stopping.wait(pause * random.uniform(0.7, 1.3))  # noqa: S311 - jitter, not a secret
                    pause = min(pause * 2, 3.0)
        finally:
            self._ended.set()

    def _open(self) -> None:
        self._connection = connect(self._uri)
        with self._connection.connection.transport.having_timeout(ANSWER_TIMEOUT):
            self._channel = self._connection.channel()
            self._consume(self._channel)
        self._tags = list(self._channel.callbacks)
        # Reads and writes are bounded by the socket's own timeout: py-amqp's per-call timeouts set and restore it, which
        # goes wrong when a reader and a writer overlap.
        self._connection.connection.transport.sock.settimeout(1.0)
        self.ready.set()

    def _drain(self) -> None:
        tended = time.monotonic()
        while not self._stopping.is_set() and self._connection is not None:
            with contextlib.suppress(TimeoutError):
                self._connection.drain_events()
            rested = time.monotonic() - tended
            if rested > HEARTBEAT:
                # The broker may have begun to give the link up: RabbitMQ delivers nothing more then, but sends heartbeats and closes it
                # 30 s later (seen after every tenth freeze of 25 s or so).
                raise ConnectionError(f"this process stood still for {rested:.0f} s")
            if rested >= 1.0:
                tended = time.monotonic()
                with self._write_lock:
                    self._connection.heartbeat_check()
                if self._idle is not None:
                    self._idle()

    def _forget(self) -> None:
        was_ready = self.ready.is_set()
        self.ready.clear()
        connection, self._connection, self._channel, self._tags = self._connection, None, None, []
        close_quietly(connection)
        if was_ready and self._lost is not None:
            self._lost()

    def publish(self, message: Outgoing, *, mandatory: bool = False) -> None:
        """Send one message, unconfirmed, over this link. Raises BROKER_ERRORS; the link is then made anew."""
        channel, connection = self._channel, self._connection
        if channel is None or connection is None:
            raise ConnectionError("not connected")
        with self._write_lock:
            try:
                channel.basic_publish(
                    message.to_amqp(), exchange=message.exchange, routing_key=message.routing_key, mandatory=mandatory
                )
            except BROKER_ERRORS:
                # Part of a frame may have been written: nothing more can be said on this link.
                with contextlib.suppress(OSError, AttributeError):
                    connection.connection.transport.sock.shutdown(socket.SHUT_RDWR)
                raise

    def on_return(self, channel: Any, handle: Callable[[amqp.Message], None]) -> None:
        """Have `handle` called with each mandatory message that found no queue."""
        channel.events["basic_return"].add(lambda _reason, _exchange, _key, message: handle(message))

    def ack(self, channel: Any, tag: int, *, multiple: bool = False) -> None:
        """Acknowledge; on a channel that is gone the broker delivers again by itself."""
        self._settle(channel, lambda: channel.basic_ack(tag, multiple))

    def requeue(self, channel: Any, tag: int) -> None:
        """Give the message back to the queue."""
        self._settle(channel, lambda: channel.basic_reject(tag, True))

    def _settle(self, channel: Any, action: Callable[[], None]) -> None:
        if channel is not self._channel:
            return
        with self._write_lock, contextlib.suppress(*BROKER_ERRORS):
            action()

    def consume_again(self, begin: Callable[[Any, str], None]) -> None:
        """Have `begin` start a consumer of the channel under the given tag, without waiting, in the place of those there are."""
        channel = self._channel
        if channel is None or self._cancelled:
            return
        tag = new_id()
        with self._write_lock, contextlib.suppress(*BROKER_ERRORS):
            for ended in channel.callbacks.keys() - set(self._tags):
                del channel.callbacks[ended]
            for former in self._tags:
                channel.basic_cancel(former, nowait=True)  # what is on its way still arrives, and is worked on
            begin(channel, tag)
            self._tags = [tag]

    def cancel(self) -> None:
        """Take no further messages, but keep the link so that those in work can still be acknowledged; lost, it stays so."""
        self._cancelled = True
        channel, tags, self._tags = self._channel, self._tags, []
        if channel is not None:
            with self._write_lock, contextlib.suppress(*BROKER_ERRORS):
                for tag in tags:
                    channel.basic_cancel(tag, nowait=True)

    def close(self, timeout: float = 3.0) -> None:
        """End the loop and its connection."""
        self._stopping.set()
        self._ended.wait(timeout)
