"""A clock that jumps: one process's wall clock is an hour off for a while, and then right again."""

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
    """Every process has a clock of its own; a round moves that of one, drawn by lot."""

    seconds: ClassVar[float] = 6.0
    own_product: ClassVar[bool] = True
    by: ClassVar[int]

    def __init__(self) -> None:
        self.clocks: dict[str, Clock] = {}

    def why_not(self) -> str:
        """Clocks are moved by libfaketime."""
        return "" if find_library() else "libfaketime is not installed (Debian's package faketime)."

    def prepare(self, product: "ChaosProduct") -> None:
        """Give each process its clock."""
        library = find_library()
        assert library is not None, self.why_not()
        for label in labels():
            self.clocks[label] = Clock(product.folder / "clocks" / label, library)
            product.variables.setdefault(label, {}).update(self.clocks[label].environment)
        product.variables.setdefault("", {})["FOYER_ACCESS_TOKEN_SECONDS"] = str(TOKEN_SECONDS)

    def apply(self, world: "World") -> None:
        """Move one."""
        label = world.random.choice(sorted(self.clocks))
        self.clocks[label].move(self.by)
        world.note(f"the clock of {label} was moved by {self.by:+d} s")

    def heal(self, world: "World") -> None:
        """Set all right, which is a step back again."""
        for clock in self.clocks.values():
            clock.move(0)


class ClockAhead(_Step):
    """An hour ahead: what is due later is due, what was good until then has expired."""

    name: ClassVar[str] = "clock-ahead"
    title: ClassVar[str] = "one process's clock jumps an hour ahead, and back"
    by: ClassVar[int] = HOUR


class ClockBehind(_Step):
    """An hour behind: what was made by others is of the future."""

    name: ClassVar[str] = "clock-behind"
    title: ClassVar[str] = "one process's clock falls back by an hour, and is set right"
    by: ClassVar[int] = -HOUR


FAULTS: Sequence[type[Fault]] = (ClockAhead, ClockBehind)
