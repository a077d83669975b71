"""The machine's facts for the report, and what its processes cost."""

import os
import platform
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import amqp
import pymongo

from deploy.local.broker import PASSWORD, USER
from services.common.version import VERSION
from tests.load.report import Value
from tests.support.stack import Stack

TICKS = os.sysconf("SC_CLK_TCK")


def facts() -> dict[str, Value]:
    """What can be said before anything runs."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _first(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "memory": f"{int((_first(Path('/proc/meminfo'), 'MemTotal') or '0 kB').split()[0]) / 1024**2:.1f} GB",
        "load before": f"{os.getloadavg()[0]:.2f} over the last minute",
        "system": f"Linux {platform.release()}",
        "Foyer": VERSION,
        "Python": platform.python_version(),
    }


def versions(stack: Stack) -> dict[str, Value]:
    """Those of a running broker and database."""
    client: pymongo.MongoClient[dict[str, object]]
    with pymongo.MongoClient(stack.database.uri, timeoutMS=5000) as client:
        database = client.server_info()["version"]
    with amqp.Connection(f"127.0.0.1:{stack.broker.port}", userid=USER, password=PASSWORD) as connection:
        broker = connection.server_properties["version"]
    return {"RabbitMQ": str(broker), "MongoDB": str(database)}


@contextmanager
def processor_time(parts: Mapping[str, Sequence[int]]) -> Iterator[dict[str, float]]:
    """Filled at the end: the processor seconds that each part, given by its processes' groups, spent meanwhile."""
    spent: dict[str, float] = {}
    before = _seconds_by_group()
    yield spent
    after = _seconds_by_group()
    spent.update({name: sum(after[group] - before[group] for group in groups) for name, groups in parts.items()})


def _seconds_by_group() -> dict[int, float]:
    """Of all living processes: a part may be several, such as gunicorn's master and its worker."""
    seconds: dict[int, float] = defaultdict(float)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        seconds[int(fields[2])] += (int(fields[11]) + int(fields[12])) / TICKS
    return seconds


def _first(path: Path, name: str) -> str | None:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
