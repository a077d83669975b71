"""One reading for all who ask the same, none of them told what was read before they asked."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from services.common.sharing import Shared
from tests.support.waiting import wait_until

SECONDS = 10


class Listing:
    """Something that changes, and is read slowly."""

    def __init__(self) -> None:
        self.value = 0
        self.readings = 0
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def read(self) -> int:
        self.readings += 1
        value = self.value
        self.begun.release()
        assert self.go_on.acquire(timeout=SECONDS)
        return value


def waiting(shared: Shared[int], asked: str) -> int:
    return len(shared._asked[asked][0]._waiting)


def test_those_who_ask_during_a_reading_share_one_that_begins_after_they_asked() -> None:
    shared: Shared[int] = Shared()
    listing = Listing()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(shared, "all", listing.read)
        assert listing.begun.acquire(timeout=SECONDS)
        listing.value = 1
        later: list[Future[int]] = []
        for _ in range(3):
            later.append(pool.submit(shared, "all", listing.read))
            wait_until(lambda: waiting(shared, "all") == len(later), what="one more who asks")
        listing.go_on.release(2)
        assert first.result(SECONDS) == 0
        assert [each.result(SECONDS) for each in later] == [1, 1, 1]
    assert listing.readings == 2
    assert not shared._asked


def test_who_asks_for_something_else_does_not_wait() -> None:
    shared: Shared[int] = Shared()
    listing = Listing()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shared, "all", listing.read)
        assert listing.begun.acquire(timeout=SECONDS)
        assert shared("mine", lambda: 7) == 7
        listing.go_on.release()
        assert first.result(SECONDS) == 0


def test_a_failure_is_raised_and_the_next_one_reads_anew() -> None:
    shared: Shared[int] = Shared()

    def fail() -> int:
        raise ValueError("no such cursor")

    with pytest.raises(ValueError, match="no such cursor"):
        shared("all", fail)
    assert shared("all", lambda: 1) == 1
