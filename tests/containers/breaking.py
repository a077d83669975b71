"""Ways to break a container: its process killed, frozen, or cut off from every network. All need root on the engine's machine."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

# A firewall of the container's own network namespace: nothing comes in, nothing goes out, and nobody is told.
_CUT = (("INPUT", "!", "-i", "lo"), ("OUTPUT", "!", "-o", "lo"))


def host_pid(container: Any) -> int:
    """The container's first process as the engine's machine sees it; 0 when it does not run."""
    container.reload()
    return int(container.attrs["State"]["Pid"])


def kill(container: Any) -> None:
    """SIGKILL to the process itself. `docker kill` would tell the engine not to restart it; a crash doesn't."""
    os.kill(host_pid(container), signal.SIGKILL)


@contextlib.contextmanager
def paused(container: Any) -> Iterator[None]:
    """Frozen: its connections stay open, and nobody answers."""
    container.pause()
    try:
        yield
    finally:
        container.unpause()


@contextlib.contextmanager
def partitioned(container: Any) -> Iterator[None]:
    """Running, but every packet from and to it is lost."""
    pid = host_pid(container)
    for rule in _CUT:
        _firewall(pid, "-A", rule)
    try:
        yield
    finally:
        for rule in _CUT:
            _firewall(pid, "-D", rule)


def _firewall(pid: int, action: str, rule: tuple[str, ...]) -> None:
    chain, *match = rule
    command = ["nsenter", "--target", str(pid), "--net", "iptables", "-w", action, chain, *match, "-j", "DROP"]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
