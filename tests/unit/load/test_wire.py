"""The load's own HTTP: every answer is its request's, what fails is told, and an open loop waits for nobody."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing

from tests.load.exchange import request
from tests.load.wire import Wire
from tests.unit.load.server import said, serving


def numbered(sender: int) -> Iterator[bytes]:
    return (request("POST", "/messages", token="t", body={"text": f"{sender}-{number}"}) for number in itertools.count())


def echo(asked: bytes) -> bytes:
    return said(asked.partition(b"\r\n\r\n")[2])


def test_request_says_how_long_its_body_is_and_who_asks() -> None:
    made = request("POST", "/x", token="abc", body={"text": "é"})
    assert made.startswith(b"POST /x HTTP/1.1\r\nHost: ")
    assert b"\r\nAuthorization: Bearer abc\r\n" in made
    assert made.endswith(b'\r\nContent-Length: 13\r\n\r\n{"text":"\xc3\xa9"}')
    assert b"Content-Length" not in request("GET", "/x")


def test_senders_get_the_answers_to_their_own_requests_one_after_the_other() -> None:
    with serving(echo) as url, closing(Wire(url, 3)) as wire:
        load = wire.closed([itertools.islice(numbered(sender), 20) for sender in range(3)], 10)
    assert load.faults == []
    assert len(load.confirmed) == 60
    for sender in range(3):
        own = [exchange for exchange in load.exchanges if exchange.number == sender]
        assert [exchange.body for exchange in own] == [b'{"text":"%d-%d"}' % (sender, number) for number in range(20)]
        assert all(before.answered <= after.begun for before, after in itertools.pairwise(own))


def test_nothing_is_sent_any_more_when_the_time_is_over() -> None:
    with serving(echo) as url, closing(Wire(url, 2)) as wire:
        load = wire.closed([numbered(0), numbered(1)], 0.5)
    assert load.exchanges
    assert all(exchange.begun <= load.began + 0.5 for exchange in load.exchanges)
    assert round(load.rate * load.seconds) == sum(exchange.answered <= load.began + load.seconds for exchange in load.exchanges)


def test_open_loop_sends_what_is_due_while_others_have_no_answer_yet() -> None:
    release = threading.Event()

    def hold_first(asked: bytes) -> bytes:
        if b"first" in asked:
            release.wait(10)
        else:
            release.set()
        return echo(asked)

    schedule = [(0.0, request("POST", "/", body={"text": "first"})), (0.001, request("POST", "/", body={"text": "second"}))]
    with serving(hold_first) as url, closing(Wire(url, 2)) as wire:
        load = wire.open(schedule)
    first, second = load.exchanges
    assert load.faults == []
    assert first.begun >= first.due
    assert first.answered > second.begun >= second.due


def test_waiting_for_a_free_connection_counts_from_when_it_was_due() -> None:
    release = threading.Event()

    def slowly(asked: bytes) -> bytes:
        release.wait(0.1)
        return echo(asked)

    with serving(slowly) as url, closing(Wire(url, 1)) as wire:
        load = wire.open([(0.0, request("POST", "/", body={})), (0.0, request("POST", "/", body={}))])
    first, second = load.exchanges
    assert second.begun >= first.answered > second.due
    assert load.lateness == second.begun - second.due
    assert max(load.latencies) == second.answered - second.due


def test_failures_are_told_by_kind_and_are_no_confirmations() -> None:
    numbers = itertools.count()

    def fail(asked: bytes) -> bytes | None:
        match next(numbers):
            case 0:
                return said(b"{}", "503 SERVICE UNAVAILABLE")
            case 1:
                return None
            case _:
                return said(b"{}")

    with serving(fail) as url, closing(Wire(url, 1)) as wire:
        load = wire.open([(0.0, request("POST", "/", body={}))] * 3)
    assert load.faults == [
        "1 of 3 requests failed: ConnectionError: the connection was closed",
        "1 of 3 requests failed: answered 503",
    ]
    assert [exchange.status for exchange in load.confirmed] == [201]


def test_sender_stops_at_its_first_fault() -> None:
    with serving(lambda _: said(b"", "429 TOO MANY REQUESTS")) as url, closing(Wire(url, 1)) as wire:
        load = wire.closed([numbered(0)], 10)
    assert load.faults == ["1 of 1 requests failed: answered 429"]


def test_late_answer_is_not_taken_for_the_next_requests() -> None:
    def hear_second(asked: bytes) -> bytes:
        return b"" if b"first" in asked else said(b'"late"') + said(b'"more"')

    with serving(hear_second) as url, closing(Wire(url, 1)) as wire:
        load = wire.open([(0.0, request("POST", "/", body={"text": "first"}))], timeout=0.05)
        assert load.faults == ["1 of 1 requests failed: no answer within 0.05 s"]
        again = wire.open([(0.0, request("POST", "/", body={}))], timeout=5)
    assert [exchange.status for exchange in again.exchanges] == [201]


def test_server_that_is_not_there_is_a_fault_of_every_request() -> None:
    with serving(echo) as url:
        pass
    with closing(Wire(url, 2)) as wire:
        load = wire.open([(0.0, request("GET", "/"))] * 2)
    assert [fault.partition(":")[0] for fault in load.faults] == ["2 of 2 requests failed"]
    assert load.confirmed == []


def test_answer_in_pieces_is_one_answer() -> None:
    whole = said(b'{"id":"1"}')
    with serving(lambda _: whole[:30]) as url, closing(Wire(url, 1)) as wire:
        load = wire.open([(0.0, request("GET", "/"))], timeout=0.1)
    assert load.faults == ["1 of 1 requests failed: no answer within 0.1 s"]
    large = said(b'"' + b"x" * 300_000 + b'"')
    with serving(lambda _: large) as url, closing(Wire(url, 1)) as wire:
        load = wire.open([(0.0, request("GET", "/"))])
    assert [len(exchange.body) for exchange in load.confirmed] == [300_002]


def test_connections_are_spread_over_several_gateways() -> None:
    with (
        serving(lambda _: said(b"1")) as first,
        serving(lambda _: said(b"2")) as second,
        closing(Wire([first, second], 4)) as wire,
    ):
        load = wire.closed([iter([request("GET", "/")]) for _ in range(4)], 5)
    assert {exchange.number: exchange.body for exchange in load.confirmed} == {0: b"1", 1: b"2", 2: b"1", 3: b"2"}


def test_load_of_nothing_is_nothing() -> None:
    with serving(echo) as url, closing(Wire(url, 1)) as wire:
        load = wire.open([])
    assert (load.rate, load.lateness, load.latencies, load.faults) == (0.0, 0.0, [], [])
