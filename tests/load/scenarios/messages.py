"""How many messages a second are stored and confirmed, and what each costs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from tests.load.bare.measures import Bare
from tests.load.bare.run import bare_of
from tests.load.cost import cost_plot, cost_table, costing
from tests.load.exchange import Load, request
from tests.load.lab import MAX_CAPACITY, Lab, World
from tests.load.latency import FLOOR, number
from tests.load.numbers import ratio, summarise
from tests.load.posting import Posting
from tests.load.report import Column, Figure, Plot, Section, Series, Table, Value
from tests.load.stream import Stream
from tests.load.wire import Wire

NAME = "messages"
SENDERS = (1, 16, 64)
AGENTS = 8
WARM_UP_SECONDS = 2.0
SECONDS = 8.0
STREAM_SECONDS = 60.0
MESSAGE = b"message.created"

TEXT = (
    "Each sender posts a message, waits until it is confirmed, and posts the next. Half of them are visitors, half agents, each in a "
    "conversation of their own that an agent has, so no bot takes part. Confirmed means stored: journaled by a majority of the database. "
    "Afterwards every confirmed message is compared with the database: stored as it was told, once, and each conversation numbered "
    "without a gap. An agent's stream is open meanwhile and must bring each of them once.\n\n"
    "The raw ceilings are measured in the same run with as many at once: a POST that a bare Flask behind gunicorn's gevent worker "
    "answers, a bare call over the broker to another process and back, an insert journaled by a majority, and a persistent message "
    "published with confirmation, consumed and acknowledged. A message needs one of each, so beside the product stands what the four "
    "would reach together, one after the other."
)


@dataclass
class Rows:
    """What was found so far, by table."""

    rates: list[dict[str, Value]] = field(default_factory=list)
    cost: list[dict[str, Value]] = field(default_factory=list)
    bare: list[dict[str, Value]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Witness(Stream):
    """An agent's stream of which the messages are kept, to be read later."""

    def __init__(self, token: str) -> None:
        super().__init__(request("GET", "/v1/events", token=token))
        self.messages: list[bytes] = []

    def take(self, moment: float, name: bytes, event_id: bytes, data: bytes) -> None:
        """Keep a message."""
        if name == MESSAGE:
            self.messages.append(data)

    def check(self, confirmed: Sequence[bytes]) -> list[str]:
        """Each confirmed message must have come, and nothing twice."""
        seen = [orjson.loads(data)["id"] for data in self.messages]
        missing = len({orjson.loads(body)["id"] for body in confirmed} - set(seen))
        faults = {"confirmed messages did not come on the agent's stream": missing, "came twice": len(seen) - len(set(seen))}
        return [f"{count} {what}" for what, count in faults.items() if count]


def measure(lab: Lab) -> Section:
    """With each number of senders, on one fresh product."""
    rows = Rows()
    lab.say(f"{NAME}: starting a product")
    with lab.product() as world:
        agents = world.hire(AGENTS, MAX_CAPACITY)
        posting = Posting(world, world.converse(agents, max(SENDERS)))
        wire = Wire(world.url, max(SENDERS))
        witness = Witness(agents[0].token)
        wire.attach([witness])
        confirmed: list[bytes] = []
        for senders in SENDERS:
            bare = bare_of(lab, world, senders)
            lab.say(f"{NAME}: {senders} sender(s)")
            warmed = posting.run(wire, senders, WARM_UP_SECONDS / (4 if lab.quick else 1))
            confirmed += [exchange.body for exchange in warmed.confirmed]
            wire.wait_until(lambda: len(witness.messages) >= len(confirmed), STREAM_SECONDS)  # noqa: B023 - waited for here
            load, cost = _measure(world, wire, witness, posting, senders, 1 if lab.quick else SECONDS)
            confirmed += [exchange.body for exchange in load.confirmed]
            rows.rates.append(_rates(senders, load, bare))
            rows.cost.append({"senders": senders, **cost})
            rows.bare.append(_bare(bare))
            rows.faults += [f"{senders} sender(s): {fault}" for run in (warmed, load) for fault in run.faults]
        rows.faults += wire.detach() + posting.check() + witness.check(confirmed)
        wire.close()
    return Section(NAME, "Messages stored and confirmed", TEXT, _tables(rows), rows.faults, _plots(rows), _figures(rows))


