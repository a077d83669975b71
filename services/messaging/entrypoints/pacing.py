"""Long work beside which the process goes on answering: one thread serves everybody."""

import time
from typing import TypeVar

import eventlet

from services.messaging.flows.steps import Steps

Result = TypeVar("Result")

AT_A_TIME = 0.002


def paced(steps: Steps[Result], at_a_time: float = AT_A_TIME) -> Result:
    """The result of all the steps; others come in as soon as `at_a_time` seconds were worked without them."""
    others_were_in = time.monotonic()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        if time.monotonic() - others_were_in >= at_a_time:
            eventlet.sleep(0)
            others_were_in = time.monotonic()
