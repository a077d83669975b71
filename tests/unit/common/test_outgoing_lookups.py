"""Names looked up once for all who ask, and dead names that don't stand in the way of the others."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import eventlet
import pytest

from services.common import lookups, outgoing
from services.common.guard import UNGUARDED, Guard, Refused, read_networks
from services.common.lookups import LookupFailed, Lookups
from services.common.outgoing import NotReached, check_target, look_up

DEADLINE = 10.0
LOOPBACK = Guard(read_networks("127.0.0.0/8"))


class Resolver:
    """The system's resolver: some names are answered only when the test says so."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.go_on = threading.Event()
        self.address = "127.0.0.1"

    def getaddrinfo(self, host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        self.asked[host] += 1
        if host.startswith(("slow", "dead")):
            self.go_on.wait(DEADLINE)
        if host.startswith(("dead", "unknown")):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.address, port))]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    yield resolver
    resolver.go_on.set()


def wait_green(condition: Callable[[], bool]) -> None:
    """Until something holds, while greenlets go on."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        eventlet.sleep(0.005)


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(lookups, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + seconds))


def ask_for_dead_names(find: Callable[[str, int], object], count: int) -> None:
    """Somebody asks for each of so many names whose servers don't answer."""

    def ask(host: str) -> None:
        with pytest.raises((LookupFailed, NotReached)):
            find(host, 443)

    for number in range(count):
        eventlet.spawn_n(ask, f"dead{number}.example")


def test_all_who_ask_for_a_name_at_once_share_one_lookup(resolver: Resolver) -> None:
    names = Lookups(2)
    asking = [eventlet.spawn(names.find, "slow.example", 443) for _ in range(16)]
    wait_green(lambda: resolver.asked["slow.example"] == 1)
    resolver.go_on.set()
    assert [each.wait() for each in asking] == [[ip_address("127.0.0.1")]] * 16
    assert resolver.asked["slow.example"] == 1


def test_lookup_goes_on_for_the_others_when_one_gives_up(resolver: Resolver) -> None:
    names = Lookups(2)
    patient = eventlet.spawn(names.find, "slow.example", 443)
    with pytest.raises(eventlet.Timeout), eventlet.Timeout(0.05):
        names.find("slow.example", 443)
    resolver.go_on.set()
    assert patient.wait() == [ip_address("127.0.0.1")]


def test_answer_is_kept_for_a_few_seconds_and_then_asked_for_again(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Lookups(2)
    names.find("a.example", 443)
    resolver.address = "127.0.0.2"
    assert names.find("A.example", 443) == [ip_address("127.0.0.1")]
    pass_time(monkeypatch, lookups.KEPT_SECONDS + 0.1)
    assert names.find("a.example", 443) == [ip_address("127.0.0.2")]


def test_fault_is_not_kept_when_it_was_said_at_once(resolver: Resolver) -> None:
    names = Lookups(2)
    for _ in range(2):
        with pytest.raises(LookupFailed, match=r"unknown\.example can't be looked up") as caught:
            names.find("unknown.example", 443)
        assert not caught.value.untried
    assert resolver.asked["unknown.example"] == 2


def test_name_is_not_asked_for_again_for_a_while_when_its_last_lookup_hung(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "HUNG_SECONDS", 0.0)
    names = Lookups(1)
    resolver.go_on.set()
    for _ in range(3):
        with pytest.raises(LookupFailed, match="can't be looked up"):
            names.find("dead.example", 443)
    assert resolver.asked["dead.example"] == 1
    pass_time(monkeypatch, lookups.HUNG_KEPT_SECONDS + 1)
    with pytest.raises(LookupFailed):
        names.find("dead.example", 443)
    assert resolver.asked["dead.example"] == 2


def test_name_waits_for_a_place_and_is_then_untried_when_dead_names_hold_all(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "PLACE_SECONDS", 0.05)
    names = Lookups(2)
    ask_for_dead_names(names.find, 4)
    wait_green(lambda: resolver.asked.total() == 2)
    with pytest.raises(LookupFailed, match=r"new\.example has to wait") as caught:
        names.find("new.example", 443)
    assert caught.value.untried
    assert resolver.asked.total() == 2
    monkeypatch.setattr(lookups, "PLACE_SECONDS", DEADLINE)  # their threads take a moment to end
    resolver.go_on.set()
    assert names.find("new.example", 443) == [ip_address("127.0.0.1")]


def test_names_that_answered_before_and_operators_names_pass_dead_ones(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "PLACE_SECONDS", 0.05)
    monkeypatch.setattr(outgoing, "STRANGERS", Lookups(6, quick_at_once=6))
    look_up("good.example", 443)
    ask_for_dead_names(look_up, 20)
    wait_green(lambda: resolver.asked.total() == 7)
    pass_time(monkeypatch, lookups.KEPT_SECONDS + 0.1)
    assert look_up("good.example", 443) == [ip_address("127.0.0.1")]
    assert resolver.asked["good.example"] == 2
    assert look_up("graph.example", 443, trusted=UNGUARDED.trusted) == [ip_address("127.0.0.1")]
    with pytest.raises(NotReached, match="has to wait") as caught:
        look_up("new.example", 443)
    assert caught.value.untried


def test_kept_answer_is_checked_by_each_guard(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "STRANGERS", Lookups(2))
    check_target("https://inside.example/", LOOPBACK)
    with pytest.raises(Refused, match=r"The address 127\.0\.0\.1 is not a public one"):
        check_target("https://inside.example/", Guard())
    assert resolver.asked["inside.example"] == 1


def test_refusal_says_why_when_the_name_of_a_plain_target_was_not_looked_up(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "STRANGERS", Lookups(2))
    check_target("https://slow.example/", LOOPBACK, seconds=0.05)
    with pytest.raises(Refused, match=r"http:// is allowed at certain addresses only\. The name slow\.example was not looked up"):
        check_target("http://slow.example/", LOOPBACK, seconds=0.05)
    with pytest.raises(Refused, match=r"Only https:// is allowed\."):
        check_target("http://unknown.example/", Guard())
