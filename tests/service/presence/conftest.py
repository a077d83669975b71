"""A stack of its own, since these tests need short leases and an empty database: two replicas that start at the same moment."""

import orjson
import pytest

from services.common.rpc_client import RpcClient
from tests.service.presence.people import Presence
from tests.support import parts
from tests.support.events import Collector
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until

REPLICAS = ("presence-1", "presence-2")
# Short, and longer than a slow machine takes for the few calls that tests make within them.
SHORT_LEASES = {"FOYER_LEASE_SECONDS": "6", "FOYER_GRACE_SECONDS": "3"}
ADMIN_EMAIL = "root@example.com"


stack = pytest.fixture(parts.stack, scope="package")
rpc = pytest.fixture(parts.rpc, scope="package")
collector = pytest.fixture(parts.collector, scope="package")
announcer = pytest.fixture(parts.announcer, scope="package")


@pytest.fixture(scope="package")
def first_admin_lines(stack: Stack, rpc: RpcClient, collector: Collector) -> list[dict[str, str]]:
    """Both replicas started on an empty database, without a password for the admin; what they said of it."""
    for instance in REPLICAS:
        stack.start_service("presence", instance=instance, extra=SHORT_LEASES | {"FOYER_ADMIN_EMAIL": ADMIN_EMAIL})
    for instance in REPLICAS:
        wait_for_service(rpc, "presence", stack.services[instance])

    def said() -> list[dict[str, str]]:
        lines = [line for instance in REPLICAS for line in stack.services[instance].log_path.read_bytes().splitlines()]
        return [orjson.loads(line) for line in lines if b"first_admin_created" in line]

    wait_until(lambda: stack.mongo("presence")["agents"].find_one(), 20, what="the first admin")
    wait_until(said, what="the line that says so")
    logs = [stack.services[instance].log_path for instance in REPLICAS]
    wait_until(lambda: all(b"service_started" in log.read_bytes() for log in logs), 20, what="both replicas' start")
    return said()


@pytest.fixture(scope="package")
def presence(rpc: RpcClient, collector: Collector, first_admin_lines: list[dict[str, str]]) -> Presence:
    """Calls, with the first admin as the actor."""
    return Presence(rpc, collector, first_admin_lines[0]["agent_id"])
