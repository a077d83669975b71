"""What open event streams cost one gateway process, and how fast events reach them: up to ten thousand."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random

import orjson

from deploy.local.ports import accepts, free_port
from deploy.local.process import ChildProcess
from deploy.local.waiting import wait_until
from gateway.tokens import Signer
from services.common.ids import new_id
from tests.load.arrivals import poisson
from tests.load.audience import Audience, allow_streams
from tests.load.crowd import Copy
from tests.load.exchange import request
from tests.load.footprint import Memory, group
from tests.load.lab import GATEWAY, Lab, Talk, World
from tests.load.machine import processor_time
from tests.load.numbers import Summary, ratio, summarise
from tests.load.publishing import Publishing, message_event
from tests.load.report import Section, Value
from tests.load.scenarios import streams_shown as shown
from tests.load.scenarios.streams_shown import Rows
from tests.load.wire import Wire
from tests.support.product import SECRET_KEY

NAME = "streams"
SIZES = (1_000, 5_000, 10_000)
TABS = 80  # an agent's; presence takes up to a hundred
SEED = 20261130
RATE = 200.0  # events a second, each for one visitor
POST_RATE = 20.0
WAIT_SECONDS = 30.0
CAPACITY = 1000
VISITOR_DAYS = 30

TEXT = (
    "One gateway process with a thousand, five thousand and ten thousand open Server-Sent Event streams, read by one other process on "
    "the same machine. First visitors', each of a visitor and a conversation of its own: what they occupy in the gateway's process; how "
    f"long an event for one of them takes from its publishing on the broker, at {RATE:g} a second, until it has been read from that visitor's stream; and "
    f"an agent's message, at {POST_RATE:g} a second, from the moment its POST was due until it is on the visitor's stream. Then, in a fresh gateway, as many agents' "
    f"({TABS} tabs an agent), who are all told of everything: how long a visitor's message takes from its POST to the first "
    "stream, and from the first to the last.\n\n"
    "The ceiling of the fan-out is a process that sends the same number of bytes to as many sockets in a bare loop, read by the same reader. "
    "What the kernel keeps for a socket is in nobody's resident memory, here as elsewhere."
)


def measure(lab: Lab) -> Section:
    """Visitors' streams in one gateway, agents' in the next."""
    rows = Rows()
    sizes = []
    for size in (50, 200) if lab.quick else SIZES:
        if reason := allow_streams(size):
            rows.skipped.append(f"{size:,} streams were left out: {reason}.")
        else:
            sizes.append(size)
    if sizes:
        lab.say(f"{NAME}: starting a product")
        with lab.product() as world:
            _measure_visitors(lab, world, sizes, rows)
            lab.say(f"{NAME}: a fresh gateway")
            world.gateways[0].process.kill()
            world.gateways[0].start()
            _measure_agents(lab, world, sizes, rows)
    return Section(NAME, "Open streams", TEXT, shown.tables(rows), rows.faults, shown.plots(rows), shown.figures(rows))


def _measure_visitors(lab: Lab, world: World, sizes: Sequence[int], rows: Rows) -> None:
    agents = world.hire(1, CAPACITY)
    (talk,) = world.converse(agents, 1)
    copies = world.multiply(talk.conversation_id, sizes[-1])
    signer = Signer(SECRET_KEY, 0, VISITOR_DAYS * 86_400)
    tokens = [signer.issue_visitor_token(copy.contact_id, talk.channel_id) for copy in copies]
    asked = [request("GET", "/v1/widget/events", token=token) for token in tokens]
    with _wire(world.url, 32) as wire:
        _warm_up(wire, asked)
        audience = Audience(wire, told_apart=True)
        for size in sizes:
            lab.say(f"{NAME}: {size:,} visitors' streams")
            rows.opening.append(_grow(world, wire, audience, asked[:size], "visitors"))
            told = _tell_one_by_one(world, wire, audience, copies[:size], 3 if lab.quick else 10, rows)
            posted = _post_to_them(wire, audience, talk, copies[:size], 3 if lab.quick else 8, rows)
            rows.targeted.append({"size": size} | told | posted)
        rows.faults += wire.detach()


def _measure_agents(lab: Lab, world: World, sizes: Sequence[int], rows: Rows) -> None:
    agents = world.hire(-(-sizes[-1] // TABS), CAPACITY)
    (talk,) = world.converse(agents[:1], 1)
    asked = [request("GET", "/v1/events", token=agents[number % len(agents)].token) for number in range(sizes[-1])]
    rounds = 5 if lab.quick else 20
    # Before the product's: one process reads both, and may not have the descriptors for them at once.
    bare = {size: _bare_fan_out(lab, world, size, rounds) for size in sizes}
    with _wire(world.url, 1) as wire:
        _warm_up(wire, asked)
        audience = Audience(wire)
        for size in sizes:
            lab.say(f"{NAME}: {size:,} agents' streams")
            rows.opening.append(_grow(world, wire, audience, asked[:size], "agents"))
            posts = [_post_as_visitor(talk, number) for number in range(rounds)]
            with processor_time(world.parts()) as cost:
                first, spread, whole = _tell_everyone(wire, audience, posts, rows)
            rows.everyone.append(_everyone(size, first, spread, whole, bare[size], cost["gateway"] / rounds))
        rows.faults += wire.detach()


def _tell_one_by_one(
    world: World, wire: Wire, audience: Audience, copies: Sequence[Copy], seconds: float, rows: Rows
) -> dict[str, Value]:
    """Events published straight on the broker: what comes after the database, alone."""
    random = Random(SEED)
    due = poisson(RATE, round(RATE * seconds), seed=SEED)
    events = [message_event(random.choice(copies)) for _ in due]
    audience.forget()
    with processor_time(world.parts()) as cost:
        publishing = Publishing(world.product, due, [event for _, event in events])
        publishing.start()
        wire.wait_until(lambda: len(audience.by_id) >= len(events), seconds + WAIT_SECONDS)
        publishing.join()
    moments = {key: publishing.began + moment for (key, _), moment in zip(events, due, strict=True)}
    spans = [audience.by_id[key] - moment for key, moment in moments.items() if key in audience.by_id]
    if lost := len(events) - len(spans):
        rows.faults.append(f"{lost} of {len(events)} events reached no stream")
    if len(audience.moments) > len(spans):
        rows.faults.append(f"{len(audience.moments) - len(spans)} events came twice or to somebody else")
    found = summarise(spans)
    return {
        "p50": 1000 * found.p50,
        "p99": 1000 * found.p99,
        "max": 1000 * found.max,
        "gateway": 1000 * cost["gateway"] / len(events),
        "late": 1000 * publishing.lateness,
    }


def _post_to_them(
    wire: Wire, audience: Audience, talk: Talk, copies: Sequence[Copy], seconds: float, rows: Rows
) -> dict[str, Value]:
    """Agents' messages, the whole way."""
    random = Random(SEED + 1)
    due = poisson(POST_RATE, round(POST_RATE * seconds), seed=SEED + 1)
    chosen = [random.choice(copies) for _ in due]
    posts = [_post_as_agent(talk, copy) for copy in chosen]
    audience.forget()
    load = wire.open(list(zip(due, posts, strict=True)))
    keys = [orjson.loads(exchange.body)["id"] for exchange in load.confirmed]
    wire.wait_until(lambda: all(key in audience.by_id for key in keys), WAIT_SECONDS)
    pairs = zip(keys, load.confirmed, strict=True)
    spans = [audience.by_id[key] - exchange.due for key, exchange in pairs if key in audience.by_id]
    rows.faults += load.faults
    if lost := len(keys) - len(spans):
        rows.faults.append(f"{lost} of {len(keys)} agents' messages reached no stream")
    found = summarise(spans)
    return {"post_p50": 1000 * found.p50, "post_p99": 1000 * found.p99}


