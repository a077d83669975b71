"""What each process occupies, idle and after half a minute of everything that people do."""

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from services.common.ids import new_id
from tests.load.audience import Audience
from tests.load.exchange import request
from tests.load.footprint import Memory, group
from tests.load.lab import GATEWAY, PAGE, Lab, Talk, World
from tests.load.report import Column, Figure, Plot, Section, Series, Table, Value
from tests.load.wire import Wire
from tests.support.product import SERVICES, Agent

NAME = "memory"
IDLE_SECONDS = 15.0
LOADED_SECONDS = 30.0
TALKS = 64
AGENTS = 4
STREAMS = 100
OURS = (GATEWAY, *SERVICES)
BARE_SERVICE = "import eventlet; eventlet.monkey_patch(); import nameko.containers, kombu, pymongo"
BARE_GATEWAY = "import gevent.monkey; gevent.monkey.patch_all(); import flask, kombu, gunicorn.workers.ggevent"

TEXT = (
    "The memory of each process, 15 s after everything was ready and nothing had happened, and again after 30 s in which visitors and agents "
    "wrote (16 senders), agents listed conversations and read them, and new visitors came (8 more), with a hundred visitors' streams and "
    "four agents' open. *Share* is the proportional set size, which counts what processes have in common once, so that it adds up; "
    "*resident* counts it for each. *Peak* is the most that was ever resident, starting included.\n\n"
    "The ceiling, which here is a floor, are processes of the same Python that have loaded the same libraries and do nothing."
)


@dataclass(frozen=True)
class State:
    """What a process occupied at one moment."""

    process: str
    part: str
    memory: Memory


def measure(lab: Lab) -> Section:
    """In one product, one process of each part."""
    lab.say(f"{NAME}: starting a product")
    with lab.product() as world:
        lab.say(f"{NAME}: idle")
        time.sleep(2 if lab.quick else IDLE_SECONDS)
        idle = _look(world)
        agents = world.hire(AGENTS, 1000)
        talks = world.converse(agents, TALKS)
        lab.say(f"{NAME}: under load")
        faults, confirmed = _work(world, agents, talks, 3 if lab.quick else LOADED_SECONDS)
        loaded = _look(world)
    floors = _floors()
    tables = [_table(idle, loaded, confirmed), _floor_table(floors)]
    return Section(NAME, "Memory", TEXT, tables, faults, [_plot(idle, loaded)], _figures(idle, loaded, floors))


def _look(world: World) -> list[State]:
    states = []
    for part, leaders in world.parts().items():
        pids = [pid for leader in leaders for pid in group(leader)]
        if part == GATEWAY:
            states += [
                State(f"gateway, {name}", part, Memory.of([pid])) for name, pid in zip(("master", "worker"), pids, strict=True)
            ]
        else:
            states.append(State(part, part, Memory.of(pids)))
    return states


def _work(world: World, agents: Sequence[Agent], talks: Sequence[Talk], seconds: float) -> tuple[list[str], int]:
    senders: list[Iterator[bytes]] = [_write(talk, as_agent=number % 2 == 1) for number, talk in enumerate(talks[:16])]
    senders += [_read(agents[number % AGENTS], talks) for number in range(6)]
    senders += [_come(talks[0].channel_id) for _ in range(2)]
    wire = Wire(world.url, len(senders))
    try:
        visitors = (talks[number % TALKS].visitor_token for number in range(STREAMS))
        Audience(wire).grow(request("GET", "/v1/widget/events", token=token) for token in visitors)
        Audience(wire).grow(request("GET", "/v1/events", token=agent.token) for agent in agents)
        load = wire.closed(senders, seconds)
        return [*load.faults, *wire.detach()], len(load.confirmed)
    finally:
        wire.close()


def _write(talk: Talk, *, as_agent: bool) -> Iterator[bytes]:
    path = f"/v1/conversations/{talk.conversation_id}/messages" if as_agent else "/v1/widget/messages"
    token = talk.agent_token if as_agent else talk.visitor_token
    while True:
        yield request("POST", path, token=token, body={"text": "It came on Monday, in blue.", "client_message_id": new_id()})


