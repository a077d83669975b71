"""Every part of the running stack killed, frozen and cut off in turn, under load: nothing accepted is lost or doubled, and all comes back."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.containers.breaking import kill, partitioned, paused
from tests.containers.load import Prober, Replay
from tests.containers.recording import record
from tests.containers.stack import ComposeStack
from tests.support.waiting import wait_until

# Longer than the broker's heartbeat (10 s) and the services' patience with it.
AWAY_SECONDS = 15.0
SERVICES = ("messaging", "contacts", "presence", "assignment", "gateway")
FAULTS = ("kill", "pause", "partition")
RECOVERY_SECONDS = 120.0

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def two_of_each(stack: ComposeStack) -> Iterator[ComposeStack]:
    stack.scale(**dict.fromkeys(SERVICES, 2))
    yield stack
    stack.scale(**dict.fromkeys(SERVICES, 1))


@pytest.mark.parametrize("part", [*SERVICES, "broker", "database"])
def test_nothing_is_lost_or_doubled_when_a_part_is_broken_under_load(two_of_each: ComposeStack, part: str) -> None:
    stack = two_of_each
    # Each fault has its own time, and the replay goes on for a while after the last.
    replay = Replay(stack.url, stack.admin_email, stack.admin_password, seconds=20 + len(FAULTS) * (AWAY_SECONDS + 15))
    rows = []
    try:
        with Prober(stack.url, stack.make_channel(f"Probe of {part}")) as prober:
            wait_until(lambda: len(prober.accepted) >= 8, 30, what="the prober's beginning")
            for fault in FAULTS:
                row = {"part": part, "fault": fault}
                rows.append(row | _break(stack, prober, part, fault))
        stored = prober.stored()
        report = replay.finish()
    finally:
        replay.abandon()
    for row in rows:
        record("faults", row | {"broker": stack.broker_version})
    record("fault_replays", {"part": part, "broker": stack.broker_version} | _summary(report))
    assert report["proven"], report["output"]
    assert stored[: len(prober.accepted)] == prober.accepted
    assert len(stored) - len(prober.accepted) <= 1  # the last one may be stored without its answer having been seen


def _break(stack: ComposeStack, prober: Prober, part: str, fault: str) -> dict[str, Any]:
    victim = stack.containers(part)[0]
    began = time.monotonic()
    restarts = count_restarts(victim)
    with _away(victim, fault):
        if fault == "kill":
            # The engine sees the end and starts the process again; before that the container still counts as healthy.
            wait_until(lambda: count_restarts(victim) > restarts, 30, what=f"the restart of {victim.name}")
        else:
            # The replay and the prober go on meanwhile; what they see is their business.
            time.sleep(AWAY_SECONDS)
    back = time.monotonic()
    wait_until(lambda: prober.served_since(back), RECOVERY_SECONDS, what=f"service after {fault} of {part}")
    stack.wait_healthy(RECOVERY_SECONDS)
    healthy = time.monotonic() - began
    return {
        "away_seconds": 0.0 if fault == "kill" else AWAY_SECONDS,
        "served_again_seconds": round(prober.recovered_since(began), 1),
        "slowest_seconds": round(prober.slowest_since(began), 1),
        "failed_attempts": sum(attempt.began > began and attempt.status != 201 for attempt in prober.attempts),
        "healthy_seconds": round(healthy, 1),
    }


def count_restarts(container: Any) -> int:
    """How often the engine has started it again."""
    container.reload()
    return int(container.attrs["RestartCount"])


def _away(victim: Any, fault: str) -> AbstractContextManager[None]:
    ways: dict[str, Callable[[Any], AbstractContextManager[None]]] = {"pause": paused, "partition": partitioned}
    if fault == "kill":
        kill(victim)
        return contextlib.nullcontext()
    return ways[fault](victim)


def _summary(report: dict[str, Any]) -> dict[str, Any]:
    names = (
        "dialogues",
        "messages",
        "messages_per_second",
        "lost",
        "doubled",
        "out_of_order",
        "resets",
        "reconnects",
        "retried_for",
        "proven",
    )
    return {name: report[name] for name in names}
