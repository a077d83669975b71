"""Whether this process has heard what happened, or is still catching up on events. Pure.

After an outage the events of minutes wait to be heard, the answers of agents among them. Who judged by the clock alone would
take the conversations from agents who answered long ago.
"""

from datetime import datetime, timedelta

SETTLING = timedelta(seconds=2)  # for the first events to arrive, and between one late event and the next
RECOVERY = timedelta(seconds=15)  # for agents, whose answers were refused, to give them again
LATE = timedelta(seconds=5)
# Clocks that differ make every event late: whoever is behind for that long goes by the clock after all.
LONGEST_PAUSE = timedelta(seconds=60)


class Hearing:
    """`note` every event; ask `is_current` before acting on what has not been heard."""

    def __init__(self) -> None:
        self._behind_since: datetime | None = None
        self._behind_until: datetime | None = None

    def note(self, happened_at: datetime, moment: datetime) -> None:
        """An event of `happened_at` is heard now."""
        if moment - happened_at > LATE:
            self.fall_behind(moment)

    def fall_behind(self, moment: datetime) -> None:
        """What happened lately was not heard, or may not have been: after a start, when events come late."""
        if self._behind_since is None:
            self._behind_since = moment
        self._behind_until = max(moment + SETTLING, self._behind_until or moment)

    def cut_off(self, moment: datetime) -> None:
        """Nothing can be heard or said at the moment: the broker or the database is away."""
        self._behind_since = moment
        self._behind_until = moment + RECOVERY

    def is_current(self, moment: datetime) -> bool:
        """Whether silence now means that nothing was said."""
        if self._behind_since is None or self._behind_until is None:
            return True
        if moment < self._behind_until and moment - self._behind_since < LONGEST_PAUSE:
            return False
        if moment >= self._behind_until:
            self._behind_since = self._behind_until = None
        return True
