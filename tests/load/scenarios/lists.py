"""How fast agents' lists of conversations are answered, among a thousand and among a hundred thousand."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.common.paging import encode_cursor
from tests.load.bare.finds import measure_finds
from tests.load.bare.measures import Found
from tests.load.crowd import Shape
from tests.load.exchange import Exchange, Load, request
from tests.load.lab import Lab, World
from tests.load.machine import processor_time
from tests.load.numbers import ratio, summarise
from tests.load.report import Column, Figure, Plot, Section, Series, Table, Value
from tests.load.wire import Wire

NAME = "lists"
SIZES = (1_000, 100_000)
SENDERS = (1, 16, 64)
WARM_UP_SECONDS = 1.0
PAGE = 20
PLACES = 200  # in the list, evenly spread, behind which pages are asked for
NEWEST_FIRST = (("active_at", -1), ("_id", -1))
OPEN: dict[str, Any] = {"status": "open"}
PARTS = ("gateway", "messaging", "broker", "database")

TEXT = (
    "An agent's list of conversations, 20 a page with their contacts, channels, last messages and unread counts, among a thousand "
    "open ones and among a hundred thousand, a tenth of which the agent has. Each sender asks again as soon as it is answered. "
    "*all* and *mine* are the first pages of these folders, which all senders ask for alike, so that those who wait share a reading; "
    "*further on* are pages by cursor behind 200 places spread over the whole list, its end included, each sender at another place, "
    "so that nothing is shared.\n\n"
    "The ceiling is the same page read from the same database by as many readers with the bare driver: no service, no call, no HTTP, "
    "no rule about who may see what."
)


@dataclass(frozen=True)
class Kind:
    """What is asked for: the requests in turn, and as what the database finds it."""

    name: str
    asked: Sequence[bytes]
    queries: Sequence[dict[str, Any]]


@dataclass
class Rows:
    """What was found so far, by table."""

    lists: list[dict[str, Value]] = field(default_factory=list)
    cost: list[dict[str, Value]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def measure(lab: Lab) -> Section:
    """Over both sizes in one product, which grows."""
    seconds = 1.0 if lab.quick else 5.0
    rows = Rows()
    lab.say(f"{NAME}: starting a product")
    with lab.product() as world:
        agents = world.hire(2, 1000)
        (talk,) = world.converse(agents[1:], 1)
        there = 1
        for size in (500, 2_000) if lab.quick else SIZES:
            lab.say(f"{NAME}: filling in {size:,} conversations")
            owner = {"id": agents[0].id, "name": "Agent 1"}
            world.multiply(talk.conversation_id, size - there, Shape(owner=owner), first=there)
            there = size
            for kind in _kinds(world, agents[0].token, agents[0].id):
                for senders in SENDERS if kind.name == "all" else SENDERS[1:2]:
                    lab.say(f"{NAME}: {kind.name} of {size:,}, {senders} at once")
                    _measure(world, kind, {"size": size, "folder": kind.name, "senders": senders}, seconds, rows)
    return Section(NAME, "Lists of conversations", TEXT, _tables(rows), rows.faults, [_plot(rows)], _figures(rows))


def pages_of(token: str, query: str = "") -> bytes:
    """The request for a page of conversations."""
    return request("GET", f"/v1/conversations?limit={PAGE}{query}", token=token)


def _kinds(world: World, token: str, agent_id: str) -> list[Kind]:
    found = world.product.mongo("messaging").conversations.find(OPEN, {"active_at": 1}).sort(list(NEWEST_FIRST))
    order = list(found)
    last = len(order) - PAGE - 1
    places = [order[round(last * share / PLACES)] for share in range(1, PLACES + 1)]
    further = [pages_of(token, f"&cursor={encode_cursor(place['active_at'], place['_id'])}") for place in places]
    return [
        Kind("all", [pages_of(token)], [OPEN]),
        Kind("mine", [pages_of(token, "&folder=mine")], [OPEN | {"assignee.id": agent_id}]),
        Kind("further on", further, [OPEN | {"active_at": {"$lt": place["active_at"]}} for place in places]),
    ]


def _measure(world: World, kind: Kind, which: dict[str, Value], seconds: float, rows: Rows) -> None:
    count = int(which["senders"] or 0)
    load, spent = ask_in_turn(world, kind.asked, count, seconds)
    bare = measure_finds(
        world.product, "conversations", kind.queries, NEWEST_FIRST, limit=PAGE + 1, readers=count, seconds=seconds / 2
    )
    rows.lists.append(which | values(load, bare))
    rows.cost.append(which | {part: 1000 * spent[part] / max(1, len(load.exchanges)) for part in PARTS})
    rows.cost[-1]["all"] = 1000 * sum(spent.values()) / max(1, len(load.exchanges))
    wrong = sum(not _is_page(exchange) for exchange in load.confirmed)
    faults = [*load.faults, *([f"{wrong} answers were no whole page in order"] if wrong else [])]
    rows.faults += [f"{kind.name} of {which['size']}, {count} at once: {fault}" for fault in faults]


def ask_in_turn(world: World, asked: Sequence[bytes], senders: int, seconds: float) -> tuple[Load, dict[str, float]]:
    """The requests in turn from so many senders, after a warm-up; and the processor seconds that each part spent meanwhile."""
    wire = Wire(world.urls, senders)
    try:
        starts = range(0, len(asked) * senders, max(1, len(asked) // senders))
        lines = [itertools.cycle([*asked[start % len(asked) :], *asked[: start % len(asked)]]) for start in starts[:senders]]
        wire.closed(lines, WARM_UP_SECONDS)
        with processor_time(world.parts()) as spent:
            load = wire.closed(lines, seconds)
    finally:
        wire.close()
    return load, spent


def values(load: Load, bare: Found) -> dict[str, Value]:
    """A row's figures of a run and of the ceiling beside it."""
    summary = summarise(load.latencies)
    return {
        "rate": load.rate,
        "p50": 1000 * summary.p50,
        "p99": 1000 * summary.p99,
        "bare_rate": bare.rate,
        "bare_p50": 1000 * bare.p50,
        "bare_p99": 1000 * bare.p99,
        "ratio": ratio(load.rate, bare.rate),
    }


