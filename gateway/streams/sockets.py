"""The client's socket, where the server gives access to it: small buffers, bounded writes, and noticing that a client left."""

import array
import fcntl
import os
import socket
import termios
import threading
from collections.abc import Callable
from typing import Any

import gevent
from gevent import monkey

# A reader that never reads is noticed after 850 events with this and a queue of 256; with the kernel's default after 13,100.
SEND_BUFFER = 32 * 1024
# An open stream's write that makes no progress for so long has no reader.
SEND_TIMEOUT = 20.0
_READABLE = 1


def of(environ: dict[str, Any]) -> Any:
    """The request's socket under gunicorn, or None under another server."""
    return environ.get("gunicorn.socket")


def prepare(sock: Any) -> Callable[[], None]:
    """Bound what the kernel holds for the client and how long a write may take. Returns what undoes the latter."""
    if sock is None:
        return lambda: None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    before = sock.gettimeout()
    sock.settimeout(SEND_TIMEOUT)
    return lambda: sock.settimeout(before)


def abort(sock: Any) -> None:
    """Break the connection, and with it a write that waits: it fails as if the client had left.

    By way of a second descriptor, because gevent's own `shutdown` makes the write fail in a way that gunicorn logs as an error.
    """
    try:
        with socket.socket(fileno=os.dup(sock.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def watch_for_end(sock: Any, ended: Callable[[], None]) -> Callable[[], None]:
    """Have `ended` called when the client closes its side. Returns what ends the watch; call it before the socket is closed.

    Otherwise a server notices by a failing write only: the second one after the end, two heartbeats later. Needs gevent's loop.
    """
    if sock is None or not monkey.is_module_patched("socket"):
        return lambda: None
    fd = sock.fileno()
    watcher = gevent.get_hub().loop.io(fd, _READABLE)

    def look() -> None:
        watcher.stop()
        unread = array.array("i", [0])
        try:
            fcntl.ioctl(fd, termios.FIONREAD, unread)
        except OSError:
            pass
        # Readable without a byte to read is the end. Bytes are a next request, too early: the heartbeats have to do then.
        if unread[0] == 0:
            ended()

    def cancel() -> None:
        watcher.stop()
        watcher.close()

    watcher.start(look)
    return cancel


class WholeSocket:
    """A socket whose `send` sends everything, one caller at a time.

    simple-websocket takes `send` for that, but gevent's may send a part, and pings come from another thread than messages.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._lock = threading.Lock()

    def send(self, data: bytes) -> int:
        """Send all of it."""
        with self._lock:
            self._sock.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
