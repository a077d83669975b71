"""Waiting for a part of the stack, with an end."""

import time
from collections.abc import Callable
from typing import TypeVar

from deploy.setup.errors import SetupFailed
from services.common.logs import get_logger

log = get_logger(__name__)

INTERVAL = 0.5
SAY_EVERY = 10.0

Found = TypeVar("Found")


class NotYet(Exception):
    """What is waited for isn't there; the text says what is seen instead."""


class Deadline:
    """The time that all of a setup's waiting may take together."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds

    def wait_for(self, what: str, attempt: Callable[[], Found]) -> Found:
        """What `attempt` returns once it no longer raises NotYet; says every few seconds what is waited for. Raises SetupFailed."""
        said = -SAY_EVERY
        while True:
            try:
                return attempt()
            except NotYet as seen:
                now = time.monotonic()
                if now >= self._ends:
                    raise SetupFailed(f"waited {self._seconds:g} s in vain for {what}: {seen}") from None
                if now - said >= SAY_EVERY:
                    said = now
                    log.info("waiting", waiting_for=what, seen=str(seen))
                time.sleep(min(INTERVAL, self._ends - now))
