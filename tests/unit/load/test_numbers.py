"""Percentiles and ratios."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.load.numbers import Summary, percentile, ratio, summarise


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [
        (100, 0.99, 99),
        (100, 0.5, 50),
        (101, 0.99, 100),
        (10, 0.99, 10),
        (1, 0.5, 1),
        (2, 0.5, 1),
        (3, 0.5, 2),
        (1000, 0.99, 990),
        (5, 0, 1),
    ],
)
def test_percentile_is_the_nearest_rank(count: int, share: float, expected: float) -> None:
    assert percentile(range(1, count + 1), share) == expected


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_summary_holds_values_that_occurred_in_their_order(values: list[float]) -> None:
    found = summarise(values)
    assert found.count == len(values)
    assert {found.p50, found.p99, found.max} <= set(values)
    assert found.p50 <= found.p99 <= found.max == max(values)
    assert sum(value <= found.p50 for value in values) * 2 >= len(values)


def test_summary_of_nothing_counts_nothing() -> None:
    assert summarise([]) == Summary(0, 0.0, 0.0, 0.0)


def test_ratio_is_none_when_there_is_no_ceiling() -> None:
    assert ratio(6, 2) == 3
    assert ratio(6, 0) is None
