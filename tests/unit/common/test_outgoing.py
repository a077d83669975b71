"""Requests to servers that behave badly: what comes back, and what is never sent."""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from services.common import outgoing
from services.common.guard import UNGUARDED, Address, Guard, Refused, read_networks
from services.common.outgoing import Answer, NotReached, check_target, post
from tests.support import receiver as reactions
from tests.support.receiver import Receiver, answering, make_certificate, running_receiver

LOOPBACK = Guard(read_networks("127.0.0.0/8"))


receiver = pytest.fixture(running_receiver, scope="module")


def send(url: str, *, guard: Guard = LOOPBACK, deadline: float = 5.0, read_bytes: int = 4096) -> Answer:
    return post(url, b'{"a": 1}', {"x-mine": "yes"}, deadline_seconds=deadline, guard=guard, read_bytes=read_bytes)


def test_request_arrives_as_it_was_given(receiver: Receiver) -> None:
    receiver.react("/plain?x=1", answering(201, b"thanks", X_Theirs="too"))
    answer = send(receiver.url("/plain?x=1"))
    assert (answer.status, answer.body, answer.headers["x-theirs"]) == (201, b"thanks", "too")
    [request] = receiver.at("/plain?x=1")
    assert request.body == b'{"a": 1}'
    assert request.headers["x-mine"] == "yes"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["user-agent"].startswith("Foyer/")


@pytest.mark.parametrize("status", [204, 404, 410, 500, 503, 999])
def test_answer_is_returned_whatever_its_status(receiver: Receiver, status: int) -> None:
    receiver.react("/status", answering(status))
    assert send(receiver.url("/status")).status == status


def test_redirect_is_returned_and_not_followed(receiver: Receiver) -> None:
    receiver.react("/moved", answering(302, location=receiver.url("/elsewhere")))
    assert send(receiver.url("/moved")).status == 302
    assert receiver.at("/elsewhere") == []


@pytest.mark.parametrize("reaction", [reactions.lying, reactions.flooding])
def test_status_counts_when_the_body_is_not_as_long_as_it_says(receiver: Receiver, reaction: reactions.Reaction) -> None:
    receiver.react("/length", reaction)
    answer = send(receiver.url("/length"))
    assert answer.status == 200
    assert answer.body in {b"short", b"xxxxx"}


def test_no_more_of_a_body_is_read_than_asked_for(receiver: Receiver) -> None:
    receiver.react("/long", answering(200, b"x" * 1_000_000))
    assert send(receiver.url("/long"), read_bytes=100).body == b"x" * 100


def test_status_counts_when_the_body_comes_too_slowly(receiver: Receiver) -> None:
    receiver.react("/drip", reactions.dripping)
    began = time.monotonic()
    answer = send(receiver.url("/drip"), deadline=1)
    assert time.monotonic() - began < 4
    assert answer.status == 200
    assert 0 < len(answer.body) < 50


@pytest.mark.parametrize(
    ("reaction", "reason"),
    [
        (reactions.silent, "No answer"),
        (reactions.hanging_up, "Not an HTTP answer"),
        (reactions.with_huge_headers, "Not an HTTP answer"),
        (reactions.babbling, "Not an HTTP answer"),
    ],
)
def test_outcome_is_unknown_when_the_request_was_sent_and_not_answered(
    receiver: Receiver, reaction: reactions.Reaction, reason: str
) -> None:
    receiver.react("/bad", reaction)
    with pytest.raises(NotReached, match=reason) as caught:
        send(receiver.url("/bad"), deadline=0.5 if reaction is reactions.silent else 5)
    assert caught.value.unknown


