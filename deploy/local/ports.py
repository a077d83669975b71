"""Loopback ports: whether one is free, and finding one that is."""

import errno
import itertools
import secrets
import socket
from collections.abc import Collection, Iterable
from pathlib import Path

from deploy.local.errors import PortInUse, RunnerError

LOOPBACK = "127.0.0.1"
# Above what servers usually listen on.
LOWEST, HIGHEST = 10_000, 65_535
CONNECTIONS_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Where there is no /proc: Linux' own default and IANA's dynamic ports (RFC 6335).
USUAL_CONNECTIONS_RANGE = 32_768, 65_535


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True when a server could listen on the port now; connections that are only winding down don't count."""
    return _try_to_bind(port, host) == 0


def free_port() -> int:
    """A port that is free on loopback, and that the kernel gives to no connection before a server listens on it seconds later."""
    return _find_free(())


def free_ports(count: int) -> list[int]:
    """`count` different free ports, as `free_port` finds them."""
    ports: list[int] = []
    while len(ports) < count:
        ports.append(_find_free(ports))
    return ports


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


def _find_free(taken: Collection[int]) -> int:
    lowest, highest = _connections_range()
    ours = [port for port in range(LOWEST, HIGHEST + 1) if not lowest <= port <= highest]
    start = secrets.randbelow(len(ours) or 1)  # others who look at the same moment begin elsewhere
    # Where connections get them all, any that is free now has to do.
    candidates = itertools.chain(ours[start:], ours[:start], iter(_any_free_port, None))
    return next(port for port in candidates if port not in taken and is_free(port))


def _connections_range() -> tuple[int, int]:
    """The ports that the kernel gives to outgoing connections, from the lowest to the highest."""
    try:
        lowest, highest = map(int, CONNECTIONS_RANGE.read_text().split())
    except (OSError, ValueError):
        return USUAL_CONNECTIONS_RANGE
    return lowest, highest


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


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