VALUE_COLUMNS = (
    Column("p50", "p50 ms", 1),
    Column("p99", "p99 ms", 1),
    Column("bare_rate", "bare reads/s"),
    Column("bare_p50", "bare p50 ms", 1),
    Column("bare_p99", "bare p99 ms", 1),
    Column("ratio", "lists / bare", 2),
)


def _is_page(exchange: Exchange) -> bool:
    body = orjson.loads(exchange.body)
    times = [item["last_message"]["created_at"] for item in body["items"]]
    return len(times) == PAGE and times == sorted(times, reverse=True)


def _tables(rows: Rows) -> list[Table]:
    which = [Column("size", "conversations"), Column("folder", "folder"), Column("senders", "senders")]
    return [
        Table("Pages of 20", [*which, Column("rate", "lists/s"), *VALUE_COLUMNS], rows.lists),
        Table(
            "Processor milliseconds for each list",
            [*which, *(Column(part, part, 2) for part in PARTS), Column("all", "all parts", 2)],
            rows.cost,
            "What each part spent meanwhile, its idle work included; *all parts* has those that a list doesn't need, too.",
        ),
    ]


def _plot(rows: Rows) -> Plot:
    sizes = sorted({int(row["size"] or 0) for row in rows.lists})

    def series(size: int, key: str, label: str, *, reference: bool = False) -> Series:
        found = [row for row in rows.lists if row["size"] == size and row["folder"] == "all"]
        return Series(label, [(float(row["senders"] or 0), float(row[key] or 0)) for row in found], reference)

    lines = [series(size, "rate", f"among {size:,}") for size in sizes]
    bare = [series(size, "bare_rate", f"bare reads among {size:,}", reference=True) for size in sizes]
    return Plot("lists", "Conversation lists answered a second", "senders", "lists/s", [*lines, *bare])


def _figures(rows: Rows) -> list[Figure]:
    most = [row for row in rows.lists if row["folder"] == "all" and row["senders"] == SENDERS[1]]
    return [
        Figure(
            f"Lists of {PAGE} among {row['size']:,} conversations, {row['senders']} senders",
            "lists/s",
            float(row["rate"] or 0),
            "bare reads of the same page",
            float(row["bare_rate"] or 0),
            decimals=0,
        )
        for row in most
    ]