def test_nothing_was_sent_when_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NotReached, match="No connection: Connection refused") as caught:
            send(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert not caught.value.unknown


def test_nothing_is_sent_when_the_guard_refuses(receiver: Receiver) -> None:
    with pytest.raises(NotReached, match=r"Refused: The address 127\.0\.0\.1 is not a public one") as caught:
        send(receiver.url("/guarded").replace("http:", "https:"), guard=Guard())
    assert not caught.value.unknown
    assert receiver.at("/guarded") == []


class Names:
    """A resolver whose answers change."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def look_up(self, host: str, port: int, **_: object) -> list[Address]:
        self.asked += 1
        return [ip_address(text) for text in self.answers[min(self.asked, len(self.answers)) - 1]]


def test_connection_goes_to_the_checked_address_when_the_name_changes_in_between(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr(outgoing, "look_up", names.look_up)
    guard = Guard(read_networks("127.0.0.1/32"))
    assert send(f"http://rebinding.example:{receiver.port}/rebind", guard=guard).status == 200
    assert names.asked == 1
    assert receiver.at("/rebind")[0].headers["host"] == f"rebinding.example:{receiver.port}"
    with pytest.raises(NotReached, match=r"Refused: The address 127\.0\.0\.2"):
        send(f"http://rebinding.example:{receiver.port}/rebind", guard=guard)
    assert len(receiver.at("/rebind")) == 1


def test_name_is_refused_when_one_of_its_addresses_is_private(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "look_up", Names(["8.8.8.8", "127.0.0.1"]).look_up)
    with pytest.raises(NotReached, match=r"Refused: The address 127\.0\.0\.1"):
        send(f"https://both.example:{receiver.port}/both", guard=Guard())
    with pytest.raises(Refused, match=r"127\.0\.0\.1"):
        check_target("https://both.example/", Guard())


def test_next_address_is_tried_when_the_first_refuses(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "look_up", Names(["127.0.0.9", "127.0.0.1"]).look_up)
    assert send(f"http://two.example:{receiver.port}/two").status == 200


def test_target_passes_when_its_name_cannot_be_looked_up_and_it_speaks_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(host: str, port: int, **_: object) -> list[Address]:
        raise NotReached("no such name")

    monkeypatch.setattr(outgoing, "look_up", fail)
    check_target("https://unknown.example/", Guard())
    with pytest.raises(Refused):
        check_target("http://unknown.example/", Guard())


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Receiver, Path]]:
    """A receiver that calls itself hook.test, and the certificate that vouches for it."""
    certificate, context = make_certificate(tmp_path_factory.mktemp("tls"), "DNS:hook.test")
    receiver = Receiver(context)
    receiver.start()
    yield receiver, certificate
    receiver.stop()


def test_tls_is_spoken_with_the_name_and_not_the_address(secure: tuple[Receiver, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    receiver, certificate = secure
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(outgoing, "_tls", lambda: context)
    monkeypatch.setattr(outgoing, "look_up", Names(["127.0.0.1"]).look_up)
    assert send(f"https://hook.test:{receiver.port}/").status == 200
    for other in ("other.test", "127.0.0.1"):
        with pytest.raises(NotReached, match="TLS: the certificate is not valid") as caught:
            send(f"https://{other}:{receiver.port}/")
        assert not caught.value.unknown


def test_tls_is_refused_when_nobody_known_vouches_for_the_certificate(
    secure: tuple[Receiver, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "look_up", Names(["127.0.0.1"]).look_up)
    with pytest.raises(NotReached, match="TLS: the certificate is not valid"):
        send(f"https://hook.test:{secure[0].port}/")


def test_tls_is_refused_when_the_other_side_speaks_plainly(receiver: Receiver) -> None:
    with pytest.raises(NotReached, match="TLS"):
        send(receiver.url().replace("http:", "https:"), guard=UNGUARDED)


GREEN = """
import os
os.environ["EVENTLET_NO_GREENDNS"] = "yes"
import warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch()
import socket, sys, time
from eventlet.patcher import original
from services.common import outgoing
from services.common.guard import UNGUARDED

real_sleep, ticks = original("time").sleep, []

def tick():
    while True:
        ticks.append(time.monotonic())
        eventlet.sleep(0.02)

def never_found(host, port, **_):
    real_sleep(12)
    raise OSError("too late")

eventlet.spawn(tick)
if sys.argv[1] == "name":
    socket.getaddrinfo = never_found
began = time.monotonic()
try:
    outgoing.post(sys.argv[2], b"{}", {}, deadline_seconds=2, guard=UNGUARDED)
except outgoing.NotReached as error:
    print(error.reason, error.unknown, time.monotonic() - began < 4, max(b - a for a, b in zip(ticks, ticks[1:])) < 1.2)
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.parametrize(
    ("what", "reaction", "unknown"),
    [("name", reactions.silent, False), ("answer", reactions.silent, True), ("head", reactions.dripping_head, True)],
)
def test_nobody_else_waits_under_eventlet_when_the_other_side_never_comes_to_an_end(
    receiver: Receiver, what: str, reaction: reactions.Reaction, unknown: bool
) -> None:
    receiver.react("/never", reaction)
    url = "http://slow.example/" if what == "name" else receiver.url("/never")
    said = subprocess.run([sys.executable, "-c", GREEN, what, url], check=True, capture_output=True, text=True, timeout=20)
    assert said.stdout.strip() == f"No answer within 2 s. {unknown} True True", said.stderr
