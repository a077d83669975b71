"""Requests to servers that are not ours: to checked addresses alone, bounded in time and size, whatever the other side does.

The name is looked up (`lookups.py`), every address that it stands for is checked each time, and the connection goes to one of these: a
name that points elsewhere a moment later changes nothing. Redirects are not followed. Under eventlet, as the services run, nothing else waits.
"""

import http.client
import logging
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

import eventlet
import urllib3
import urllib3.connection
from urllib3.util.ssl_ import create_urllib3_context

from services.common.guard import UNGUARDED, Address, Guard, Network, Refused, Target, is_public, read_networks
from services.common.lookups import OPERATORS, STRANGERS, LookupFailed
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
_FAILURES = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ssl.SSLError, ValueError)


@dataclass(frozen=True)
class Answer:
    """What the other side said; the names of headers are in lower case, the body may have been cut."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotReached(Exception):
    """There is no answer. `unknown`: the request may have arrived nevertheless; `untried`: it is only that we had no room for it."""

    def __init__(self, reason: str, *, unknown: bool = False, untried: bool = False) -> None:
        super().__init__(reason[:MAX_REASON])
        self.reason = reason[:MAX_REASON]
        self.unknown = unknown
        self.untried = untried


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

    A name that can't be looked up now passes, as each request checks again, unless plain http is asked for, which must be shown to be
    allowed.
    """
    target = guard.read(url)
    try:
        with eventlet.Timeout(seconds):
            _resolve(target, guard)
        return
    except eventlet.Timeout:
        reason = f"The name {target.host} was not looked up in time."
    except NotReached as error:
        reason = error.reason
    if target.scheme != "https":
        if guard.allowed_networks:
            raise Refused(f"http:// is allowed at certain addresses only. {reason}")
        raise Refused("Only https:// is allowed.")


def _resolve(target: Target, guard: Guard) -> list[Address]:
    """The addresses of a target, all of them allowed. Raises NotReached, Refused."""
    try:
        addresses = [ip_address(target.host)]
    except ValueError:
        addresses = look_up(target.host, target.port, trusted=guard.trusted)
    guard.check(target, addresses)
    return addresses[:ADDRESSES_TRIED]


def look_up(host: str, port: int, *, trusted: bool = False) -> list[Address]:
    """What a name stands for now. Those that operators configured never wait for strangers' ones. Raises NotReached."""
    try:
        return (OPERATORS if trusted else STRANGERS).find(host, port)
    except LookupFailed as error:
        raise NotReached(str(error), untried=error.untried) from None


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