def _tell_everyone(wire: Wire, audience: Audience, posts: Sequence[bytes], rows: Rows) -> tuple[Summary, Summary, Summary]:
    """Until the first stream has it, from the first to the last, and until the last."""
    first, spread, whole = [], [], []
    for post in posts:
        audience.forget()
        load = wire.closed([iter([post])], 1)
        wire.wait_until(lambda: len(audience.moments) >= audience.size, WAIT_SECONDS)
        rows.faults += load.faults
        if len(audience.moments) != audience.size:
            rows.faults.append(f"an event came {len(audience.moments)} times to {audience.size} streams")
            continue
        begun = load.exchanges[0].begun
        first.append(min(audience.moments) - begun)
        whole.append(max(audience.moments) - begun)
        spread.append(whole[-1] - first[-1])
    return summarise(first), summarise(spread), summarise(whole)


def _bare_fan_out(lab: Lab, world: World, size: int, rounds: int) -> Summary:
    """From the first to the last of as many sockets that a bare loop sends to."""
    lab.say(f"{NAME}: a bare loop over {size:,} sockets")
    port = free_port()
    command = [sys.executable, "-m", "tests.load.bare.streams", str(port)]
    process = ChildProcess("bare-streams", command, log_path=world.product.folder / "bare-streams.log")
    process.start()
    try:
        if not wait_until(lambda: accepts(port), WAIT_SECONDS):
            raise RuntimeError("the bare loop did not start")
        with _wire(f"http://127.0.0.1:{port}", 1) as wire:
            audience, rows = Audience(wire), Rows()
            audience.grow([request("GET", "/")] * size)
            _, spread, _ = _tell_everyone(wire, audience, [request("POST", "/")] * rounds, rows)
            if rows.faults:
                raise RuntimeError(rows.faults[0])
            return spread
    finally:
        process.stop()


