"""What an operation costs in processor time, part by part: steadier than rates, whatever else the machine does."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.load.lab import World
from tests.load.latency import number
from tests.load.machine import processor_time
from tests.load.report import Column, Plot, Series, Table, Value

PARTS = ("gateway", "messaging", "assignment", "presence", "contacts", "broker", "database")
LOAD = "load"  # this very process
ALL = "all"


@dataclass
class Cost:
    """Processor seconds by part."""

    spent: dict[str, float] = field(default_factory=dict)

    def of_each(self, count: int) -> dict[str, Value]:
        """Milliseconds for each of so many operations; `all` without the load's own."""
        each: dict[str, Value] = {name: 1000 * seconds / max(1, count) for name, seconds in self.spent.items()}
        return each | {ALL: 1000 * sum(seconds for name, seconds in self.spent.items() if name != LOAD) / max(1, count)}


@contextmanager
def costing(world: World) -> Iterator[Cost]:
    """Filled at the end with what was spent meanwhile."""
    cost = Cost()
    own = time.process_time()
    with processor_time(world.parts()) as spent:
        yield cost
    cost.spent |= spent | {LOAD: time.process_time() - own}


def cost_columns(first: Column) -> list[Column]:
    """Behind the first one, a column for each part."""
    return [first, *(Column(part, part, 2) for part in PARTS), Column(ALL, "together", 2), Column(LOAD, "the load itself", 2)]


def cost_table(title: str, first: Column, rows: Sequence[dict[str, Value]], note: str = "") -> Table:
    """Rows of `of_each` beside what the first column tells."""
    return Table(title, cost_columns(first), rows, note)


def cost_plot(name: str, title: str, first: Column, rows: Sequence[dict[str, Value]]) -> Plot:
    """The same as bars, without the parts that cost next to nothing."""
    most = max((number(row[ALL]) for row in rows), default=0.0)
    shown = [part for part in (*PARTS, LOAD) if any(number(row.get(part)) > most / 100 for row in rows)]
    bars = [Series(part, [(_label(row[first.key]), number(row.get(part))) for row in rows]) for part in shown]
    return Plot(name, title, first.heading, "ms", bars, stacked=True)


def _label(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
