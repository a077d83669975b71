"""A relay between a process and a server, through which a test partitions the two: nothing passes, and no connection ends."""

import contextlib
import socket
import threading
from typing import Self


class TcpRelay:
    """Listens on `port` and passes bytes to and from a port of 127.0.0.1; use it as a context, or `start` and `stop` it."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = threading.Event()
        self._open.set()
        self._ending = False
        self._sockets: list[socket.socket] = [self._listener]
        self._near: list[socket.socket] = []
        self._stranded: set[socket.socket] = set()
        self._unanswered: bytes | None = None
        self._deaf: set[socket.socket] = set()
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """End it with all its connections."""
        self._ending = True
        self._open.set()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def hold(self) -> None:
        """Let nothing pass, also on new connections; what is sent meanwhile passes later."""
        self._open.clear()

    def release(self) -> None:
        """Let everything pass again."""
        self._open.set()

    def strand(self) -> None:
        """End the connections on the process's side alone: the server never hears of it, as when packets are lost for long."""
        for near in self._near:
            self._stranded.add(near)
            with contextlib.suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)
        self._near.clear()

    def leave_unanswered(self, marker: bytes | None) -> None:
        """End all connections; on the next ones let no answer pass once `marker` was asked, nor the end. None: all later ones pass."""
        self._unanswered = marker
        if marker is None:
            return
        for near in self._near:
            with contextlib.suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)
        self._near.clear()

    @property
    def unanswered(self) -> int:
        """How many connections are left without an answer."""
        return len(self._deaf)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._sockets.append(near)
                self._near.append(near)
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        self._open.wait()
        if self._ending:
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        self._sockets.append(far)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                self._open.wait()
                if self._unanswered is not None and self._unanswered in chunk:
                    self._deaf.add(source)
                if sink not in self._deaf:
                    sink.sendall(chunk)
        if {source, sink} & (self._stranded | self._deaf):
            return
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
