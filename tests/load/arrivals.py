"""When each arrival of an open loop is due: nobody waits for the answer to the one before. Pure."""

from random import Random


def poisson(rate: float, count: int, *, seed: int) -> list[float]:
    """Seconds from the beginning at which `count` arrivals are due, independent of each other, `rate` a second on average.

    Given their number, the arrivals of a Poisson process are spread evenly at random over its time. So the last is due
    within count / rate seconds, and the same seed gives the same arrivals.
    """
    if rate <= 0:
        raise ValueError("a rate is more than nothing")
    random = Random(seed)
    span = count / rate
    return sorted(random.uniform(0, span) for _ in range(count))


def together(count: int) -> list[float]:
    """`count` arrivals at one moment."""
    return [0.0] * count
