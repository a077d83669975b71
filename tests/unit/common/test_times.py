"""Whose clock the present is told by."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from services.common import times

START = datetime(2026, 11, 24, 7, 31, 47, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clocks:
    """The wall clock and the monotonic one, which the test moves."""

    def __init__(self) -> None:
        self.wall = START
        self.monotonic = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.monotonic += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clocks]:
    clocks = Clocks()
    monkeypatch.setattr(times, "datetime", SimpleNamespace(now=lambda _: clocks.wall))
    monkeypatch.setattr(times, "time", SimpleNamespace(monotonic=lambda: clocks.monotonic))
    monkeypatch.setattr(times, "_agreed", None)
    monkeypatch.setattr(times, "_doubted", None)
    yield clocks
    monkeypatch.undo()


def test_wall_clock_tells_while_nothing_was_agreed(clocks: Clocks) -> None:
    clocks.pass_by(5.0005)
    assert times.now() == START + timedelta(seconds=5)


@pytest.mark.parametrize("wrong_by", [-HOUR, HOUR])
def test_own_clock_does_not_matter_once_another_was_agreed_upon(clocks: Clocks, wrong_by: timedelta) -> None:
    clocks.wall += wrong_by
    assert times.agree(START) == -wrong_by
    clocks.pass_by(5)
    assert times.now() == START + timedelta(seconds=5)
    clocks.wall += wrong_by  # it jumps
    assert times.now() == START + timedelta(seconds=5)


def test_nothing_is_corrected_when_the_clocks_agree_as_far_as_can_be_told(clocks: Clocks) -> None:
    times.agree(START)
    for _ in range(100):
        clocks.pass_by(10)
        assert times.agree(clocks.wall - timedelta(milliseconds=200)) is None
    assert times.now() == clocks.wall


def test_clock_that_jumps_ahead_is_followed_at_once(clocks: Clocks) -> None:
    times.agree(START)
    assert times.agree(START + HOUR) == HOUR
    assert times.now() == START + HOUR


def test_clock_that_falls_back_is_followed_when_it_is_heard_twice(clocks: Clocks) -> None:
    times.agree(START)
    assert times.agree(START - HOUR) is None
    assert times.now() == START
    clocks.pass_by(10)
    assert times.agree(START - HOUR + timedelta(seconds=10)) == -HOUR
    assert times.now() == START - HOUR + timedelta(seconds=10)


def test_what_was_long_on_its_way_corrects_nothing(clocks: Clocks) -> None:
    times.agree(START)
    clocks.pass_by(25)  # stopped: three answers wait to be read
    assert [times.agree(START + timedelta(seconds=second)) for second in (5, 15, 24.9)] == [None, None, None]
    assert times.now() == START + timedelta(seconds=25)
