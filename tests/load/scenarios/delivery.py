"""How long it takes from posting a message until it is on the other side's screen, at a steady rate."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from tests.load.arrivals import poisson
from tests.load.bare.measures import Found
from tests.load.bare.run import bare_of
from tests.load.cost import cost_plot, cost_table, costing
from tests.load.exchange import Load, request
from tests.load.lab import MAX_CAPACITY, Lab, Talk, World
from tests.load.latency import latency_figures, latency_plot, latency_row, latency_table
from tests.load.posting import Posting
from tests.load.report import Column, Section, Value
from tests.load.stream import Stream
from tests.load.wire import Wire

NAME = "delivery"
RATES = (20.0, 50.0, 200.0)
SECONDS = 20.0
WARM_UP = (50.0, 100)  # a second, so many
AGENTS = 10
TALKS = 50
CONNECTIONS = 200
SEED = 20261130
STREAM_SECONDS = 60.0
MESSAGE = b"message.created"

TEXT = (
    f"{TALKS} visitors and {AGENTS} agents have their streams open and talk in turns, so half of the messages go each way. Arrivals are "
    "independent of each other and of the answers. Measured from the moment at which the POST was due (waiting in line counts) until the "
    "event `message.created` is there on the *other* side's stream: a visitor's message on the stream of the agent who has the "
    f"conversation, an agent's on the visitor's. Every agent's stream gets every message, so each message goes out on {AGENTS + 1} streams; "
    "afterwards each of them must have come exactly once on each, and be stored.\n\n"
    "The floor is one of each bare operation, one after the other, with nothing else going on: HTTP request, call, journaled insert, "
    "confirmed and consumed broker message."
)


RATE_COLUMN = Column("rate", "messages/s")
COST_TITLE = f"Processor milliseconds for each message on {AGENTS + 1} streams"


@dataclass
class Rows:
    """What was found so far, by table."""

    spans: list[dict[str, Value]] = field(default_factory=list)
    cost: list[dict[str, Value]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Side(Stream):
    """One side's stream: which message came when."""

    def __init__(self, path: str, token: str) -> None:
        super().__init__(request("GET", path, token=token))
        self.messages: list[tuple[float, bytes]] = []

    def take(self, moment: float, name: bytes, event_id: bytes, data: bytes) -> None:
        """Keep a message."""
        if name == MESSAGE:
            self.messages.append((moment, data))

    def moments(self) -> dict[str, float]:
        """When each message came, by its id."""
        return {orjson.loads(data)["id"]: moment for moment, data in self.messages}


@dataclass(frozen=True)
class Room:
    """Everybody's streams, by the agents' and the conversations' ids."""

    agents: dict[str, Side]
    visitors: dict[str, Side]

    @property
    def sides(self) -> list[Side]:
        """All of them."""
        return [*self.agents.values(), *self.visitors.values()]

    @property
    def heard(self) -> int:
        """How many messages came on all streams together."""
        return sum(len(side.messages) for side in self.sides)


def measure(lab: Lab) -> Section:
    """At each rate, on one fresh product."""
    rows = Rows()
    lab.say(f"{NAME}: starting a product")
    with lab.product() as world:
        agents = world.hire(AGENTS, MAX_CAPACITY)
        talks = world.converse(agents, TALKS)
        floor = bare_of(lab, world, 1).together
        posting = Posting(world, talks)
        wire = Wire(world.url, CONNECTIONS)
        room = Room(
            {agent.id: Side("/v1/events", agent.token) for agent in agents},
            {talk.conversation_id: Side("/v1/widget/events", talk.visitor_token) for talk in talks},
        )
        wire.attach(room.sides)
        _measure_rate(world, wire, posting, room, talks, WARM_UP, floor, Rows())
        for rate in RATES:
            lab.say(f"{NAME}: {rate:g} messages/s")
            stage = rate, int(rate * (2 if lab.quick else SECONDS))
            _measure_rate(world, wire, posting, room, talks, stage, floor, rows)
        rows.faults += wire.detach() + posting.check()
        wire.close()
    tables = [
        latency_table(
            "From the moment when posting was due to the other side's stream",
            RATE_COLUMN,
            rows.spans,
            "POST: from when it was due to its confirmation. A message may be on the other side's screen before its sender is told that "
            "it is stored; it is stored before either.",
        ),
        cost_table(COST_TITLE, RATE_COLUMN, rows.cost),
    ]
    title = "From posting to the other side's screen"
    plots = [
        latency_plot("delivery-latency", title, RATE_COLUMN, rows.spans),
        cost_plot("delivery-cost", COST_TITLE, RATE_COLUMN, rows.cost),
    ]
    figures = latency_figures("post → the other side's stream", rows.spans)
    return Section(NAME, title, TEXT, tables, rows.faults, plots, figures)


def _measure_rate(
    world: World,
    wire: Wire,
    posting: Posting,
    room: Room,
    talks: Sequence[Talk],
    stage: tuple[float, int],
    floor: Found,
    rows: Rows,
) -> None:
    rate, count = stage
    turns = [(talks[number % len(talks)], number // len(talks) % 2 == 0) for number in range(count)]
    requests = [posting.request(talk, as_visitor=as_visitor) for talk, as_visitor in turns]
    for side in room.sides:
        side.messages.clear()
    with costing(world) as cost:
        load = posting.noted(wire.open(list(zip(poisson(rate, count, seed=SEED), requests, strict=True))))
        wire.wait_until(lambda: room.heard >= len(load.confirmed) * (AGENTS + 1), STREAM_SECONDS)
    spans = _spans(load, turns, room)
    rows.spans.append(latency_row(rate, load, spans, floor))
    rows.cost.append({RATE_COLUMN.key: rate, **cost.of_each(count)})
    rows.faults += [f"at {rate:g}/s: {fault}" for fault in [*load.faults, *_check(load, turns, room)]]


def _spans(load: Load, turns: Sequence[tuple[Talk, bool]], room: Room) -> list[float]:
    """Seconds from when each was due until it was on the other side's stream, of those that came there."""
    agents = {key: side.moments() for key, side in room.agents.items()}
    visitors = {key: side.moments() for key, side in room.visitors.items()}
    spans = []
    for exchange in load.confirmed:
        talk, as_visitor = turns[exchange.number]
        other = agents[talk.agent_id] if as_visitor else visitors[talk.conversation_id]
        moment = other.get(orjson.loads(exchange.body)["id"])
        if moment is not None:
            spans.append(moment - exchange.due)
    return spans


def _check(load: Load, turns: Sequence[tuple[Talk, bool]], room: Room) -> list[str]:
    """Everything confirmed must have come on each stream that it is for, and nothing more."""
    expected: dict[str, list[str]] = {key: [] for key in room.visitors}
    for exchange in load.confirmed:
        expected[turns[exchange.number][0].conversation_id].append(orjson.loads(exchange.body)["id"])
    everything = sorted(key for keys in expected.values() for key in keys)
    wrong = sum(_heard(side) != everything for side in room.agents.values())
    wrong += sum(_heard(side) != sorted(expected[key]) for key, side in room.visitors.items())
    return [f"{wrong} of {len(room.sides)} streams did not bring each of their messages once"] if wrong else []


def _heard(side: Side) -> list[str]:
    return sorted(orjson.loads(data)["id"] for _, data in side.messages)
