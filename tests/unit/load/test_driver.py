"""The open loop itself: what is late, failed or unanswered is told, and never holds up the others."""

import threading
import time

from tests.load.driver import START_SECONDS, drive


def wait_for(release: threading.Event) -> None:
    release.wait(5)


def test_waiting_for_a_worker_counts_from_when_the_arrival_was_due() -> None:
    release = threading.Event()
    threading.Timer(0.1, release.set).start()
    run = drive([0.0, 0.0], lambda number: wait_for(release), workers=1, timeout=5)
    first, second = run.arrivals
    assert first.due == second.due
    assert second.begun >= first.answered > second.due
    assert run.lateness == second.begun - second.due
    assert run.faults == []


def test_no_arrival_begins_before_it_is_due() -> None:
    begun = time.perf_counter()
    run = drive([0.0, 0.01, 0.02], lambda number: None, workers=3, timeout=5)
    assert run.arrivals[0].due >= begun + START_SECONDS
    assert all(arrival.begun >= arrival.due for arrival in run.arrivals)


def test_failures_are_told_by_kind_when_some_arrivals_fail() -> None:
    def act(number: int) -> None:
        if number:
            raise RuntimeError("POST /x answered 503")

    run = drive([0.0, 0.0, 0.0], act, workers=3, timeout=5)
    assert run.faults == ["2 of 3 arrivals failed: RuntimeError: POST /x answered 503"]


def test_arrival_without_an_answer_is_told_when_the_time_is_over() -> None:
    release = threading.Event()
    run = drive([0.0], lambda number: wait_for(release), workers=1, timeout=0.05)
    release.set()
    assert run.faults == ["1 of 1 arrivals failed: no answer within 0.05 s"]
