"""Sends what live event streams are due, from one greenlet for all: a client that is told nothing costs a socket and a queue.

A request's greenlet, which served a stream until it was live, holds sixteen kilobytes of interpreter stack and as much again of the
request; so it hands the socket over and ends. Sockets are written to without waiting: what a client doesn't take stays with it, its
queue fills up meanwhile, and it is cut off as any slow reader. Needs gevent's loop.
"""

import time
from typing import Any, cast

import gevent
from gevent import monkey
from gevent.queue import SimpleQueue

from gateway.streams import sockets
from gateway.streams.entries import CHUNKED_END, chunk, sse_heartbeat
from gateway.streams.stream import HEARTBEAT_SECONDS, ClientStream
from gateway.streams.subscriber import Reason
from services.common.logs import get_logger

log = get_logger(__name__)

# What one round of sends may take from the requests, at about 10 µs for each client.
ROUND = 100
TICK_SECONDS = 1.0
_WRITABLE = 2


class StreamWriter:
    """`adopt` a live stream with its socket; from then on everything that it needs is done here, its end included."""

    def __init__(self) -> None:
        self._due: SimpleQueue[_Client] | None = None
        # Who has to be looked at in so many ticks; a client stands in one of them.
        self._wheel: list[list[_Client]] = [[] for _ in range(int(sockets.SEND_TIMEOUT / TICK_SECONDS) + 2)]
        self._tick = 0

    def adopt(self, stream: ClientStream, sock: Any) -> None:
        """Go on with a stream that is live and has a chunked HTTP/1.1 response under way on a socket of gevent's.

        The socket is detached: whoever had it can neither use nor close it any more.
        """
        if self._due is None:  # the first: the loop is the serving process's, not its parent's
            self._due = SimpleQueue()
            gevent.spawn(self._send_due, self._due)
            gevent.spawn(self._tend)
        client = _Client(stream, sock.detach(), self._due)
        self._look_again(client, client.moved_at + HEARTBEAT_SECONDS)
        stream.subscriber.listen(client.wake)

    def _send_due(self, due: "SimpleQueue[_Client]") -> None:
        count = 0
        while True:
            client = due.get()
            count += 1
            if count % ROUND == 0:
                gevent.sleep(0)  # requests have clients too
            try:
                client.advance()
            except Exception:  # one client's must not be everybody's end
                log.exception("stream_not_sent")
                client.give_up()

    def _tend(self) -> None:
        """Every tick: heartbeats for those who heard nothing, and an end to those who take nothing."""
        while True:
            gevent.sleep(TICK_SECONDS)
            self._tick += 1
            slot = self._tick % len(self._wheel)
            clients, self._wheel[slot] = self._wheel[slot], []
            for client in clients:
                try:
                    due = client.tend()
                except Exception:
                    log.exception("stream_not_tended")
                    client.give_up()
                    continue
                if due is not None:
                    self._look_again(client, due)

    def _look_again(self, client: "_Client", due: float) -> None:
        ticks = min(max(1, round((due - time.monotonic()) / TICK_SECONDS)), len(self._wheel) - 1)
        self._wheel[(self._tick + ticks) % len(self._wheel)].append(client)


class _Client:
    """One stream's socket, and what it hasn't taken of what it was sent."""

    __slots__ = ("_blocked", "_due", "_finished", "_queued", "_sock", "_stream", "_unsent", "_unwatch", "moved_at")

    def __init__(self, stream: ClientStream, fd: int, due: "SimpleQueue[_Client]") -> None:
        # The standard library's own: gevent's holds two watchers of the loop and waits where this one says that it would have to.
        self._sock = cast("Any", monkey.get_original("socket", "socket"))(fileno=fd)
        self._sock.setblocking(False)
        self._stream = stream
        self._due = due
        self._unsent = b""
        self._queued = False
        self._finished = False
        self._blocked: Any = None  # the watcher for room in the socket
        self.moved_at = time.monotonic()
        self._unwatch = sockets.watch_for_end(self._sock, self._gone)

    def wake(self) -> None:
        """There is something to be sent, or the stream has ended. Never waits."""
        if not self._queued:
            self._queued = True
            self._due.put(self)

    def advance(self) -> None:
        """Send what waits as far as the socket takes it."""
        self._queued = False
        subscriber = self._stream.subscriber
        if self._unsent and subscriber.ended is None:
            self._send(self._unsent)
        while not self._unsent and (payloads := subscriber.take_waiting()):
            self._send(b"".join([payload.chunk() for payload in payloads]))
        if subscriber.ended is not None:
            self.finish()

    def tend(self) -> float | None:
        """A heartbeat if it is time for one. Returns when to look again; None when there is nothing left to look at."""
        if self._finished:
            return None
        now = time.monotonic()
        if self._unsent:
            if now - self.moved_at >= sockets.SEND_TIMEOUT:
                self._gone()
            return now + TICK_SECONDS  # it may take the rest at any moment, and its time until a heartbeat begins then
        # Half a tick early rather than one late.
        if now - self.moved_at >= HEARTBEAT_SECONDS - TICK_SECONDS / 2:
            self._send(chunk(sse_heartbeat(self._stream.settled())))
        return self.moved_at + HEARTBEAT_SECONDS

    def finish(self) -> None:
        """Say that this was all, if that can still be said, and let go of everything."""
        if self._finished:
            return
        self._finished = True
        if not self._unsent and self._stream.subscriber.ended not in {Reason.GONE, Reason.OVERFLOW}:
            self._send(CHUNKED_END)
        self._unwatch()
        self._unblock()
        self._sock.close()
        self._stream.close()

    def give_up(self) -> None:
        """`finish`, whatever stands in its way."""
        try:
            self.finish()
        except Exception:
            log.exception("stream_not_finished")

    def _send(self, data: bytes) -> None:
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._gone()
            return
        if sent:
            self.moved_at = time.monotonic()
        self._unsent = data[sent:]
        if not self._unsent:
            self._unblock()
        elif self._blocked is None:
            self._blocked = gevent.get_hub().loop.io(self._sock.fileno(), _WRITABLE)
            self._blocked.start(self.wake)

    def _unblock(self) -> None:
        if self._blocked is not None:
            self._blocked.stop()
            self._blocked.close()
            self._blocked = None

    def _gone(self) -> None:
        self._stream.subscriber.end(Reason.GONE)
