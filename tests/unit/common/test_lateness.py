"""How long calls were under way, whatever the clocks of those who sent them say."""

import pytest

from services.common.lateness import FORGOTTEN_SECONDS, MAX_LINKS, WINDOW_SECONDS, Lateness

HOUR = 3600.0
QUICK = 0.01


@pytest.fixture(params=[-HOUR, 0.0, HOUR])
def clock(request: pytest.FixtureRequest) -> float:
    """By how much the sender's monotonic clock is before ours."""
    return float(request.param)


def measure(lateness: Lateness, clock: float, *, at: float, under_way: float, link: str = "gateway") -> float:
    return lateness.measure(link, at - under_way + clock, at)


def test_call_is_on_time_whatever_the_senders_clock_says(clock: float) -> None:
    lateness = Lateness()
    for number in range(100):
        assert measure(lateness, clock, at=number, under_way=QUICK) < QUICK


def test_call_is_late_when_it_took_longer_than_others_of_its_link(clock: float) -> None:
    lateness = Lateness()
    measure(lateness, clock, at=1.0, under_way=QUICK)
    assert measure(lateness, clock, at=5.0, under_way=3.5) == pytest.approx(3.5, abs=QUICK * 2)


@pytest.mark.parametrize("stopped", [5.0, 25.0, 900.0])
def test_calls_are_late_when_the_receiver_was_stopped_before_it_read_them(clock: float, stopped: float) -> None:
    lateness = Lateness()
    measure(lateness, clock, at=1.0, under_way=QUICK)
    woke = 1.0 + stopped
    ages = [measure(lateness, clock, at=woke, under_way=stopped - sent) for sent in (0.1, 0.2, 0.3)]
    assert ages == pytest.approx([stopped - 0.1, stopped - 0.2, stopped - 0.3], abs=QUICK * 2)
    assert measure(lateness, clock, at=woke, under_way=QUICK) < QUICK


def test_sender_is_believed_again_when_its_own_machine_stood_still(clock: float) -> None:
    lateness = Lateness()
    measure(lateness, clock, at=1.0, under_way=QUICK)
    slept, at, late = 5.0, 2.0, []
    while at < 2.0 + 2 * WINDOW_SECONDS + 2:
        late.append(measure(lateness, clock - slept, at=at, under_way=QUICK) > slept - 1)
        at += 1.0
    assert (late[0], late[-1]) == (True, False)
    assert late == sorted(late, reverse=True)


def test_clocks_that_drift_apart_make_nothing_late_when_a_link_was_quiet_for_long(clock: float) -> None:
    lateness = Lateness()
    measure(lateness, clock, at=1.0, under_way=QUICK)
    assert measure(lateness, clock - 4.0, at=86_400.0, under_way=QUICK) == 0
    lateness = Lateness()
    measure(lateness, clock, at=1.0, under_way=QUICK)
    assert measure(lateness, clock - FORGOTTEN_SECONDS * 500e-6, at=FORGOTTEN_SECONDS, under_way=QUICK) < 1


def test_links_are_told_apart_and_the_longest_silent_is_forgotten() -> None:
    lateness = Lateness()
    measure(lateness, 0.0, at=1.0, under_way=QUICK, link="old")
    for number in range(MAX_LINKS):
        measure(lateness, HOUR * number, at=2.0, under_way=QUICK, link=f"{number}")
    assert measure(lateness, HOUR * 7, at=5.0, under_way=2.0, link="7") > 1.9
    assert measure(lateness, 0.0, at=5.0, under_way=2.0, link="old") == 0
