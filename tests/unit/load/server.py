"""A server of a few lines for the load's own tests: it answers as a test says."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[bytes], bytes | None]  # of a request's bytes; None hangs up, nothing leaves it unanswered


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Its URL. Requests are taken as they arrive in one piece, which on loopback small ones do."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def serve(sock: socket.socket) -> None:
        with sock:  # one that is accepted at the very end is closed by nobody else
            while asked := _received(sock):
                answered = answer(asked)
                if answered is None:
                    return
                with contextlib.suppress(OSError):  # whoever asked may have gone
                    sock.sendall(answered)

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            accepted.append(sock)
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in accepted:
            sock.close()


def said(body: bytes, status: str = "201 CREATED") -> bytes:
    """An answer with its length."""
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


def _received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65_536)
    except OSError:
        return b""
