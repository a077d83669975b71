"""How long one who waits will probably wait, from recent conversations and the agents who are present. Pure, in whole seconds.

An agent with load L and capacity C opens its k-th place after `(max(0, L - C) + k) * d / max(L, C)`, d being the typical length of a
conversation: the places of many conversations that began at any time open evenly. Down the line each one takes the earliest
place among the agents it may have. All of it is reckoned in whole numbers, so that equal wishes never overtake by a rounding.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.assignment.agents import Agent, Circle

KEPT_DURATIONS = 50
NEEDED_DURATIONS = 3
# What a changed estimate must differ by to be worth a word.
TOLD_SHARE = 0.2
TOLD_SECONDS = 10


@dataclass(frozen=True)
class _Station:
    """One agent's places as they open."""

    agent: Agent
    seconds: int

    def opens(self, nth: int) -> tuple[int, int]:
        """When its `nth` place opens, as a fraction."""
        load, capacity = self.agent.load, self.agent.capacity
        return (max(0, load - capacity) + nth) * self.seconds, max(load, capacity)

    def count(self, moment: int) -> int:
        """How many places have opened by then."""
        load, capacity = self.agent.load, self.agent.capacity
        return max(0, moment * max(load, capacity) // self.seconds - max(0, load - capacity))


def typical_seconds(durations: Sequence[int]) -> int | None:
    """The mean of recent lengths without the highest and the lowest tenth; None of too few."""
    if len(durations) < NEEDED_DURATIONS:
        return None
    cut = len(durations) // 10
    middle = sorted(durations)[cut : len(durations) - cut]
    return max(1, round(sum(middle) / len(middle)))


def estimate_line(circles: Sequence[Circle], agents: Iterable[Agent], seconds: int | None) -> list[int | None]:
    """How long each of those in line will wait, given whom they may have, first in line first; None where nothing is known."""
    if seconds is None:
        return [None] * len(circles)
    stations = {agent.id: _Station(agent, seconds) for agent in agents if agent.present and agent.capacity > 0}
    # (when, who, the how-manieth) of each agent's next place, earliest first.
    places: list[tuple[float, str, int]] = []
    for agent_id, station in stations.items():
        insort(places, _place(station, agent_id, 1))
    estimates: list[int | None] = []
    for circle in circles:
        index = next((i for i, (_, agent_id, _) in enumerate(places) if circle.holds(stations[agent_id].agent)), None)
        if index is None:
            estimates.append(None)
            continue
        _, agent_id, nth = places.pop(index)
        dividend, divisor = stations[agent_id].opens(nth)
        estimates.append(-(-dividend // divisor))
        insort(places, _place(stations[agent_id], agent_id, nth + 1))
    return estimates


def estimate_place(position: int, circle: Circle, agents: Iterable[Agent], seconds: int | None) -> int | None:
    """The same for one far back, as though everybody ahead asked for the same agents: no need to read a long line."""
    if seconds is None:
        return None
    stations = [_Station(agent, seconds) for agent in agents if agent.present and agent.capacity > 0 and circle.holds(agent)]
    if not stations:
        return None
    low, high = 0, 1
    while sum(station.count(high) for station in stations) < position:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sum(station.count(middle) for station in stations) >= position else (middle, high)
    return high


def is_worth_telling(told: int | None, estimate: int | None) -> bool:
    """Whether who was told the one should be told the other."""
    if told is None or estimate is None:
        return told != estimate
    return abs(estimate - told) > max(TOLD_SECONDS, TOLD_SHARE * told)


def _place(station: _Station, agent_id: str, nth: int) -> tuple[float, str, int]:
    dividend, divisor = station.opens(nth)
    return dividend / divisor, agent_id, nth
