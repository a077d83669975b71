"""Loaded by each Python process that goes by a clock of tests.support.clocks, before anything else: sleeping that libfaketime leaves alone.

Python 3.11 sleeps until a moment of the monotonic clock (clock_nanosleep, TIMER_ABSTIME). libfaketime 0.9.10 reckons that moment anew though it was told to
leave the monotonic clock as it is, and the system refuses what comes out. A wait for nothing with a time limit takes another way.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    wanted = float(seconds)
    if wanted < 0:
        raise ValueError("sleep length must be non-negative")
    ends = time.monotonic() + wanted
    while (left := ends - time.monotonic()) > 0:
        select.select((), (), (), left)


time.sleep = _sleep
