"""Messaging and contacts for real, with a local Facebook on the other side; a world of its own, as it has another Graph."""

from datetime import timedelta
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from services.common.times import now
from services.messaging.store import MessagingStore
from tests.service.conftest import patient_rpc
from tests.support import parts
from tests.support.facebook import Facebook, running_facebook
from tests.support.facebook_page import Event, Page, batch
from tests.support.relay import NoRelay
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until
from tests.unit.messaging.flows import ACME

ADMIN = {"kind": "agent", "id": "admin", "name": "Ada", "role": "admin"}
Wire = dict[str, Any]


class World:
    """The services and Facebook: channels whose pages people write to."""

    def __init__(self, stack: Stack, rpc: RpcClient, facebook: Facebook) -> None:
        self.stack = stack
        self.rpc = rpc
        self.facebook = facebook

    def call(self, method: str, service: str = "messaging", **arguments: Any) -> Any:
        return self.rpc.call(service, method, **arguments)

    def start(self, instance: str = "messaging", **extra: str) -> None:
        """A replica of messaging, healthy."""
        process = self.stack.start_service("messaging", instance=instance, extra={"FOYER_GRAPH_URL": self.facebook.url, **extra})
        wait_for_service(self.rpc, "messaging", process)

    def start_again(self) -> None:
        """After a kill: whose work the dead one had under lease is free at once, as it would be after a minute."""
        self.start()
        past = now() - timedelta(seconds=1)
        for name in ("messenger_inbox", "messenger_sends", "messenger_profiles"):
            lanes = self.stack.mongo("messaging")[f"{name}_lanes"]
            lanes.update_many({"leased_until": {"$ne": None}}, {"$set": {"leased_until": past, "due": past}})

    def new_channel(self, page: Page | None = None, flow: Wire | None = ACME, **settings: Any) -> "Channel":
        page = page or self.facebook.new_page()
        created = self.call("create_channel", kind="messenger", name="Page", messenger=page.settings | settings, actor=ADMIN)
        if flow is not None:
            self.call("put_flow", channel_id=created["id"], flow=flow, actor=ADMIN)
        return Channel(self, page, created["id"])


class Channel:
    """A channel with its page."""

    def __init__(self, world: World, page: Page, channel_id: str) -> None:
        self.world = world
        self.page = page
        self.id = channel_id

    def resource(self) -> Wire:
        found: Wire = self.world.call("get_channel", channel_id=self.id)
        return found

    def change(self, **settings: Any) -> Wire:
        changed: Wire = self.world.call("update_channel", channel_id=self.id, changes={"messenger": settings}, actor=ADMIN)
        return changed

    def deliver(self, *events: Event) -> int:
        return self.deliver_body(batch(self.page.entry(*events)))

    def deliver_body(self, body: str, signature: str | None = None) -> int:
        accepted: int = self.world.call(
            "receive_messenger_webhook", channel_id=self.id, body=body, signature=signature or self.page.sign(body)
        )["accepted"]
        return accepted

    def new_visitor(self, **profile: Any) -> "Visitor":
        return Visitor(self, self.page.new_person(**profile))

    def stored(self) -> int:
        """How much of what was delivered is in the inbox, done or not."""
        return self.world.stack.mongo("messaging").messenger_inbox.count_documents({"group": self.id})

    def is_idle(self) -> bool:
        """Whether all that was delivered is done."""
        return not self.world.stack.mongo("messaging").messenger_inbox.count_documents({"group": self.id, "waiting": True})


class Visitor:
    """Somebody who writes to the page."""

    def __init__(self, channel: Channel, psid: str) -> None:
        self.channel = channel
        self.world = channel.world
        self.page = channel.page
        self.psid = psid

    def writes(self, *texts: str) -> None:
        self.channel.deliver(*(self.page.text(self.psid, text) for text in texts))

    def thread(self) -> Wire | None:
        return self.world.stack.mongo("messaging").messenger_threads.find_one({"channel_id": self.channel.id, "psid": self.psid})

    def contact_id(self) -> str:
        return str(wait_until(lambda: (self.thread() or {}).get("contact_id"), what="the thread"))

    def conversation(self) -> Wire:
        """The contact's newest conversation, once there is one."""

        def find() -> Wire:
            try:
                found: Wire = self.world.call("get_contact_conversation", contact_id=(self.thread() or {})["contact_id"])
            except (KeyError, RemoteError):
                return {}
            return found

        return wait_until(find, what="the conversation")

    def messages(self, conversation_id: str | None = None) -> list[Wire]:
        items: list[Wire] = self.world.call(
            "list_messages", conversation_id=conversation_id or self.conversation()["id"], limit=200
        )["items"]
        return items

    def wait_for(self, count: int, conversation_id: str | None = None) -> list[Wire]:
        """The conversation's messages, once they are that many."""
        conversation_id = conversation_id or self.conversation()["id"]

        def enough() -> list[Wire]:
            found = self.messages(conversation_id)
            return found if len(found) >= count else []

        return wait_until(enough, 30, what=f"{count} messages; there are {[m['text'] for m in self.messages(conversation_id)]}")

    def wait_for_state(self, seq: int, state: str, timeout: float = 15.0) -> Wire:
        """A message's delivery, once it is in that state."""
        conversation_id = self.conversation()["id"]

        def reached() -> Wire:
            deliveries = [message["delivery"] for message in self.messages(conversation_id) if message["seq"] == seq]
            return next((delivery for delivery in deliveries if delivery and delivery["state"] == state), {})

        return wait_until(reached, timeout, what=f"message {seq} {state}; {[m['delivery'] for m in self.messages()]}")

    def answer(self, text: str, agent: str = "ann") -> Wire:
        """An agent answers."""
        posted: Wire = self.world.call(
            "post_agent_message",
            conversation_id=self.conversation()["id"],
            text=text,
            client_message_id=new_id(),
            actor={"kind": "agent", "id": agent, "name": agent.title(), "role": "agent"},
        )
        return posted


stack = pytest.fixture(parts.stack, scope="session")
rpc = pytest.fixture(patient_rpc, scope="session")
collector = pytest.fixture(parts.collector, scope="session")
facebook = pytest.fixture(running_facebook, scope="session")


@pytest.fixture(scope="session")
def whole_world(stack: Stack, rpc: RpcClient, facebook: Facebook) -> World:
    world = World(stack, rpc, facebook)
    contacts = stack.start_service("contacts")
    world.start()
    wait_for_service(rpc, "contacts", contacts)
    return world


@pytest.fixture
def world(whole_world: World) -> World:
    """The services, running: again, if a test ended them."""
    if not whole_world.stack.services["messaging"].running:
        whole_world.start()
    return whole_world


@pytest.fixture
def channel(world: World) -> Channel:
    """A channel of its own, with the Acme flow."""
    return world.new_channel()


@pytest.fixture
def quiet(world: World) -> Channel:
    """A channel without a bot."""
    return world.new_channel(flow=None)


@pytest.fixture
def store(stack: Stack, world: World) -> MessagingStore:
    """The database, to look into and to move time in."""
    return MessagingStore(stack.mongo("messaging"), NoRelay())