def _measure(
    world: World, wire: Wire, witness: Witness, posting: Posting, senders: int, seconds: float
) -> tuple[Load, dict[str, Value]]:
    """The run, and what each message cost until the last was on the agent's stream."""
    before = len(witness.messages)
    with costing(world) as cost:
        load = posting.run(wire, senders, seconds)
        count = len(load.confirmed)
        wire.wait_until(lambda: len(witness.messages) >= before + count, STREAM_SECONDS)
    return load, cost.of_each(count)


def _rates(senders: int, load: Load, bare: Bare) -> dict[str, Value]:
    whole = summarise(load.latencies)
    return {
        "senders": senders,
        "count": whole.count,
        "rate": load.rate,
        "together": bare.together.rate,
        "ratio": ratio(load.rate, bare.together.rate),
        "p50": 1000 * whole.p50,
        "p99": 1000 * whole.p99,
        "max": 1000 * whole.max,
        "floor_p50": 1000 * bare.together.p50,
        "ratio_p50": ratio(whole.p50, bare.together.p50),
    }


def _bare(bare: Bare) -> dict[str, Value]:
    row: dict[str, Value] = {"senders": bare.senders}
    for name in ("http", "rpc", "inserts", "broker"):
        found = getattr(bare, name)
        row |= {name: found.rate, f"{name}_p50": 1000 * found.p50, f"{name}_p99": 1000 * found.p99}
    return row


SENDERS_COLUMN = Column("senders", "senders")
COST_TITLE = "Processor milliseconds for each message"


def _tables(rows: Rows) -> list[Table]:
    rates = Table(
        "By the number of senders",
        [
            SENDERS_COLUMN,
            Column("count", "confirmed"),
            Column("rate", "messages/s"),
            Column("together", "one of each bare, /s"),
            Column("ratio", "messages / bare", 2),
            Column("p50", "p50 ms", 1),
            Column("p99", "p99 ms", 1),
            Column("max", "max ms", 1),
            Column("floor_p50", "one of each bare, p50 ms", 1),
            Column("ratio_p50", "p50 / bare", 1),
        ],
        rows.rates,
    )
    cost = cost_table(
        COST_TITLE,
        SENDERS_COLUMN,
        rows.cost,
        "Until the last message was on the agent's stream, idle work included. With one sender the machine waits most of the time, so "
        "idle work and waking up weigh more.",
    )
    kinds = {"http": "HTTP", "rpc": "call", "inserts": "insert", "broker": "broker"}
    bare = Table(
        "The raw ceilings, with as many at once",
        [
            SENDERS_COLUMN,
            *(
                Column(f"{key}{suffix}", f"{kind} {heading}", decimals)
                for key, kind in kinds.items()
                for suffix, heading, decimals in (("", "/s", 0), ("_p50", "p50 ms", 1), ("_p99", "p99 ms", 1))
            ),
        ],
        rows.bare,
    )
    return [rates, cost, bare]


def _plots(rows: Rows) -> list[Plot]:
    def line(label: str, found: list[dict[str, Value]], key: str, *, reference: bool = False) -> Series:
        return Series(label, [(number(row["senders"]), number(row[key])) for row in found], reference)

    kinds = {"http": "bare HTTP", "rpc": "bare call", "inserts": "bare insert", "broker": "bare broker"}
    throughput = Plot(
        "messages-throughput",
        "Messages stored and confirmed a second",
        "senders at once",
        "a second",
        [
            line("Foyer", rows.rates, "rate"),
            line("one of each bare", rows.rates, "together"),
            *(line(label, rows.bare, key, reference=True) for key, label in kinds.items()),
        ],
        x_log=True,
        y_log=True,
    )
    latency = Plot(
        "messages-latency",
        "From posting to the confirmation",
        "senders at once",
        "ms",
        [
            line("p50", rows.rates, "p50"),
            line("p99", rows.rates, "p99"),
            line("one of each bare, p50", rows.rates, "floor_p50", reference=True),
        ],
        x_log=True,
    )
    cost = cost_plot("messages-cost", COST_TITLE, SENDERS_COLUMN, rows.cost)
    return [throughput, latency, cost]


def _figures(rows: Rows) -> list[Figure]:
    return [
        Figure(
            f"messages stored and confirmed, {row['senders']} sender(s)",
            "/s",
            number(row["rate"]),
            FLOOR,
            number(row["together"]),
            0,
        )
        for row in rows.rates
    ]
