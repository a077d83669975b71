"""Requests to servers that are not ours: to checked addresses alone, bounded in time and size, whatever the other side does.

The name is looked up once, every address that it stands for is checked, and the connection goes to one of these: a name that points
elsewhere a moment later changes nothing. Redirects are not followed. Under eventlet, as the services run, nothing else waits.
"""

import http.client
import logging
import os
import socket
import ssl
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

import eventlet
import eventlet.tpool
import urllib3
import urllib3.connection
from eventlet.patcher import original
from urllib3.util.ssl_ import create_urllib3_context

from services.common.guard import UNGUARDED, Address, Guard, Network, Refused, Target, is_public, read_networks
from services.common.version import VERSION

__all__ = [
    "UNGUARDED",
    "Answer",
    "Guard",
    "Network",
    "NotReached",
    "Refused",
    "check_target",
    "is_public",
    "post",
    "read_networks",
]

# It says at length what is wrong with each answer, which anybody may send.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

USER_AGENT = f"Foyer/{VERSION}"
MAX_REASON = 300
# A name with more addresses is tried at the first ones.
ADDRESSES_TRIED = 3
# A lookup can't be stopped: names whose servers never answer must not take all of the resolver's 20 threads.
LOOKUPS_AT_ONCE = 2
_FAILURES = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ssl.SSLError, ValueError)


@dataclass(frozen=True)
class Answer:
    """What the other side said; the names of headers are in lower case, the body may have been cut."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotReached(Exception):
    """There is no answer. `unknown`: the request may have arrived nevertheless."""

    def __init__(self, reason: str, *, unknown: bool = False) -> None:
        super().__init__(reason[:MAX_REASON])
        self.reason = reason[:MAX_REASON]
        self.unknown = unknown


class _Progress:
    """How far an exchange got, for when it is cut off."""

    def __init__(self) -> None:
        self.sent = False
        self.answer: Answer | None = None
        self.connection: urllib3.connection.HTTPConnection | None = None


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    deadline_seconds: float,
    guard: Guard,
    read_bytes: int = 4096,
    method: str = "POST",
) -> Answer:
    """Send a request and return the answer, of whatever status, with up to `read_bytes` of its body.

    A body that comes too slowly, ends too early or is longer is cut. Raises NotReached: refused by the guard, the name unknown,
    no connection, no TLS, no answer within the deadline, no HTTP.
    """
    progress = _Progress()
    deadline = time.monotonic() + deadline_seconds
    try:
        with eventlet.Timeout(deadline_seconds):
            target = guard.read(url)
            addresses = _resolve(target, guard)
            _connect(progress, target, addresses, deadline)
            _exchange(progress, target, method, body, headers, deadline, read_bytes)
    except eventlet.Timeout:
        if progress.answer is None:
            raise NotReached(f"No answer within {deadline_seconds:g} s.", unknown=progress.sent) from None
    except Refused as error:
        raise NotReached(f"Refused: {error}") from None
    except _FAILURES as error:
        if progress.answer is None:
            raise NotReached(_say(error), unknown=progress.sent) from None
    finally:
        if progress.connection is not None:
            progress.connection.close()
    if progress.answer is None:
        raise NotReached("No answer.", unknown=progress.sent)
    return progress.answer


def check_target(url: str, guard: Guard, *, seconds: float = 1.5) -> None:
    """Raise Refused unless requests may be sent to a URL, as far as that can be found out within `seconds`.

    A name that can't be looked up now passes: each request checks again.
    """
    target = guard.read(url)
    try:
        with eventlet.Timeout(seconds):
            _resolve(target, guard)
    except eventlet.Timeout:
        pass
    except NotReached:
        if target.scheme != "https":
            raise Refused("Only https:// is allowed.") from None


def _resolve(target: Target, guard: Guard) -> list[Address]:
    """The addresses of a target, all of them allowed. Raises NotReached, Refused."""
    try:
        addresses = [ip_address(target.host)]
    except ValueError:
        addresses = look_up(target.host, target.port)
    guard.check(target, addresses)
    return addresses[:ADDRESSES_TRIED]


_looking_up: Counter[str] = Counter()
# A real lock: the resolver's threads are real ones, where eventlet's own would switch between what isn't theirs.
_looking_up_lock = original("threading").Lock()


def look_up(host: str, port: int) -> list[Address]:
    """What a name stands for now, asked in a real thread, as the system's resolver blocks. Raises NotReached."""
    with _looking_up_lock:
        if _looking_up[host] >= LOOKUPS_AT_ONCE:
            raise NotReached(f"The name {host} is still being looked up.")
        _looking_up[host] += 1
    try:
        found = eventlet.tpool.execute(_look_up_blocking, host, port)
    except (OSError, UnicodeError) as error:
        raise NotReached(f"The name {host} can't be looked up: {error}") from None
    return [ip_address(str(info[4][0]).partition("%")[0]) for info in found]


def _look_up_blocking(host: str, port: int) -> list[tuple[object, ...]]:
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    finally:
        with _looking_up_lock:
            _looking_up[host] -= 1
            if not _looking_up[host]:
                del _looking_up[host]


def _connect(progress: _Progress, target: Target, addresses: list[Address], deadline: float) -> None:
    for number, address in enumerate(addresses, 1):
        timeout = max(0.1, deadline - time.monotonic())
        if target.scheme == "https":
            connection: urllib3.connection.HTTPConnection = urllib3.connection.HTTPSConnection(
                str(address), target.port, timeout=timeout, server_hostname=target.host, ssl_context=_tls()
            )
        else:
            connection = urllib3.connection.HTTPConnection(str(address), target.port, timeout=timeout)
        progress.connection = connection
        try:
            connection.connect()
            return
        except _FAILURES:
            connection.close()
            if number == len(addresses):
                raise


def _exchange(
    progress: _Progress, target: Target, method: str, body: bytes, headers: Mapping[str, str], deadline: float, read_bytes: int
) -> None:
    connection = progress.connection
    if connection is None:
        return
    names = {"host": target.authority, "connection": "close", "accept-encoding": "identity", "user-agent": USER_AGENT}
    progress.sent = True
    try:
        connection.request(method, target.path, body=body, headers=names | dict(headers), preload_content=False)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it may have answered before it read everything
    response = connection.getresponse()
    said = {name.lower(): value for name, value in response.headers.items()}
    progress.answer = Answer(response.status, said, b"")
    read = b""
    while len(read) < read_bytes and time.monotonic() < deadline:
        chunk = response.read1(read_bytes - len(read), decode_content=False)
        if not chunk:
            break
        read += chunk
        progress.answer = Answer(response.status, said, read)


@cache
def _tls() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_default_certs()
    return context


def _say(error: BaseException) -> str:
    """The reason for people, without the objects that libraries put into their texts."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: the certificate is not valid: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {cause.reason or cause}"
        if isinstance(cause, TimeoutError):
            return "No answer in time."
        if isinstance(cause, OSError) and cause.errno:
            return f"No connection: {os.strerror(cause.errno)}."
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, http.client.HTTPException | urllib3.exceptions.HTTPError):
        return f"Not an HTTP answer: {type(error).__name__}"
    return f"{type(error).__name__}: {error}"
