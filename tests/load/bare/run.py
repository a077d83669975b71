"""The raw ceilings of a run: measured when a scenario asks first, on that scenario's product, and the same for all."""

from tests.load.bare.measures import Bare, measure_bare
from tests.load.lab import Lab, World

_KNOWN: dict[int, Bare] = {}


def bare_of(lab: Lab, world: World, senders: int) -> Bare:
    """What each bare operation does with so many at once. The product should be idle."""
    if senders not in _KNOWN:
        lab.say(f"measuring the bare HTTP server, call, insert and broker with {senders} at once")
        _KNOWN[senders] = measure_bare(world.product, senders, 0.5 if lab.quick else 3)
    return _KNOWN[senders]