@contextmanager
def _wire(url: str, connections: int) -> Iterator[Wire]:
    wire = Wire(url, connections)
    try:
        yield wire
    finally:
        wire.close()


def _post_as_agent(talk: Talk, copy: Copy) -> bytes:
    body = {"text": "It came on Monday, in blue, and it fits.", "client_message_id": new_id()}
    return request("POST", f"/v1/conversations/{copy.conversation_id}/messages", token=talk.agent_token, body=body)


def _post_as_visitor(talk: Talk, number: int) -> bytes:
    body = {"text": f"Is anybody there? ({number})", "client_message_id": new_id()}
    return request("POST", "/v1/widget/messages", token=talk.visitor_token, body=body)


def _warm_up(wire: Wire, asked: Sequence[bytes]) -> None:
    """Have the gateway load all that a stream needs."""
    Audience(wire).grow(asked[:20])
    wire.detach()
    wire.wait_until(lambda: False, 1)


def _memory(world: World) -> Memory:
    """That of the process which serves, without gunicorn's first."""
    (leader,) = world.parts()[GATEWAY]
    return Memory.of(group(leader)[1:])


def _grow(world: World, wire: Wire, audience: Audience, asked: Sequence[bytes], who: str) -> dict[str, Value]:
    """Open those of the streams that are missing; what that took, and what it added to the gateway's memory."""
    before = _memory(world)
    added = asked[audience.size :]
    spent, each = audience.grow(added)
    wire.wait_until(lambda: False, 1)
    after = _memory(world)
    opened = summarise(each)
    return {
        "who": who,
        "size": audience.size,
        "before": before.resident,
        "resident": after.resident,
        "each": 1024 * (after.resident - before.resident) / len(added),
        "rate": len(added) / spent,
        "open_p50": 1000 * opened.p50,
        "open_p99": 1000 * opened.p99,
    }


def _everyone(size: int, first: Summary, spread: Summary, whole: Summary, bare: Summary, gateway: float) -> dict[str, Value]:
    return {
        "size": size,
        "first": 1000 * first.p50,
        "spread": 1000 * spread.p50,
        "spread_max": 1000 * spread.max,
        "whole": 1000 * whole.p50,
        "whole_max": 1000 * whole.max,
        "bare": 1000 * bare.p50,
        "ratio": ratio(spread.p50, bare.p50),
        "gateway": 1000 * gateway,
    }
