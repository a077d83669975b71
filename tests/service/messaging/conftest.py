"""The messaging service with a channel and the small words that its tests are told in."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.process import ChildProcess
from services.common.amqp import close_quietly, connect
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from services.common.times import now, to_wire
from services.common.topology import rpc_queue
from services.messaging.store import MessagingStore
from tests.service.conftest import Service
from tests.support.events import Announcer
from tests.support.relay import NoRelay
from tests.support.stack import Stack
from tests.support.waiting import wait_until
from tests.unit.messaging.flows import ACME

ADMIN = {"kind": "agent", "id": "admin", "name": "Ada", "role": "admin"}
NEVER_OPEN: dict[str, Any] = {"time_zone": "Europe/Berlin", "weekly": {}}


class Messaging:
    """Calls to messaging, with fresh contacts in one channel that has the Acme flow."""

    def __init__(self, rpc: RpcClient) -> None:
        self.rpc = rpc
        self.channel_id = self.new_channel()

    def call(self, method: str, **arguments: Any) -> Any:
        return self.rpc.call("messaging", method, **arguments)

    def new_channel(self, flow: dict[str, Any] | None = ACME, name: str = "Shop", kind: str = "web", **more: Any) -> str:
        channel = self.call("create_channel", kind=kind, name=name, actor=ADMIN, **more)
        if flow is not None:
            self.call("put_flow", channel_id=channel["id"], flow=flow, actor=ADMIN)
        return str(channel["id"])

    def begin(self, channel_id: str | None = None, name: str = "Teal Otter") -> tuple[str, dict[str, Any]]:
        contact_id = new_id()
        started = self.call(
            "start_conversation", channel_id=channel_id or self.channel_id, contact={"id": contact_id, "name": name, "version": 1}
        )
        return contact_id, started["conversation"]

    def say(
        self, contact_id: str, text: str | None = None, *, choice: str | None = None, key: str | None = None
    ) -> dict[str, Any]:
        posted: dict[str, Any] = self.call(
            "post_visitor_message", contact_id=contact_id, text=text, choice=choice, client_message_id=key or new_id()
        )
        return posted

    def answer(self, conversation_id: str, text: str, *, key: str | None = None, agent: str = "ann") -> dict[str, Any]:
        actor = {"kind": "agent", "id": agent, "name": agent.title(), "role": "agent"}
        posted: dict[str, Any] = self.call(
            "post_agent_message", conversation_id=conversation_id, text=text, client_message_id=key or new_id(), actor=actor
        )
        return posted

    def hand_over(self, contact_id: str) -> None:
        for text in ("Ann Visitor", "ann@example.org"):
            self.say(contact_id, text)
        self.say(contact_id, choice="quote")

    def change(self, channel_id: str, **changes: Any) -> dict[str, Any]:
        changed: dict[str, Any] = self.call("update_channel", channel_id=channel_id, changes=changes, actor=ADMIN)
        return changed

    def archive(self, conversation_id: str) -> Any:
        return self.call("set_status", conversation_id=conversation_id, status="archived", actor=ADMIN)

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("get_conversation", conversation_id=conversation_id)
        return found

    def messages(self, conversation_id: str, **arguments: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.call("list_messages", conversation_id=conversation_id, **arguments)["items"]
        return items


def announce_assignment(announcer: Announcer, conversation_id: str, version: int, outcome: str, **data: Any) -> None:
    """What the assignment service tells, having heard of everything unless `conversation_version` says otherwise."""
    resource: dict[str, Any] = {
        "conversation_id": conversation_id,
        "state": outcome,
        "assignee": None,
        "queue_position": None,
        "estimated_wait_seconds": None,
        "outcome": outcome,
        "conversation_version": 99,
        "changed_at": to_wire(now()),
    }
    announcer.publish("assignment", "assignment_changed", resource | data, entity=("assignment", conversation_id, version))


@pytest.fixture(scope="session")
def whole_messaging(stack: Stack, service: Service, rpc: RpcClient) -> Messaging:
    service("messaging")
    # These tests speak for the assignment service; the real one, started by its own tests, would answer beside them.
    desk = stack.services.get("assignment")
    if desk is not None and desk.running:
        desk.stop()
    return Messaging(rpc)


@pytest.fixture
def messaging(whole_messaging: Messaging, service: Service) -> Messaging:
    """The service, running: again, if a test ended it."""
    service("messaging")
    return whole_messaging


@pytest.fixture
def store(stack: Stack, messaging: Messaging) -> MessagingStore:
    """The replicas' database, to write to between two of their steps."""
    return MessagingStore(stack.mongo("messaging"), NoRelay())


@pytest.fixture
def second_replica(messaging: Messaging, stack: Stack) -> Iterator[None]:
    """Another process of the service beside the shared one, taking every other call."""
    process = stack.start_service("messaging", instance="messaging-2")
    try:
        wait_for_replicas(stack, process)
        yield
    finally:
        process.stop()


def wait_for_replicas(stack: Stack, second: ChildProcess) -> None:
    """Return once the shared process of messaging and a second one answer calls. Raises ProcessFailed when the second has ended."""
    connection = connect(stack.settings.amqp_uri)
    try:
        with connection.channel() as channel:

            def are_there() -> bool:
                second.require_running()
                consumers: int = channel.queue_declare(rpc_queue("messaging"), passive=True).consumer_count
                return consumers == 2

            wait_until(are_there, 60, what="two replicas that answer")
    finally:
        close_quietly(connection)
