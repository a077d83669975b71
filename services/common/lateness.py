"""How long calls were under way, told without the wall clocks of two machines, which differ and jump.

A sender's monotonic clock and ours count from different moments, but alike. The quickest of a link's last calls took next to nothing, so by what another
call's difference between the two exceeds its, that one took longer. A link's first call can't be judged, and what really waits in the broker expires there.
"""

import time
from collections import OrderedDict

# By then a sender whose own machine stood still, so that all it sends seems late, is believed again.
WINDOW_SECONDS = 10.0
# Monotonic clocks of two machines drift apart by a second in half an hour at worst (500 ppm).
FORGOTTEN_SECONDS = 1200.0
MAX_LINKS = 1_000


class Lateness:
    """What was learnt of each link; ask once for each call, in the order of arrival."""

    def __init__(self) -> None:
        # By link: when its window began, the smallest difference since, and that of the window before.
        self._links: OrderedDict[str, tuple[float, float, float]] = OrderedDict()

    def measure(self, link: str, sent: float, arrived: float | None = None) -> float:
        """For how many seconds a call of this link was under way that left when its sender's monotonic clock said `sent`."""
        arrived = time.monotonic() if arrived is None else arrived
        difference = arrived - sent
        began, least, before = self._links.pop(link, (arrived, difference, difference))
        if arrived - began > WINDOW_SECONDS:
            # Also when it was we who stood still: what is read then shows against what was learnt before.
            before = least if arrived - began < FORGOTTEN_SECONDS else difference
            began, least = arrived, difference
        least = min(least, difference)
        self._links[link] = (began, least, before)
        if len(self._links) > MAX_LINKS:
            self._links.popitem(last=False)
        return difference - min(least, before)
