"""Messaging with webhooks that may reach this machine and are repeated soon; a world of its own, as other settings need another process."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from services.common.times import now
from services.messaging.store import MessagingStore
from tests.service.conftest import patient_rpc
from tests.service.messaging.conftest import ADMIN, Messaging
from tests.support import parts
from tests.support.receiver import Received, Receiver, running_receiver
from tests.support.relay import NoRelay
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until

Wire = dict[str, Any]
SETTINGS = {
    "FOYER_WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
    "FOYER_WEBHOOK_RETRY_SECONDS": "0.1,0.1,0.2",
    "FOYER_WEBHOOK_DEADLINE_SECONDS": "3",
}
ALL = ["conversation.created", "conversation.updated", "conversation.assigned", "conversation.archived", "message.created"]
PATIENT = {"FOYER_WEBHOOK_RETRY_SECONDS": ",".join([*["0.3"] * 10, *["2"] * 10])}


class Hook:
    """A webhook and the path at which it is received."""

    def __init__(self, world: "World", webhook: Wire, path: str) -> None:
        self.world = world
        self.id: str = webhook["id"]
        self.secret: str = webhook["secret"]
        self.path = path

    def call(self, method: str, **arguments: Any) -> Any:
        return self.world.call(method, webhook_id=self.id, **arguments)

    def resource(self) -> Wire:
        found: Wire = self.call("get_webhook")
        return found

    def change(self, **changes: Any) -> Wire:
        changed: Wire = self.call("update_webhook", changes=changes, actor=ADMIN)
        return changed

    def received(self) -> list[Received]:
        return self.world.receiver.at(self.path)

    def wait_for(self, count: int, timeout: float = 30.0) -> list[Received]:
        return self.world.receiver.wait_for(self.path, count, timeout)

    def texts(self) -> list[str]:
        """What messages say, by the first arrival of each delivery."""
        first = {each.id: each for each in reversed(self.received())}
        return [each.json["data"]["text"] for each in reversed(first.values())]

    def log(self, **arguments: Any) -> list[Wire]:
        items: list[Wire] = self.call("list_deliveries", limit=100, **arguments)["items"]
        return items

    def wait_log(self, state: str, count: int, timeout: float = 30.0) -> list[Wire]:
        """The log's deliveries in a state, once they are that many."""
        return wait_until(
            lambda: found if len(found := self.log(state=state)) >= count else [],
            timeout,
            what=f"{count} deliveries {state}",
        )


class World:
    """Messaging and a receiver."""

    def __init__(self, stack: Stack, rpc: RpcClient, receiver: Receiver) -> None:
        self.stack = stack
        self.rpc = rpc
        self.receiver = receiver

    def start(self, instance: str = "messaging", **extra: str) -> None:
        """A replica, healthy."""
        process = self.stack.start_service("messaging", instance=instance, extra=SETTINGS | extra)
        wait_for_service(self.rpc, "messaging", process)

    def call(self, method: str, **arguments: Any) -> Any:
        return self.rpc.call("messaging", method, **arguments)

    def converse(self, messaging: Messaging, channel_id: str, *texts: str) -> Wire:
        """A visitor's conversation with these messages."""
        contact_id, conversation = messaging.begin(channel_id)
        for text in texts:
            messaging.say(contact_id, text)
        return conversation

    def hook(self, *events: str, path: str | None = None, **more: Any) -> Hook:
        path = path or f"/{new_id()}"
        made = self.call(
            "create_webhook", url=self.receiver.url(path), events=list(events or ["message.created"]), actor=ADMIN, **more
        )
        return Hook(self, made, path)

    def let_leases_run_out(self) -> None:
        """As a minute would."""
        past = now() - timedelta(seconds=1)
        lanes = self.stack.mongo("messaging").webhook_deliveries_lanes
        lanes.update_many({"leased_until": {"$ne": None}}, {"$set": {"leased_until": past, "due": past}})


stack = pytest.fixture(parts.stack, scope="session")
rpc = pytest.fixture(patient_rpc, scope="session")
announcer = pytest.fixture(parts.announcer, scope="session")


receiver = pytest.fixture(running_receiver, scope="session")


@pytest.fixture(scope="session")
def whole_world(stack: Stack, rpc: RpcClient, receiver: Receiver) -> World:
    world = World(stack, rpc, receiver)
    world.start()
    return world


@pytest.fixture
def world(whole_world: World) -> Iterator[World]:
    """Messaging, running; the webhooks of a test end with it."""
    if not whole_world.stack.services["messaging"].running:
        whole_world.start()
    yield whole_world
    webhooks = whole_world.stack.mongo("messaging").webhooks
    webhooks.update_many({"deleted": False}, {"$set": {"deleted": True, "enabled": False}})


@pytest.fixture
def messaging(world: World) -> Messaging:
    return Messaging(world.rpc)


@pytest.fixture
def quiet(messaging: Messaging) -> str:
    """A channel without a bot."""
    return messaging.new_channel(flow=None)


@pytest.fixture
def store(stack: Stack, world: World) -> MessagingStore:
    """The replicas' database, to write to between two of their steps."""
    return MessagingStore(stack.mongo("messaging"), NoRelay())
