"""What processes occupy (memory, connections, file descriptors). `python -m tests.load.footprint` prints it of an idle stack, and what
an agent's stream adds to a gateway; as a table for docs/scaling.md."""

import http.client
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.parts import running
from tests.support.product import Gateway, Product

IDLE_SECONDS = 15
STREAMS = 500


@dataclass(frozen=True)
class Memory:
    """Megabytes of a process: resident; its share of what it shares with others (PSS), which adds up; resident at most until now."""

    resident: float
    share: float
    peak: float

    @classmethod
    def of(cls, pids: Sequence[int]) -> "Memory":
        """That of several together."""
        rolled = [_kilobytes(pid, "smaps_rollup") for pid in pids]
        peaks = sum(_kilobytes(pid, "status")["VmHWM"] for pid in pids)
        return cls(sum(each["Rss"] for each in rolled) / 1024, sum(each["Pss"] for each in rolled) / 1024, peaks / 1024)


def group(leader: int) -> list[int]:
    """The processes of a process group, the leader first: a part may be several, such as gunicorn's master and worker."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == leader:
            found.append(int(path.parent.name))
    return sorted(found, key=lambda pid: (pid != leader, pid))


def _kilobytes(pid: int, name: str) -> dict[str, int]:
    lines = (line.split() for line in Path(f"/proc/{pid}/{name}").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if words[-1:] == ["kB"]}


def family(pid: int | None) -> list[int]:
    """The process and its children: gunicorn's are a master and a worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in (pid, *children) if each is not None]


def open_files(pids: list[int]) -> list[str]:
    """What their descriptors lead to."""
    return [str(entry.readlink()) for pid in pids for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()]


def connections_to(pids: list[int], port: int) -> int:
    """How many of their connections lead to a port of this machine."""
    inodes = {target.removeprefix("socket:[").rstrip("]") for target in open_files(pids)}
    lines = [line.split() for line in Path(f"/proc/{pids[0]}/net/tcp").read_text().splitlines()[1:]]
    return sum(line[9] in inodes and int(line[2].rpartition(":")[2], 16) == port and line[3] == "01" for line in lines)


def open_streams(gateway: Gateway, token: str, count: int) -> list[http.client.HTTPConnection]:
    """Streams that have begun."""
    opened = []
    host = gateway.url.removeprefix("http://")
    for _ in range(count):
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("GET", "/v1/widget/events", headers={"Authorization": f"Bearer {token}"})
        if connection.getresponse().status != 200:
            raise RuntimeError("a stream was refused")
        opened.append(connection)
    return opened


def visitor_token(gateway: Gateway) -> str:
    """A visitor of a channel of their own."""
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"}, token=gateway.sign_in())
    token: str = gateway.ask("POST", f"/v1/widget/{channel['id']}/session", {"url": "https://shop.example/"})["visitor_token"]
    return token


def say(line: str) -> None:
    """Print it."""
    sys.stdout.write(f"{line}\n")


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="footprint-") as folder, running(Product(Path(folder))) as product:
        gateway = product.start_gateway()
        token = visitor_token(gateway)
        time.sleep(IDLE_SECONDS)
        say("| process | resident MB | connections to the broker | to the database | open files |")
        say("| --- | ---: | ---: | ---: | ---: |")
        for name, process in sorted(product.services.items()):
            pids = family(process.pid)
            links = [connections_to(pids, port) for port in (product.broker.port, product.database.port)]
            say(f"| {name} | {Memory.of(pids).resident:.0f} | {links[0]} | {links[1]} | {len(open_files(pids))} |")
        pids = family(product.services["gateway"].pid)
        before = Memory.of(pids).resident, len(open_files(pids))
        streams = open_streams(gateway, token, STREAMS)
        time.sleep(2)
        more = Memory.of(pids).resident - before[0], len(open_files(pids)) - before[1]
        say(f"\n{STREAMS} streams: {more[0] / STREAMS * 1024:.0f} kB and {more[1] / STREAMS:.2f} descriptors each")
        for stream in streams:
            sock: socket.socket | None = stream.sock
            if sock is not None:
                sock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
