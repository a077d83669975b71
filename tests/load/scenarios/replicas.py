"""What more processes of one part bring: messages a second with one, two and three of each."""

import os
import time
from dataclasses import dataclass, field

from tests.load.bare.run import bare_of
from tests.load.lab import GATEWAY, MAX_CAPACITY, Lab, World
from tests.load.machine import processor_time
from tests.load.numbers import ratio, summarise
from tests.load.posting import Posting
from tests.load.report import Column, Figure, Plot, Section, Series, Table, Value
from tests.load.wire import Wire

NAME = "replicas"
OF = ("messaging", GATEWAY, "presence", "contacts", "assignment")
COUNTS = (1, 2, 3)
SENDERS = 64
AGENTS = 8
WARM_UP_SECONDS = 2.0
SECONDS = 6.0
PARTS = ("gateway", "messaging", "assignment", "presence", "contacts", "broker", "database", "load")

TEXT = (
    "The same as *Messages stored and confirmed* with 64 senders, with one, two and three processes of one part at a time and one of each of "
    "the others. With several gateways the senders are spread over them. A replica helps while processors are free: *processors busy* "
    "says how much of the machine was in use by the product and the load together. The first row of each part is measured anew, so that what grew "
    "meanwhile is in all of them.\n\n"
    "The ceiling is what the four bare operations of a message would reach one after the other, as there."
)


@dataclass
class Rows:
    """What was found so far, by table."""

    rates: list[dict[str, Value]] = field(default_factory=list)
    cost: list[dict[str, Value]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def measure(lab: Lab) -> Section:
    """In one product, whose parts get more processes and lose them again."""
    rows = Rows()
    lab.say(f"{NAME}: starting a product")
    with lab.product() as world:
        ceiling = bare_of(lab, world, SENDERS).together
        posting = Posting(world, world.converse(world.hire(AGENTS, MAX_CAPACITY), SENDERS))
        for of in OF[:2] if lab.quick else OF:
            for count in COUNTS:
                lab.say(f"{NAME}: {count} of {of}")
                world.start_replicas(of, count)
                row = _measure(lab, world, posting, {"of": of, "replicas": count}, rows)
                alone = next(each["rate"] for each in rows.rates if each["of"] == of) if count > 1 else row["rate"]
                row |= {"gain": ratio(float(row["rate"] or 0), float(alone or 0)), "together": ceiling.rate}
                rows.rates.append(row | {"ratio": ratio(float(row["rate"] or 0), ceiling.rate)})
            world.start_replicas(of, 1)
    return Section(NAME, "Replicas", TEXT, _tables(rows), rows.faults, [_plot(rows)], _figures(rows))


def _measure(lab: Lab, world: World, posting: Posting, which: dict[str, Value], rows: Rows) -> dict[str, Value]:
    wire = Wire(world.urls, SENDERS)
    try:
        warmed = posting.run(wire, SENDERS, WARM_UP_SECONDS / (4 if lab.quick else 1))
        own, began = time.process_time(), time.perf_counter()
        with processor_time(world.parts()) as spent:
            load = posting.run(wire, SENDERS, 1 if lab.quick else SECONDS)
            spent_by_load, seconds = time.process_time() - own, time.perf_counter() - began
    finally:
        wire.close()
    spent["load"] = spent_by_load
    faults = [*warmed.faults, *load.faults, *posting.check()]
    rows.faults += [f"{which['replicas']} of {which['of']}: {fault}" for fault in faults]
    count = max(1, len(load.confirmed))
    whole = sum(spent.values())
    rows.cost.append(which | {part: 1000 * each / count for part, each in spent.items()} | {"all": 1000 * whole / count})
    found = summarise(load.latencies)
    busy = 100 * whole / seconds / len(os.sched_getaffinity(0))
    return which | {"rate": load.rate, "p50": 1000 * found.p50, "p99": 1000 * found.p99, "busy": busy}


def _tables(rows: Rows) -> list[Table]:
    which = [Column("of", "of"), Column("replicas", "replicas")]
    rates = [
        *which,
        Column("rate", "messages/s"),
        Column("gain", "times one", 2),
        Column("p50", "p50 ms", 1),
        Column("p99", "p99 ms", 1),
        Column("busy", "processors busy, %"),
        Column("together", "one of each bare, /s"),
        Column("ratio", "messages / bare", 2),
    ]
    return [
        Table(f"With {SENDERS} senders", rates, rows.rates),
        Table(
            "Processor milliseconds for each message",
            [*which, *(Column(part, part, 2) for part in PARTS), Column("all", "together", 2)],
            rows.cost,
            "All replicas of a part together, their idle work included.",
        ),
    ]


def _plot(rows: Rows) -> Plot:
    lines = [
        Series(of, [(float(row["replicas"] or 0), float(row["rate"] or 0)) for row in rows.rates if row["of"] == of])
        for of in dict.fromkeys(str(row["of"]) for row in rows.rates)
    ]
    bare = Series("one of each bare", [(float(count), float(rows.rates[0]["together"] or 0)) for count in COUNTS], reference=True)
    return Plot("replicas", "Messages a second by replicas of one part", "replicas", "messages/s", [*lines, bare])


def _figures(rows: Rows) -> list[Figure]:
    return [
        Figure(
            f"messages stored and confirmed, {SENDERS} senders, {row['replicas']} of {row['of']}",
            "/s",
            float(row["rate"] or 0),
            "one of each bare: HTTP, call, insert, broker",
            float(row["together"] or 0),
            0,
        )
        for row in rows.rates
        if row["of"] == "messaging" and row["replicas"] == COUNTS[-1]
    ]
