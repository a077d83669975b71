"""Sockets of the load's own thread: connected, then never blocking."""

import socket

CONNECT_SECONDS = 5.0


def connect(address: tuple[str, int]) -> socket.socket:
    """A socket to there that sends small requests at once. Raises OSError."""
    sock = socket.create_connection(address, CONNECT_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock
