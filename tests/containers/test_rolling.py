"""Everything restarted one after the other under load, as an upgrade does it."""

import time

import pytest

from tests.containers.load import Prober, Replay
from tests.containers.recording import record
from tests.containers.stack import ComposeStack
from tests.support.waiting import wait_until

SERVED = ("contacts", "messaging", "presence", "assignment", "gateway")
# There is one of each in this stack, so requests are answered 503 meanwhile. The only balancer is the door itself.
ALONE = ("database", "broker")

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def test_no_request_fails_but_for_503_when_everything_is_restarted_one_by_one(stack: ComposeStack) -> None:
    stack.scale(**dict.fromkeys(SERVED, 2))
    replay = Replay(stack.url, stack.admin_email, stack.admin_password, seconds=110)
    try:
        with Prober(stack.url, stack.make_channel("Probe of a rolling restart")) as prober:
            wait_until(lambda: len(prober.accepted) >= 8, 30, what="the prober's beginning")
            for part in (*SERVED, *ALONE):
                began = time.monotonic()
                for container in stack.containers(part):
                    container.restart(timeout=60)
                    stack.wait_healthy(120)
                record(
                    "rolling",
                    {
                        "part": part,
                        "seconds": round(time.monotonic() - began, 1),
                        "served_again_seconds": round(prober.recovered_since(began), 1),
                    },
                )
        stored, attempts = prober.stored(), prober.attempts
        report = replay.finish()
    finally:
        replay.abandon()
        stack.scale(**dict.fromkeys(SERVED, 1))
    record(
        "rolling_replay",
        {
            name: report[name]
            for name in ("dialogues", "messages", "lost", "doubled", "resets", "reconnects", "retried_for", "proven")
        },
    )
    assert report["proven"], report["output"]
    assert set(report["retried_for"]) <= {"503"}, report["retried_for"]
    assert {attempt.status for attempt in attempts} <= {201, 503}
    assert stored[: len(prober.accepted)] == prober.accepted
