"""What becomes of the times when the database fills: the same at a thousand, a hundred thousand and a million stored messages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.load.bare.finds import measure_finds
from tests.load.bare.measures import Found
from tests.load.bare.run import bare_of
from tests.load.crowd import Copy, Shape
from tests.load.exchange import Load, request
from tests.load.footprint import Memory, group
from tests.load.lab import MAX_CAPACITY, Lab, Talk, World
from tests.load.machine import processor_time
from tests.load.numbers import ratio
from tests.load.posting import Posting
from tests.load.report import Column, Figure, Plot, Section, Series, Table, Value
from tests.load.scenarios.lists import NEWEST_FIRST, OPEN, PAGE, ask_in_turn, pages_of, values
from tests.load.wire import Wire
from tests.support.product import Agent

NAME = "growth"
SIZES = (1_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 20_000)
EACH = 10  # messages of a conversation
LAST = 50  # messages that opening a conversation shows, at most
OPENED = 5_000  # conversations, chosen at random
SENDERS = 16
AGENTS = 8
SEED = 20261130
WARM_UP_SECONDS = 2.0
POST, PAGES, OPENING = "post a message", "list conversations", "open a conversation"
KINDS = (POST, PAGES, OPENING)
PARTS = ("gateway", "messaging", "broker", "database")

TEXT = (
    f"One product whose database is filled with conversations of {EACH} messages each, all of them open, until it holds a thousand, a hundred "
    f"thousand and a million messages. The conversations are copies of a real one, with words of their own, put where the services keep theirs. "
    f"At each size {SENDERS} senders post messages (half visitors, half agents, as in *Messages stored and confirmed*), list the "
    f"newest {PAGE} conversations, and open conversations chosen at random ({OPENED:,} of them at most, hardly any twice) "
    "with their newest messages. The database has 256 MB of cache, as with `make run`.\n\n"
    "The ceilings are, for messages, the four bare operations as there (measured once, over an empty database), and for the others bare reads of the same "
    "documents by as many readers at the same size."
)


@dataclass
class Rows:
    """What was found so far, by table."""

    found: list[dict[str, Value]] = field(default_factory=list)
    cost: list[dict[str, Value]] = field(default_factory=list)
    stored: list[dict[str, Value]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def measure(lab: Lab) -> Section:
    """At each size, in one product that grows."""
    rows = Rows()
    span = 1.0 if lab.quick else 6.0
    lab.say(f"{NAME}: starting a product")
    with lab.product() as world:
        bare = bare_of(lab, world, SENDERS).together
        agents = world.hire(AGENTS, MAX_CAPACITY)
        posting = Posting(world, world.converse(agents, SENDERS))
        model = _have_talk(world, world.converse(agents, 1)[0])
        copies: list[Copy] = []
        for size in QUICK_SIZES if lab.quick else SIZES:
            lab.say(f"{NAME}: filling in up to {size:,} messages")
            copies += world.multiply(model, size // EACH - len(copies), Shape(EACH), first=len(copies) + 1)
            rows.stored.append(_stored(world, size))
            for kind, run in _kinds(world, agents[0], posting, copies, bare, span, rows).items():
                lab.say(f"{NAME}: {kind} among {size:,} messages")
                load, spent, ceiling = run()
                which: dict[str, Value] = {"kind": kind, "size": size}
                rows.found.append(which | values(load, ceiling))
                each: dict[str, Value] = {
                    part: 1000 * seconds / max(1, len(load.exchanges)) for part, seconds in _by_part(spent).items()
                }
                rows.cost.append(which | each)
                rows.faults += [f"{kind} among {size}: {fault}" for fault in load.faults]
    _compare(rows)
    return Section(NAME, "Growth", TEXT, _tables(rows), rows.faults, _plots(rows), _figures(rows))


def _kinds(
    world: World, agent: Agent, posting: Posting, copies: Sequence[Copy], bare: Found, seconds: float, rows: Rows
) -> dict[str, Callable[[], tuple[Load, dict[str, float], Found]]]:
    token = agent.token
    chosen = [copy.conversation_id for copy in Random(SEED).sample(copies, min(OPENED, len(copies)))]
    opening = [request("GET", f"/v1/conversations/{key}/messages", token=token) for key in chosen]
    queries = [{"conversation_id": key} for key in chosen]

    def post() -> tuple[Load, dict[str, float], Found]:
        wire = Wire(world.url, SENDERS)
        try:
            warmed = posting.run(wire, SENDERS, min(seconds, WARM_UP_SECONDS))
            with processor_time(world.parts()) as spent:
                load = posting.run(wire, SENDERS, seconds)
        finally:
            wire.close()
        rows.faults += [*warmed.faults, *posting.check()]
        return load, spent, bare

    def read(asked: Sequence[bytes], *what: Any, limit: int) -> tuple[Load, dict[str, float], Found]:
        load, spent = ask_in_turn(world, asked, SENDERS, seconds)
        return load, spent, measure_finds(world.product, *what, limit=limit, readers=SENDERS, seconds=seconds / 2)

    return {
        POST: post,
        PAGES: lambda: read([pages_of(token)], "conversations", [OPEN], NEWEST_FIRST, limit=PAGE + 1),
        OPENING: lambda: read(opening, "messages", queries, [("seq", 1)], limit=LAST),
    }


def _by_part(spent: dict[str, float]) -> dict[str, float]:
    return {part: spent[part] for part in PARTS} | {"all": sum(spent.values())}


def _have_talk(world: World, talk: Talk) -> str:
    """A conversation in which both sides have written, to be multiplied."""
    for number in range(2):
        body = {"text": "Is it there yet?", "client_message_id": f"model-{number}"}
        world.caller.send("POST", "/v1/widget/messages", body, talk.visitor_token)
        body = {"text": "It comes on Monday.", "client_message_id": f"model-answer-{number}"}
        world.caller.send("POST", f"/v1/conversations/{talk.conversation_id}/messages", body, talk.agent_token)
    return talk.conversation_id


def _stored(world: World, size: int) -> dict[str, Value]:
    """What is there, and what it occupies."""
    messaging = world.product.mongo("messaging")
    found = messaging.command("dbStats")
    (leader,) = world.parts()["database"]
    return {
        "size": size,
        "conversations": messaging.conversations.estimated_document_count(),
        "messages": messaging.messages.estimated_document_count(),
        "data": found["dataSize"] / 1e6,
        "disk": found["storageSize"] / 1e6,
        "indexes": found["indexSize"] / 1e6,
        "memory": Memory.of(group(leader)).resident,
    }


def _compare(rows: Rows) -> None:
    """Say of each row how it stands to the smallest size."""
    for row in rows.found:
        first = next(each for each in rows.found if each["kind"] == row["kind"])
        row["of_first"] = ratio(float(row["rate"] or 0), float(first["rate"] or 0))


def _tables(rows: Rows) -> list[Table]:
    which = [Column("kind", "what"), Column("size", "stored messages")]
    found = [
        *which,
        Column("rate", "a second"),
        Column("of_first", "times the smallest", 2),
        Column("p50", "p50 ms", 1),
        Column("p99", "p99 ms", 1),
        Column("bare_rate", "bare, a second"),
        Column("bare_p50", "bare p50 ms", 1),
        Column("ratio", "measured / bare", 2),
    ]
    stored = [
        Column("size", "asked for"),
        Column("messages", "messages"),
        Column("conversations", "conversations"),
        Column("data", "data MB"),
        Column("disk", "on disk MB"),
        Column("indexes", "indexes MB"),
        Column("memory", "database's resident MB"),
    ]
    by_kind = sorted(rows.found, key=lambda row: KINDS.index(str(row["kind"])))
    cost = sorted(rows.cost, key=lambda row: KINDS.index(str(row["kind"])))
    return [
        Table(f"With {SENDERS} senders", found, by_kind),
        Table(
            "Processor milliseconds for each",
            [*which, *(Column(part, part, 2) for part in PARTS), Column("all", "all parts", 2)],
            cost,
        ),
        Table("What is stored", stored, rows.stored, "Messaging's database; contacts' holds the profiles beside it."),
    ]


def _plots(rows: Rows) -> list[Plot]:
    def line(kind: str, key: str, label: str, *, reference: bool = False) -> Series:
        points = [(float(row["size"] or 0), float(row[key] or 0)) for row in rows.found if row["kind"] == kind]
        return Series(label, points, reference)

    rates = [line(kind, "rate", kind) for kind in KINDS]
    latencies = [line(kind, key, f"{kind}, {key}") for kind in KINDS for key in ("p50", "p99")]
    return [
        Plot("growth", f"A second with {SENDERS} senders, by stored messages", "stored messages", "a second", rates, x_log=True),
        Plot("growth-latency", "Latency by stored messages", "stored messages", "ms", latencies, x_log=True),
    ]


def _figures(rows: Rows) -> list[Figure]:
    largest = max(int(row["size"] or 0) for row in rows.found)
    return [
        Figure(
            f"{row['kind']} among {largest:,} messages, {SENDERS} senders",
            "/s",
            float(row["rate"] or 0),
            "one of each bare" if row["kind"] == POST else "bare reads of the same",
            float(row["bare_rate"] or 0),
            0,
        )
        for row in rows.found
        if row["size"] == largest
    ]
