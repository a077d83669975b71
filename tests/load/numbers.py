"""Many measured values in a few: percentiles that are values which occurred. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """What the report says of a distribution, in the unit of the values; all of them 0 without any value."""

    count: int
    p50: float
    p99: float
    max: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the ascending values don't exceed (the nearest rank)."""
    if not ordered:
        raise ValueError("no values have no percentile")
    rank = max(1, math.ceil(share * len(ordered) - 1e-9))  # 0.99 * 100 is a little more than 99
    return ordered[rank - 1]


def summarise(values: Iterable[float]) -> Summary:
    """The distribution of some values, given in any order."""
    ordered = sorted(values)
    if not ordered:
        return Summary(0, 0.0, 0.0, 0.0)
    return Summary(len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.99), ordered[-1])


def ratio(measured: float, ceiling: float) -> float | None:
    """How many times the ceiling's cost was paid; None beside a ceiling of nothing."""
    return measured / ceiling if ceiling else None
