"""Requests that are too large, too slow, have too many heads, or mean two things at once: refused, while others are served as ever."""

import contextlib
import json
import socket
from functools import partial

import pytest

from services.common.ids import new_id
from tests.strangers import logbook
from tests.support.product import ADMIN_EMAIL, PASSWORD, Gateway, Visitor
from tests.support.waiting import wait_until

PATH = b"/v1/auth/token"
BEHIND = b"GET /v1/agents HTTP/1.1\r\nHost: x\r\n\r\n"
LIMIT = 256 * 1024


no_faults = pytest.fixture(logbook.no_faults, autouse=True)


def connect(gateway: Gateway) -> socket.socket:
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def exchange(gateway: Gateway, sent: bytes) -> bytes:
    """All that is answered until the gateway hangs up, or nothing more comes for the last of it was answered."""
    with contextlib.closing(connect(gateway)) as connection:
        with contextlib.suppress(ConnectionError):  # it may have heard enough
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65_536):
                answer += chunk
        return answer


def statuses(answer: bytes) -> list[int]:
    """Of every answer on a connection."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


def post(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in (b"Host: x", b"Content-Type: application/json", *headers))
    return b"POST " + PATH + b" HTTP/1.1\r\n" + lines + b"\r\n" + body


def chunked(body: bytes, *headers: bytes) -> bytes:
    return post(body, b"Transfer-Encoding: chunked", *headers)


GOOD = json.dumps({"email": ADMIN_EMAIL, "password": PASSWORD}).encode()
WHOLE = b"%x\r\n%b\r\n" % (len(GOOD), GOOD)

# What two servers in a row may read differently: of each, no second request is heard, and of those with a body none of it is taken.
TWO_MEANINGS = {
    "both lengths": chunked(b"0\r\n\r\n" + BEHIND, b"Content-Length: 6"),
    "both lengths, the other way": post(b"0\r\n\r\n" + BEHIND, b"Content-Length: 6", b"Transfer-Encoding: chunked"),
    "two codings": chunked(b"0\r\n\r\n" + BEHIND, b"Transfer-Encoding: identity"),
    "unknown coding": post(b"0\r\n\r\n" + BEHIND, b"Transfer-Encoding: xchunked"),
    "coding not last": post(b"0\r\n\r\n" + BEHIND, b"Transfer-Encoding: chunked, gzip"),
    "coding after a blank": post(b"0\r\n\r\n" + BEHIND, b"Transfer-Encoding : chunked"),
    "coding after a tab": post(b"0\r\n\r\n" + BEHIND, b"Transfer-Encoding:\x0bchunked"),
    "two lengths": post(b"{}" + BEHIND, b"Content-Length: 2", b"Content-Length: 3"),
    "list of lengths": post(b"{}" + BEHIND, b"Content-Length: 2, 2"),
    "length with a sign": post(b"{}" + BEHIND, b"Content-Length: +2"),
    "length below none": post(b"{}" + BEHIND, b"Content-Length: -2"),
    "length in another base": post(b"{}" + BEHIND, b"Content-Length: 0x2"),
    "length in other digits": post(b"{}" + BEHIND, "Content-Length: ٢".encode()),
    "lines without returns": b"POST /v1/auth/token HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}" + BEHIND,
    "header without a return": b"GET /healthz HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n" + BEHIND,
    "return within a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n" + BEHIND,
    "NUL within a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n" + BEHIND,
    "folded header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n" + BEHIND,
    "blank in a name": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX A: a\r\n\r\n" + BEHIND,
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + BEHIND,
    "no version": b"GET /healthz\r\n\r\n" + BEHIND,
    "another version": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + BEHIND,
    "a proxy's greeting": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + BEHIND,
    "odd method": b"G\xc3\x89T /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + BEHIND,
    "chunk's length no number": chunked(b"zz\r\n{}\r\n0\r\n\r\n" + BEHIND),
    "chunk's length below none": chunked(b"-1\r\n{}\r\n0\r\n\r\n" + BEHIND),
    "chunk's length with a sign": chunked(b"+2\r\n{}\r\n0\r\n\r\n" + BEHIND),
    "chunk's length in another base": chunked(b"0x2\r\n{}\r\n0\r\n\r\n" + BEHIND),
    "chunk's length after a blank": chunked(b" 2\r\n{}\r\n0\r\n\r\n" + BEHIND),
    "chunk's length with a line": chunked(b"2_0\r\n{}\r\n0\r\n\r\n" + BEHIND),
    "chunk without a length": chunked(b"\r\n{}\r\n0\r\n\r\n" + BEHIND),
    "chunk longer than said": chunked(WHOLE[:-2] + b"XX0\r\n\r\n" + BEHIND),
    "chunk's end without a return": chunked(WHOLE[:-2] + b"\n0\n\n" + BEHIND),
    "trailer that is none": chunked(WHOLE + b"0\r\nA B: x\r\n\r\n" + BEHIND),
}


@pytest.mark.parametrize("shape", TWO_MEANINGS)
def test_request_of_two_meanings_is_refused_and_ends_its_connection(gateway: Gateway, shape: str) -> None:
    answer = exchange(gateway, TWO_MEANINGS[shape])
    assert statuses(answer) in ([400], [501])
    assert b"access_token" not in answer
    assert b"Traceback" not in answer


def test_body_in_good_chunks_is_one_body_and_the_next_request_the_next(gateway: Gateway) -> None:
    halves = b"".join(b"%x;a=b\r\n%b\r\n" % (len(half), half) for half in (GOOD[:7], GOOD[7:]))
    answer = exchange(gateway, chunked(halves + b"0\r\n\r\n" + BEHIND))
    assert statuses(answer) == [200, 401]


def test_body_of_a_request_that_takes_none_is_not_the_next_request(gateway: Gateway) -> None:
    inner = b"DELETE /v1/agents HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(inner)
    assert statuses(exchange(gateway, head + inner + BEHIND)) == [200, 401]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(101)) + b"\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 3_000_000, 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: " + b"a=b; " * 2_000 + b"\r\n\r\n", 431),
        (b"GET /v1/agents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"a" * 7_900 + b"\r\n\r\n", 401),
    ],
    ids=["line", "heads", "head", "endless head", "cookies", "token"],
)
def test_head_that_is_too_large_is_refused(gateway: Gateway, sent: bytes, status: int) -> None:
    assert statuses(exchange(gateway, sent)) == [status]


@pytest.mark.parametrize("size", [LIMIT, 2 * LIMIT, 40 * LIMIT])
@pytest.mark.parametrize("way", ["length", "chunks"])
def test_body_that_is_too_large_is_refused_however_it_comes(gateway: Gateway, size: int, way: str) -> None:
    """In chunks nothing says so before: its beginning, which is a good body by itself, must not be taken for all of it."""
    body = GOOD + b" " * (size + 1 - len(GOOD))
    pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
    answer = gateway.send(
        "POST",
        PATH.decode(),
        data=body if way == "length" else iter(pieces),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


def test_body_that_is_promised_and_never_comes_takes_no_memory(gateway: Gateway) -> None:
    answer = exchange(gateway, post(b"{}", b"Content-Length: 99999999999999999999"))
    assert statuses(answer) == [413]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"email":' * 20_000,
        b'{"email": ' + b"9" * 200_000 + b"}",
        b'{"email": "' + b"\\ud800" * 100 + b'"}',
        b'{"' + b'": 1, "'.join(b"%d" % n for n in range(20_000)) + b'": 1}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"NaN",
        b'{"email": 1e999}',
    ],
    ids=["deep", "deeper", "number", "half characters", "many names", "mark", "UTF-16", "NaN", "infinite"],
)
def test_body_beyond_all_measure_within_the_limit_is_refused_soon(gateway: Gateway, body: bytes) -> None:
    answer = exchange(gateway, post(body, b"Content-Length: %d" % len(body), b"Connection: close"))
    assert statuses(answer) in ([400], [422])
    assert len(answer) < 20_000


def has_said(visitor: Visitor, text: str) -> bool:
    return text in [message["text"] for message in visitor.messages()]


def test_people_are_served_while_hundreds_send_nothing_but_beginnings(gateway: Gateway, channel_id: str) -> None:
    """Slow heads, slow bodies, silent connections, readers who don't read: each costs a greenlet, and nobody else's time."""
    beginnings = [
        b"",
        b"G",
        b"GET /v1/agents HTTP/1.1\r\nHost: x\r\nX-A: ",
        post(b"{", b"Content-Length: 1000"),
        chunked(b"fff\r\n{"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ]
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(contextlib.closing(connect(gateway))) for _ in range(400)]
        for number, connection in enumerate(slow):
            connection.sendall(beginnings[number % len(beginnings)])
        for _ in range(3):
            for number, connection in enumerate(slow):
                if 2 <= number % len(beginnings) <= 3:
                    with contextlib.suppress(ConnectionError):  # where all takes its time, it may have been given up
                        connection.sendall(b"x")  # a byte at a time
            visitor = Visitor(gateway, channel_id)
            text = new_id()
            visitor.say(text)
            wait_until(partial(has_said, visitor, text), what="the message")
            assert gateway.send("GET", "/healthz").status_code == 200
    assert gateway.send("GET", "/readyz").status_code == 200


@pytest.mark.slow
def test_body_that_comes_byte_by_byte_is_given_up_after_its_time(gateway: Gateway) -> None:
    with contextlib.closing(connect(gateway)) as connection:
        connection.settimeout(0.5)
        connection.sendall(post(b"{", b"Content-Length: 1000"))
        answer = b""

        def answered() -> bool:
            nonlocal answer
            with contextlib.suppress(TimeoutError, ConnectionError):
                connection.sendall(b" ")
                answer += connection.recv(65_536)
            return b"REQUEST_TOO_SLOW" in answer

        wait_until(answered, 30, what="408")
    assert statuses(answer) == [408]


@pytest.mark.slow
def test_head_that_never_ends_is_given_up_by_the_gateway_itself(gateway: Gateway) -> None:
    """A balancer gives it 10 s; without one it is gunicorn's 75 s for whatever comes first on a connection."""
    with contextlib.closing(connect(gateway)) as connection:
        connection.settimeout(0.5)

        def ended() -> bool:
            try:
                connection.sendall(b"G")
                return not connection.recv(65_536)
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        wait_until(ended, 100, what="the end of the connection", interval=0.5)
