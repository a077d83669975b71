"""WebSocket frames byte by byte (RFC 6455), right or wrong, and a client's end of a connection over which they are sent."""

import contextlib
import socket
import struct
from collections.abc import Iterator

from tests.support.product import Gateway
from tests.support.websocket import SILENCE

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FINAL = 0x80
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
# Any four bytes do, always the same: frames are parameters of tests, whose names must agree between processes.
MASK = b"\x37\xfa\x21\x3d"


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, masked: bool = True, length: int | None = None
) -> bytes:
    """A frame; `length` is what it claims to hold, `reserved` the three bits that nobody may set."""
    head = bytes([(FINAL if final else 0) | reserved << 4 | opcode])
    size = len(payload) if length is None else length
    mark = 0x80 if masked else 0
    if size < 126:
        head += bytes([mark | size])
    elif size < 1 << 16:
        head += bytes([mark | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mark | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))


def handshake(path: str, token: str | None, **headers: bytes) -> bytes:
    """A request to switch to a WebSocket; a header's underscores are hyphens, and one given as b"" is left out."""
    sent = {
        "Host": b"x",
        "Upgrade": b"websocket",
        "Connection": b"Upgrade",
        "Sec-WebSocket-Key": KEY.encode(),
        "Sec-WebSocket-Version": b"13",
    }
    if token is not None:
        sent["Authorization"] = f"Bearer {token}".encode()
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in sent.items() if value)
    return f"GET {path} HTTP/1.1\r\n".encode() + lines + b"\r\n"


class Peer:
    """A connection; `receive_frames` reads until the other side has closed it."""

    def __init__(self, gateway: Gateway, timeout: float = SILENCE) -> None:
        host, _, port = gateway.url.removeprefix("http://").partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self._rest = b""

    def shake_hands(self, path: str, token: str | None, **headers: bytes) -> int:
        """The status of the answer; what follows its head is kept for `receive_frames`, and an error's body is dropped."""
        self.send(handshake(path, token, **headers))
        while b"\r\n\r\n" not in self._rest:
            chunk = self.socket.recv(65_536)
            if not chunk:
                break
            self._rest += chunk
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1])

    def send(self, data: bytes) -> None:
        """Say something; not heard by one who has hung up."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def receive_frames(self) -> Iterator[tuple[int, bytes]]:
        """Each frame's opcode and payload until the connection ends, however it does."""
        while True:
            head = self._take(2)
            if head is None:
                return
            size = head[1] & 0x7F
            if size >= 126:
                longer = self._take(2 if size == 126 else 8)
                if longer is None:
                    return
                size = int.from_bytes(longer, "big")
            payload = self._take(size)
            if payload is None:
                return
            yield head[0] & 0xF, payload

    def closing_code(self) -> int | None:
        """With which code the other side closed; None if it hung up without one."""
        code = None
        for opcode, payload in self.receive_frames():
            if opcode == CLOSE and code is None:
                code = int.from_bytes(payload[:2], "big") if payload else 1005
        return code

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _take(self, size: int) -> bytes | None:
        while len(self._rest) < size:
            try:
                chunk = self.socket.recv(65_536)
            except ConnectionError:
                return None
            if not chunk:
                return None
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
