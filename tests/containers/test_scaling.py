"""More replicas share the work: each answers a part of the calls."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.containers.stack import SERVICES, ComposeStack

COUNTED = {"gateway": r"^foyer_http_requests_total\{[^}]*route=\"/v1/[^}]*\} (\S+)"}
CALLS = r"^foyer_rpc_seconds_count\{[^}]*\} (\S+)"
REQUESTS = 60
SCALED = dict.fromkeys(SERVICES, 3) | {"gateway": 2}

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wide(stack: ComposeStack) -> Iterator[ComposeStack]:
    stack.scale(**SCALED)
    yield stack
    stack.scale(**dict.fromkeys(SCALED, 1))


def count(stack: ComposeStack, container: Any) -> float:
    """How many calls, or requests, the replica has answered."""
    pattern = COUNTED.get(container.labels["com.docker.compose.service"], CALLS)
    return sum(float(number) for number in re.findall(pattern, stack.metrics(container), re.MULTILINE))


def test_every_replica_answers_a_part_of_the_calls(wide: ComposeStack) -> None:
    replicas = {service: wide.containers(service) for service in SCALED}
    assert {service: len(found) for service, found in replicas.items()} == SCALED
    before = {one.name: count(wide, one) for found in replicas.values() for one in found}
    drive(wide)
    for service, found in replicas.items():
        served = {one.name: count(wide, one) - before[one.name] for one in found}
        # An even share is a third or a half; a tenth is more than chance or health checks give a replica that gets nothing.
        assert min(served.values()) >= 0.1 * sum(served.values()) > 0, (service, served)


def test_replay_is_proven_over_all_replicas(wide: ComposeStack) -> None:
    assert "Every transcript equals its input" in wide.replay()


def drive(stack: ComposeStack) -> None:
    """Requests that take a call to each of the four services, each over a connection of its own."""
    token = stack.sign_in()
    channel = stack.make_channel("Scaling")
    headers = {"Authorization": f"Bearer {token}"}

    def go(_: int) -> None:
        for path in ("/v1/agents", "/v1/conversations", "/v1/contacts"):
            assert requests.get(stack.url + path, headers=headers, timeout=15).ok
        body = {"channel_id": channel}
        assert requests.post(stack.url + "/v1/assignment/simulate", json=body, headers=headers, timeout=15).ok

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(go, range(REQUESTS)))
