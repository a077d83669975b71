"""A clock that jumps: the wall clock of a process, or of the database, is an hour off for a while, and then right again."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from tests.chaos.faults import Fault
from tests.chaos.product import labels
from tests.support.clocks import Clock, find_library

if TYPE_CHECKING:
    from tests.chaos.product import ChaosProduct
    from tests.chaos.world import World

HOUR = 3600
# Of fifteen minutes by default: a gateway an hour ahead would honestly refuse every token but those that it made itself.
TOKEN_SECONDS = 4 * HOUR


class _Step(Fault):
    """Some have clocks of their own; a round moves that of one, drawn by lot."""

    own_product: ClassVar[bool] = True
    by: ClassVar[int]

    def __init__(self) -> None:
        self.clocks: dict[str, Clock] = {}

    def why_not(self) -> str:
        """Clocks are moved by libfaketime."""
        return "" if find_library() else "libfaketime is not installed (Debian's package faketime)."

    def give(self, product: "ChaosProduct", label: str) -> Clock:
        """A clock for this one."""
        library = find_library()
        assert library is not None, self.why_not()
        product.variables.setdefault("", {})["FOYER_ACCESS_TOKEN_SECONDS"] = str(TOKEN_SECONDS)
        self.clocks[label] = Clock(product.folder / "clocks" / label, library)
        return self.clocks[label]

    def apply(self, world: "World") -> None:
        """Move one."""
        label = world.random.choice(sorted(self.clocks))
        self.clocks[label].move(self.by)
        world.note(f"the clock of {label} was moved by {self.by:+d} s")

    def heal(self, world: "World") -> None:
        """Set all right, which is a step back again."""
        for clock in self.clocks.values():
            clock.move(0)


class _ProcessStep(_Step):
    """Every process of ours has its clock."""

    seconds: ClassVar[float] = 6.0

    def prepare(self, product: "ChaosProduct") -> None:
        """Give each its clock."""
        for label in labels():
            product.variables.setdefault(label, {}).update(self.give(product, label).environment)


class _DatabaseStep(_Step):
    """The database's, by which all services go: they hear of it within ten seconds, not at once, and of a step back only when it is told twice."""

    seconds: ClassVar[float] = 25.0

    def prepare(self, product: "ChaosProduct") -> None:
        """Give it its clock."""
        clock = self.give(product, "database").environment
        # Not from the file each of the thousand times a second that mongod asks.
        seldom = {"FAKETIME_NO_CACHE": "0", "FAKETIME_CACHE_DURATION": "1"}
        product.database.environment = {**os.environ, **clock, **seldom}


class ClockAhead(_ProcessStep):
    """An hour ahead: what is due later is due, what was good until then has expired."""

    name: ClassVar[str] = "clock-ahead"
    title: ClassVar[str] = "one process's clock jumps an hour ahead, and back"
    by: ClassVar[int] = HOUR


class ClockBehind(_ProcessStep):
    """An hour behind: what was made by others is of the future."""

    name: ClassVar[str] = "clock-behind"
    title: ClassVar[str] = "one process's clock falls back by an hour, and is set right"
    by: ClassVar[int] = -HOUR


class DatabaseAhead(_DatabaseStep):
    """Leases end, what is due later is due; and when it is set right, what was noted meanwhile is of the future."""

    name: ClassVar[str] = "database-clock-ahead"
    title: ClassVar[str] = "mongod's clock jumps an hour ahead, and back after 25 s"
    by: ClassVar[int] = HOUR


class DatabaseBehind(_DatabaseStep):
    """What was noted before is of the future, and nothing becomes due."""

    name: ClassVar[str] = "database-clock-behind"
    title: ClassVar[str] = "mongod's clock falls back by an hour, and is set right after 25 s"
    by: ClassVar[int] = -HOUR


FAULTS: Sequence[type[Fault]] = (ClockAhead, ClockBehind, DatabaseAhead, DatabaseBehind)