def _read(agent: Agent, talks: Sequence[Talk]) -> Iterator[bytes]:
    paths = (
        "/v1/conversations",
        "/v1/conversations?folder=mine",
        *(f"/v1/conversations/{each.conversation_id}/messages" for each in talks),
    )
    return (request("GET", path, token=agent.token) for path in itertools.cycle(paths))


def _come(channel_id: str) -> Iterator[bytes]:
    return (request("POST", f"/v1/widget/{channel_id}/session", body=PAGE) for _ in itertools.count())


def _floors() -> list[State]:
    """As many processes as the product's at once, for what they have in common counts once there, too."""
    with ExitStack() as running:
        services = [running.enter_context(_loaded(BARE_SERVICE)) for _ in SERVICES]
        gateway = running.enter_context(_loaded(BARE_GATEWAY))
        python = running.enter_context(_loaded("pass"))
        return [
            State("a service's libraries, each of four", "services", Memory.of(services[:1])),
            State("the gateway's libraries", GATEWAY, Memory.of([gateway])),
            State("all five together", "together", Memory.of([*services, gateway])),
            State("python alone", "python", Memory.of([python])),
        ]


@contextmanager
def _loaded(program: str) -> Iterator[int]:
    """The id of a process that has done what the program says and waits."""
    command = [sys.executable, "-W", "ignore", "-c", f"{program}\nprint(flush=True)\ninput()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            if process.stdout is None or process.stdout.readline() != b"\n":
                raise RuntimeError(f"this did not load: {program}")
            yield process.pid
        finally:
            process.kill()


def _sum(states: Sequence[State]) -> Memory:
    found = [state.memory for state in states if state.part in OURS]
    return Memory(sum(each.resident for each in found), sum(each.share for each in found), sum(each.peak for each in found))


def _table(idle: Sequence[State], loaded: Sequence[State], confirmed: int) -> Table:
    after = {state.process: state.memory for state in loaded}
    pairs = [(state.process, state.memory, after[state.process]) for state in idle]
    pairs.append(("gateway and services together", _sum(idle), _sum(loaded)))
    rows: list[dict[str, Value]] = [
        {
            "process": name,
            "idle_share": before.share,
            "idle_resident": before.resident,
            "loaded_share": then.share,
            "loaded_resident": then.resident,
            "peak": then.peak,
        }
        for name, before, then in pairs
    ]
    columns = [
        Column("process", "process"),
        Column("idle_share", "idle: share MB", 1),
        Column("idle_resident", "resident MB", 1),
        Column("loaded_share", "loaded: share MB", 1),
        Column("loaded_resident", "resident MB", 1),
        Column("peak", "peak MB", 1),
    ]
    return Table(
        "Each process",
        columns,
        rows,
        f"The load was {confirmed:,} confirmed requests. The database keeps up to 256 MB of its data in memory by its setting.",
    )


def _floor_table(floors: Sequence[State]) -> Table:
    rows: list[dict[str, Value]] = [
        {"process": state.process, "share": state.memory.share, "resident": state.memory.resident} for state in floors
    ]
    return Table(
        "Bare processes",
        [Column("process", "process"), Column("share", "share MB", 1), Column("resident", "resident MB", 1)],
        rows,
    )


def _plot(idle: Sequence[State], loaded: Sequence[State]) -> Plot:
    before = {state.process: state.memory.share for state in idle}
    after = {state.process: state.memory.share for state in loaded}
    names = sorted({state.part for state in idle}, key=lambda part: (part not in OURS, part))

    def total(part: str, found: dict[str, float]) -> float:
        return sum(share for process, share in found.items() if process.partition(",")[0] == part)

    grown = [(part, max(0.0, total(part, after) - total(part, before))) for part in names]
    bars = [Series("idle", [(part, total(part, before)) for part in names]), Series("more under load", list(grown))]
    return Plot("memory", "Memory of each part", "part", "MB (proportional set size)", bars, stacked=True)


def _figures(idle: Sequence[State], loaded: Sequence[State], floors: Sequence[State]) -> list[Figure]:
    bare = next(state.memory.share for state in floors if state.part == "together")
    beside = "as many bare processes"
    return [
        Figure("Memory of gateway and services together, idle", "MB", _sum(idle).share, beside, bare, 0),
        Figure("Memory of gateway and services together, loaded", "MB", _sum(loaded).share, beside, bare, 0),
    ]
