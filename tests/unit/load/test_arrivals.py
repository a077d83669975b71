"""The schedule of an open loop."""

from itertools import pairwise

import pytest

from tests.load.arrivals import poisson, together


def test_arrivals_come_at_the_rate_when_many() -> None:
    due = poisson(40, 4000, seed=1)
    assert len(due) == 4000
    assert due == sorted(due)
    assert 0 <= due[0] <= due[-1] <= 100
    in_each_quarter = [sum(begin <= moment < begin + 25 for moment in due) for begin in (0, 25, 50, 75)]
    assert all(900 < count < 1100 for count in in_each_quarter)


def test_arrivals_crowd_and_pause_when_they_are_independent() -> None:
    due = poisson(10, 1000, seed=2)
    gaps = [later - earlier for earlier, later in pairwise(due)]
    # Of exponential gaps of 0.1 s on average, two thirds are shorter, and one of twenty is three times as long.
    assert 0.58 < sum(gap < 0.1 for gap in gaps) / len(gaps) < 0.68
    assert 0.02 < sum(gap > 0.3 for gap in gaps) / len(gaps) < 0.09


def test_arrivals_are_the_same_when_the_seed_is() -> None:
    assert poisson(5, 50, seed=3) == poisson(5, 50, seed=3)
    assert poisson(5, 50, seed=3) != poisson(5, 50, seed=4)


def test_rate_is_refused_when_nothing_would_ever_come() -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        poisson(0, 1, seed=1)


def test_all_are_due_at_once_when_together() -> None:
    assert together(3) == [0, 0, 0]
