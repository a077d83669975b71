"""How the scenarios at a steady rate tell what they found: latencies from when each arrival was due, beside the floor."""

from collections.abc import Sequence

from tests.load.bare.measures import Found
from tests.load.exchange import Load
from tests.load.numbers import ratio, summarise
from tests.load.report import Column, Figure, Plot, Series, Table, Value

FLOOR = "one of each bare: HTTP, call, insert, broker"
LATENCY_COLUMNS = (
    Column("p50", "p50 ms", 1),
    Column("p99", "p99 ms", 1),
    Column("max", "max ms", 1),
    Column("post_p50", "POST p50 ms", 1),
    Column("post_p99", "POST p99 ms", 1),
    Column("floor_p50", "floor p50 ms", 1),
    Column("ratio_p50", "p50 / floor", 1),
    Column("floor_p99", "floor p99 ms", 1),
    Column("ratio_p99", "p99 / floor", 1),
    Column("late", "load late by at most, ms", 1),
)


def latency_row(rate: float, load: Load, spans: Sequence[float], floor: Found) -> dict[str, Value]:
    """`spans` are the seconds from when each was due until what is measured had come."""
    whole, posts = summarise(spans), summarise(load.latencies)
    return {
        "rate": rate,
        "count": len(load.exchanges),
        "p50": 1000 * whole.p50,
        "p99": 1000 * whole.p99,
        "max": 1000 * whole.max,
        "post_p50": 1000 * posts.p50,
        "post_p99": 1000 * posts.p99,
        "floor_p50": 1000 * floor.p50,
        "ratio_p50": ratio(whole.p50, floor.p50),
        "floor_p99": 1000 * floor.p99,
        "ratio_p99": ratio(whole.p99, floor.p99),
        "late": 1000 * load.lateness,
    }


def latency_table(title: str, first: Column, rows: Sequence[dict[str, Value]], note: str = "") -> Table:
    """The rows at one rate each, which is the first column."""
    return Table(title, [first, Column("count", "arrivals"), *LATENCY_COLUMNS], rows, note)


def latency_plot(name: str, title: str, first: Column, rows: Sequence[dict[str, Value]]) -> Plot:
    """p50 and p99 by rate, and the floor's."""
    lines = {"p50": "p50", "p99": "p99", "floor_p50": "floor, p50", "floor_p99": "floor, p99"}
    series = [
        Series(label, [(number(row["rate"]), number(row[key])) for row in rows], key.startswith("floor"))
        for key, label in lines.items()
    ]
    return Plot(name, title, first.heading, "ms", series)


def latency_figures(what: str, rows: Sequence[dict[str, Value]]) -> list[Figure]:
    """p50 and p99 at each rate."""
    return [
        Figure(f"{what} at {number(row['rate']):g}/s, {key}", "ms", number(row[key]), FLOOR, number(row[f"floor_{key}"]))
        for row in rows
        for key in ("p50", "p99")
    ]


def number(value: Value) -> float:
    """A value of a row that is known to be a number."""
    return float(value or 0)
