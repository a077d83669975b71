"""Loopback ports: whether one is free, and finding one that is."""

import errno
import socket
from collections.abc import Iterable

from deploy.local.errors import PortInUse, RunnerError

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True when a server could listen on the port now; connections that are only winding down don't count."""
    return _try_to_bind(port, host) == 0


def free_port() -> int:
    """A port that the kernel says is free on loopback; nothing reserves it, so use it at once."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports(count: int) -> list[int]:
    """`count` different free ports."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def next_free(start: int, taken: Iterable[int] = (), host: str = LOOPBACK) -> int:
    """The first free port from `start` on that is not among `taken`, or 0 when the next hundred are all in use."""
    avoid = set(taken)
    return next((port for port in range(start, start + 100) if port not in avoid and is_free(port, host)), 0)


def require_free(port: int, *, purpose: str, variable: str, host: str = LOOPBACK) -> None:
    """Raise PortInUse, naming the variable that chooses another port, unless a server could listen on `port` of `host`."""
    code = _try_to_bind(port, host)
    if code == 0:
        return
    if code in (errno.EACCES, errno.EPERM):
        raise RunnerError(
            f"Port {port}, wanted for {purpose}, is for root only.", f"Choose one from 1024 on: {variable}={port + 8000} make run"
        )
    if code != errno.EADDRINUSE:
        raise RunnerError(
            f"{host} is not an address of this machine, so {purpose} can't listen there.", "Check FOYER_HOST, or unset it."
        )
    other = next_free(port + 1, host=host) or "<port>"
    raise PortInUse(
        f"Port {port} on {host}, wanted for {purpose}, is already in use.",
        f"Stop what listens there, or choose another port: {variable}={other} make run",
    )


def accepts(port: int, host: str = LOOPBACK, timeout: float = 1.0) -> bool:
    """True when something accepts a TCP connection there within `timeout` seconds."""
    try:
        with socket.create_connection((host, port), timeout):
            return True
    except OSError:
        return False


def _try_to_bind(port: int, host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror:
            return errno.EADDRNOTAVAIL
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
    return 0
