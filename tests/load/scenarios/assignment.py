"""How long a visitor's wish for an agent takes until the agent's screen shows it, and how long a burst of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from deploy.local.waiting import wait_until
from tests.load.arrivals import poisson, together
from tests.load.driver import Run, drive
from tests.load.lab import CONNECTIONS, MAX_CAPACITY, Guest, Lab, World
from tests.load.latency import LATENCY_COLUMNS
from tests.load.machine import processor_time
from tests.load.numbers import ratio, summarise
from tests.load.report import Column, Section, Table, Value
from tests.load.watching import Watch

NAME = "assignment"
REPLICAS = (1, 3)
AGENTS = 10
BURST_CAPACITY = 4
SEED = 20261124
ANSWER_SECONDS = 60.0  # after the last arrival; what has come to nothing by then counts as lost
PARTS = ("gateway", "messaging", "assignment", "presence", "contacts", "broker", "database")

TEXT = (
    "A visitor answers the bot's last question, and the flow asks for one of ten connected agents. Measured from the moment at which the "
    "visitor's POST was due (arrivals are independent of each other and of the answers, so waiting in line counts) until the event "
    "`conversation.assigned` is there on the stream of the agent who got it. On this way lie the call to messaging, three events on the "
    "broker (to the assignment service, back to messaging, into the streams' log), messaging's two journaled writes and the assignment "
    "service's transaction.\n\n"
    "The floor is what the bare broker and the bare database need on the same machine, with the same product idle beside them: one "
    "persistent message published, consumed and acknowledged, and one transaction of two journaled writes."
)


@dataclass(frozen=True)
class Stage:
    """So many arrivals at a rate a second."""

    rate: float
    count: int


WARM_UP = Stage(10, 20)


@dataclass
class Rows:
    """What was found so far, by table."""

    stages: list[dict[str, Value]] = field(default_factory=list)
    cost: list[dict[str, Value]] = field(default_factory=list)
    bursts: list[dict[str, Value]] = field(default_factory=list)
    ceilings: list[dict[str, Value]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def measure(lab: Lab) -> Section:
    """With one and with three replicas of the assignment service, each time on a fresh product."""
    stages = (Stage(20, 10),) if lab.quick else (Stage(5, 150), Stage(20, 300), Stage(40, 600))
    burst = 60 if lab.quick else 200
    rows = Rows()
    for replicas in REPLICAS[-1:] if lab.quick else REPLICAS:
        lab.say(f"{NAME}: starting a product with {replicas} assignment replica(s)")
        with lab.product(replicas=replicas) as world:
            rows.ceilings.append({"replicas": replicas} | _ceilings(world))
            measure_stages(lab, world, replicas, stages, rows)
            _measure_burst(lab, world, replicas, burst, rows)
    return Section(NAME, "From the visitor's wish to the agent's screen", TEXT, _tables(rows), rows.faults)


def measure_stages(lab: Lab, world: World, replicas: int, stages: Sequence[Stage], rows: Rows) -> None:
    """With enough agents, so that each arrival gets one."""
    agents = world.hire(AGENTS, MAX_CAPACITY)
    channel_id = world.open_channel(agents)
    watches = world.seat(agents)
    _measure_stage(world, WARM_UP, channel_id, watches, Rows())
    for stage in stages:
        lab.say(f"{NAME}: {replicas} replica(s), {stage.count} arrivals at {stage.rate:g}/s")
        found = Rows()
        _measure_stage(world, stage, channel_id, watches, found)
        which: dict[str, Value] = {"replicas": replicas, "rate": stage.rate}
        rows.stages += [which | row for row in found.stages]
        rows.cost += [which | row for row in found.cost]
        rows.faults += [f"{replicas} replica(s) at {stage.rate:g}/s: {fault}" for fault in found.faults]
    rows.faults += world.unseat()


def _measure_stage(world: World, stage: Stage, channel_id: str, watches: Sequence[Watch], rows: Rows) -> None:
    guests = world.invite(channel_id, stage.count)
    with processor_time(world.parts()) as spent:
        due = poisson(stage.rate, stage.count, seed=SEED)
        run = drive(due, _ask(world, guests), workers=CONNECTIONS, timeout=ANSWER_SECONDS)
        told = _wait_told(watches, guests)
    spans = [told[key] - arrival.due for key, arrival in zip(_ids(guests), run.arrivals, strict=True) if key in told]
    span = max((told.get(key, 0.0) for key in _ids(guests)), default=0.0) - run.arrivals[0].due
    rows.stages.append(_stage_values(world, run, spans) | {"reached": len(spans) / span if span > 0 else 0.0})
    cost: dict[str, Value] = {name: 1000 * seconds / stage.count for name, seconds in spent.items()}
    rows.cost.append(cost | {"all": 1000 * sum(spent.values()) / stage.count})
    rows.faults += run.faults
    if lost := stage.count - len(spans):
        rows.faults.append(f"{lost} of {stage.count} reached no agent's stream")


def _measure_burst(lab: Lab, world: World, replicas: int, count: int, rows: Rows) -> None:
    lab.say(f"{NAME}: {replicas} replica(s), {count} at once")
    agents = world.hire(AGENTS, BURST_CAPACITY)
    watches = world.seat(agents)
    guests = world.invite(world.open_channel(agents), count)
    everybody = set(_ids(guests))
    run = drive(together(count), _ask(world, guests), workers=CONNECTIONS, timeout=ANSWER_SECONDS)
    decided = watches[0].decided
    places = min(count, AGENTS * BURST_CAPACITY)
    wait_until(lambda: everybody <= set(decided) and len(everybody & set(_told(watches))) >= places, ANSWER_SECONDS)
    faults = run.faults + world.unseat()
    due = run.arrivals[0].due
    moments = [decided[key][0] - due for key in everybody & set(decided)]
    outcomes = [decided[key][1] for key in everybody & set(decided)]
    last = max(moments, default=0.0)
    assigned = len(everybody & set(_told(watches)))
    turns = count * world.ceilings.transaction.p50
    rows.bursts.append(
        {
            "replicas": replicas,
            "requests": count,
            "assigned": assigned,
            "queued": outcomes.count("queued"),
            "undecided": count - len(moments),
            "answered": max(arrival.answered - due for arrival in run.arrivals),
            "half": summarise(moments).p50,
            "last": last,
            "rate": len(moments) / last if last else 0.0,
            "bare": turns,
            "ratio": ratio(last, turns),
        }
    )
    if len(moments) < count:
        faults.append(f"{count - len(moments)} of {count} were not decided")
    if assigned != places:
        faults.append(f"{assigned} were assigned to {places} places")
    rows.faults += [f"{replicas} replica(s), burst: {fault}" for fault in faults]


def _ask(world: World, guests: Sequence[Guest]) -> Callable[[int], None]:
    def ask(number: int) -> None:
        guest = guests[number]
        body = {"text": "A quote, please.", "client_message_id": f"load-{number}"}
        world.caller.send("POST", "/v1/widget/messages", body, guest.token)

    return ask


def _ids(guests: Sequence[Guest]) -> list[str]:
    return [guest.conversation_id for guest in guests]


def _told(watches: Sequence[Watch]) -> dict[str, float]:
    """When each conversation was told to the agent who got it."""
    return {key: moment for watch in watches for key, moment in list(watch.assigned.items())}


def _wait_told(watches: Sequence[Watch], guests: Sequence[Guest]) -> dict[str, float]:
    everybody = set(_ids(guests))
    wait_until(lambda: everybody <= set(_told(watches)), ANSWER_SECONDS)
    return _told(watches)


def _stage_values(world: World, run: Run, spans: Sequence[float]) -> dict[str, Value]:
    whole, posts = summarise(spans), summarise(arrival.answered - arrival.due for arrival in run.arrivals if not arrival.fault)
    floor = world.ceilings.floor
    return {
        "arrivals": len(run.arrivals),
        "lost": len(run.arrivals) - whole.count,
        "p50": 1000 * whole.p50,
        "p99": 1000 * whole.p99,
        "max": 1000 * whole.max,
        "post_p50": 1000 * posts.p50,
        "post_p99": 1000 * posts.p99,
        "floor_p50": 1000 * floor.p50,
        "ratio_p50": ratio(whole.p50, floor.p50),
        "floor_p99": 1000 * floor.p99,
        "ratio_p99": ratio(whole.p99, floor.p99),
        "late": 1000 * run.lateness,
    }


def _ceilings(world: World) -> dict[str, Value]:
    trip, transaction = world.ceilings.round_trip, world.ceilings.transaction
    return {
        "trip_p50": 1000 * trip.p50,
        "trip_p99": 1000 * trip.p99,
        "trip_max": 1000 * trip.max,
        "transaction_p50": 1000 * transaction.p50,
        "transaction_p99": 1000 * transaction.p99,
        "transaction_max": 1000 * transaction.max,
    }


REPLICAS_COLUMN = Column("replicas", "replicas")
RATE_COLUMN = Column("rate", "arrivals/s")


def _tables(rows: Rows) -> list[Table]:
    stages = Table(
        "With enough agents",
        [
            REPLICAS_COLUMN,
            RATE_COLUMN,
            Column("arrivals", "arrivals"),
            Column("reached", "reached/s", 1),
            Column("lost", "lost"),
            *LATENCY_COLUMNS,
        ],
        rows.stages,
        "Where fewer a second reach their agents than come, the machine is at its end: the line grows, and the latencies with it.",
    )
    cost = Table(
        "Processor milliseconds for each arrival",
        [REPLICAS_COLUMN, RATE_COLUMN, *(Column(part, part, 2) for part in PARTS), Column("all", "together", 2)],
        rows.cost,
        "What each part spent while the arrivals came, its idle work included; all replicas of a service together.",
    )
    bursts = Table(
        f"At once, {AGENTS} agents of capacity {BURST_CAPACITY}",
        [
            REPLICAS_COLUMN,
            Column("requests", "requests"),
            Column("assigned", "assigned"),
            Column("queued", "told that they wait"),
            Column("undecided", "undecided"),
            Column("answered", "last POST answered, s", 2),
            Column("half", "half decided, s", 2),
            Column("last", "last decided, s", 2),
            Column("rate", "decided/s"),
            Column("bare", "as many bare transactions, s", 2),
            Column("ratio", "last / bare", 1),
        ],
        rows.bursts,
        "Decided: the first `assignment.updated` of the conversation is there on an agent's stream. Turns follow one another, so the bare "
        "measure is as many transactions one after the other.",
    )
    ceilings = Table(
        "The raw ceilings, one after the other",
        [
            REPLICAS_COLUMN,
            Column("trip_p50", "broker round trip p50 ms", 2),
            Column("trip_p99", "p99 ms", 2),
            Column("trip_max", "max ms", 2),
            Column("transaction_p50", "transaction p50 ms", 2),
            Column("transaction_p99", "p99 ms", 2),
            Column("transaction_max", "max ms", 2),
        ],
        rows.ceilings,
    )
    return [stages, cost, bursts, ceilings]
