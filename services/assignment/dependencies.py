"""What assignment's workers are given beside the store: whether this process has heard what happened, and visitors' absence."""

from datetime import datetime, timedelta
from typing import Any

from nameko.extensions import DependencyProvider

from services.assignment.hearing import Hearing
from services.assignment.settings import read_absence
from services.common.events import Subscription
from services.common.times import now


class Watchfulness(DependencyProvider):
    """The process's hearing, and how long a visitor may be unseen; None is for ever."""

    def __init__(self) -> None:
        self.hearing = Hearing()
        self.absence: timedelta | None = None

    def setup(self) -> None:
        """Read the settings; nothing was heard yet."""
        self.absence = read_absence()

    def start(self) -> None:
        """Begin to listen."""
        self.hearing.fall_behind(now())

    def hears(self, moment: datetime) -> bool:
        """Whether silence now means that nothing was said. Ask every second or so."""
        if not all(each.consumer.connected for each in self.container.entrypoints if isinstance(each, Subscription)):
            self.hearing.cut_off(moment)
        return self.hearing.is_current(moment)

    def get_dependency(self, worker_ctx: Any) -> "Watchfulness":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self
