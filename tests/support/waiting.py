"""Waiting on a condition with a deadline, for a value."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout: float = 15.0, *, what: str = "the condition", interval: float = 0.02) -> T:
    """The first truthy value of `condition`. Fails the test after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} did not come true within {timeout:g} s; last value: {value!r}")
        time.sleep(interval)
    return value
