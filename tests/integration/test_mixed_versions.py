"""Two versions side by side: what a later one says more is passed over by this one's services and gateway, and nothing is lost."""

import sys
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped, unused-ignore]
import pytest

from deploy.compatibility.snapshot import last_release
from deploy.local.process import ChildProcess
from services.common.amqp import close_quietly, connect
from services.common.ids import new_id
from services.common.topology import dead_letter_queue, event_exchange, event_queue
from services.common.wire import decode_object
from tests.e2e.conftest import make_channel
from tests.support import parts
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.product import SERVICES, Agent, Gateway, Product, Visitor
from tests.support.waiting import wait_until


class TwoVersions(Product):
    """Every service as of a later version; beside it, this version's of two, so that calls and events reach either of them."""

    def start(self) -> None:
        super(Product, self).start()
        for name in SERVICES:
            later = ChildProcess(
                f"{name}-later",
                [sys.executable, "-m", "tests.integration.later_process", name],
                environment=self.environment,
                log_path=self.folder / f"{name}-later.log",
            )
            later.start()
            self.services[f"{name}-later"] = later
        for name in ("contacts", "presence"):
            self.start_service(name)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoVersions]:
    with parts.running(TwoVersions(tmp_path_factory.mktemp("versions"))) as product:
        yield product


@pytest.fixture(scope="module")
def collector(product: TwoVersions) -> Iterator[Collector]:
    with parts.collecting(product.settings) as collector:
        yield collector


@pytest.fixture(scope="module")
def announcer(product: TwoVersions) -> Iterator[Announcer]:
    with parts.announcing(product.settings) as announcer:
        yield announcer


@pytest.fixture(scope="module")
def gateway(product: TwoVersions, collector: Collector) -> Gateway:
    return product.start_gateway()


admin = pytest.fixture(parts.admin, scope="module")


def put_aside(product: TwoVersions, *services: str) -> list[Any]:
    """What these services could not handle."""
    letters = DeadLetters(product.settings)
    return [letter for service in services for letter in letters.take(service)]


def test_story_is_whole_when_every_service_says_more_than_the_others_know(
    product: TwoVersions, gateway: Gateway, admin: str, collector: Collector
) -> None:
    channel_id = make_channel(gateway, admin)
    agent = Agent(gateway, admin, "Ada Park")
    ticket = agent.ask("POST", "/v1/events/ticket")["ticket"]
    with gateway._http.get(f"{gateway.url}/v1/events?ticket={ticket}", stream=True, timeout=10) as opened:
        assert opened.status_code == 200
    stream = agent.watch()
    team = gateway.ask("POST", "/v1/teams", {"name": "Sales", "agent_ids": [agent.id]}, token=admin)
    wait_until(lambda: agent.ask("GET", f"/v1/agents/{agent.id}")["connected"])
    visitor = Visitor(gateway, channel_id, address="8.8.8.8")
    watched = visitor.watch()
    visitor.pass_bot()
    assert stream.wait_for("conversation.assigned", id=visitor.conversation_id)["assignee"]["id"] == agent.id
    visitor.say("How much is it?")
    said = agent.say(visitor.conversation_id, "Ninety.")
    assert said["author"]["later"]["since"] == "a later version"  # so messaging is a later one, and its results pass
    assert watched.wait_for("message.created", text="Ninety.")["author"] == {"kind": "agent", "name": "Ada Park"}
    contact_path = f"/v1/contacts/{visitor.contact_id}"
    agent.ask("POST", f"{contact_path}/notes", {"text": "Wants a quote.", "highlighted": True})
    agent.ask("POST", f"{contact_path}/tickets", {"subject": "A quote", "assignee_id": agent.id})
    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"name": "Ada Lark"}, token=admin)
    gateway.ask("PATCH", f"/v1/channels/{channel_id}", {"name": "Store"}, token=admin)
    gateway.ask("DELETE", f"/v1/teams/{team['id']}", token=admin)
    conversation = f"/v1/conversations/{visitor.conversation_id}"
    wait_until(lambda: agent.ask("GET", conversation)["contact"]["name"] == "Mia Lund")
    wait_until(lambda: agent.ask("GET", conversation)["assignee"]["name"] == "Ada Lark")
    wait_until(lambda: agent.ask("GET", conversation)["channel"]["name"] == "Store")
    wait_until(lambda: agent.ask("GET", contact_path)["fields"].get("topic") == "quote")
    wait_until(lambda: agent.ask("GET", f"/v1/agents/{agent.id}")["active_conversations"] == 1)
    agent.archive(visitor.conversation_id)
    wait_until(lambda: agent.ask("GET", f"/v1/agents/{agent.id}")["active_conversations"] == 0)
    gateway.ask("DELETE", contact_path, token=admin)
    wait_until(lambda: agent.ask("GET", conversation)["contact"]["name"] not in ("Mia Lund", None))
    for client in (stream, watched):
        client.close()
    assert put_aside(product, *SERVICES) == []
    later = [event for event in collector.found() if "later" in event]
    assert {event["source"] for event in later} >= {"messaging", "assignment"}  # the two that tell each other most


def test_events_hold_what_the_contract_says(collector: Collector, admin: str) -> None:
    _, contract = last_release()
    components = {name: with_references(shape) for name, shape in contract["components"].items()}
    told = collector.found()
    assert len({event["type"] for event in told}) > 20
    for event in told:
        described = contract["events"][f"{event['source']}.{event['type']}"]["data"]
        jsonschema.validate(event["data"], with_references(described) | {"components": components})


def with_references(shape: Any) -> Any:
    """A shape as a JSON schema: its components are found."""
    if isinstance(shape, list):
        return [with_references(each) for each in shape]
    if not isinstance(shape, dict):
        return shape
    return {
        key: f"#/components/{value}" if key == "$ref" and isinstance(value, str) else with_references(value)
        for key, value in shape.items()
    }


def test_words_of_a_later_version_are_read_as_what_they_come_to(
    product: TwoVersions, gateway: Gateway, admin: str, announcer: Announcer
) -> None:
    channel_id = make_channel(gateway, admin)
    agent = Agent(gateway, admin, "Bea")
    stream = agent.watch()
    wait_until(lambda: agent.ask("GET", f"/v1/agents/{agent.id}")["connected"])
    visitor = Visitor(gateway, channel_id)
    ids = {"conversation_id": visitor.conversation_id, "channel_id": channel_id, "contact_id": visitor.contact_id}
    hand = {"kind": "integration", "id": new_id(), "name": "Zap", "scope": "all"}
    wanted = ids | {"strategy": "skills", "priority": "urgent", "agents": [agent.id], "requested_by": hand, "skills": ["fr"]}
    announcer.publish("messaging", "assignment_requested", wanted, entity=("conversation", visitor.conversation_id, 1_000))
    stream.wait_for("conversation.assigned", id=visitor.conversation_id)
    decision = agent.ask("GET", f"/v1/conversations/{visitor.conversation_id}/assignments")["items"][0]
    assert decision["assignee"]["id"] == agent.id
    assert decision["ordering"][0] == "load"  # as `least_busy` orders

    state = {
        "conversation_id": visitor.conversation_id,
        "state": "assigned",
        "outcome": "borrowed",
        "assignee": {"id": agent.id, "name": "Bea", "team": "lent"},
        "conversation_version": 2_000,
        "changed_at": "2026-11-24T12:00:00.000Z",
        "decision": None,
        "queue_position": None,
    }
    announcer.publish("assignment", "assignment_changed", state, entity=("assignment", visitor.conversation_id, 1_000))
    conversations = product.mongo("messaging").conversations
    wait_until(lambda: conversations.find_one({"_id": visitor.conversation_id, "assignment_version": 1_000}))
    shown = agent.ask("GET", f"/v1/conversations/{visitor.conversation_id}")
    assert (shown["handler"], shown["assignee"]["id"]) == ("agent", agent.id)

    resource = agent.ask("GET", f"/v1/agents/{agent.id}") | {"availability": "lunch", "role": "supervisor"}
    announcer.publish("presence", "agent_updated", resource, entity=("agent", agent.id, 1_000))
    known = product.mongo("assignment").agents
    wait_until(lambda: known.find_one({"_id": agent.id, "availability": "lunch", "role": "supervisor"}))
    stream.close()
    assert put_aside(product, *SERVICES) == []


def test_gateway_passes_over_events_of_a_later_version(gateway: Gateway, admin: str, announcer: Announcer) -> None:
    agent = Agent(gateway, admin, "Cai")
    stream = agent.watch()
    announcer.publish("messaging", "message_translated", {"id": "m", "text": "Hallo"}, entity=("message", "m", 1))
    announcer.publish("messaging", "channel_deleted", {"id": "gone", "by": {"kind": "retention"}}, entity=("channel", "gone", 1))
    assert stream.wait_for("channel.deleted", id="gone")["by"] == {"kind": "retention"}
    assert stream.named("message.translated") == []
    stream.close()


def test_event_is_kept_aside_when_a_later_version_alone_subscribed_to_it(
    product: TwoVersions, gateway: Gateway, announcer: Announcer
) -> None:
    """The binding is there as soon as the later version's first replica has started, and both share the queue."""
    connection = connect(product.settings.amqp_uri)
    with connection.channel() as channel:
        channel.queue_bind(event_queue("contacts"), event_exchange("messaging"), "message_translated")
    close_quietly(connection)
    event = announcer.publish("messaging", "message_translated", {"id": "m"}, entity=("message", "m", 1))
    [(headers, body)] = wait_until(lambda: put_aside(product, "contacts"), what=dead_letter_queue("contacts"))
    assert headers["x-foyer-reason"] == "unknown_type"
    assert decode_object(body)["id"] == event


def test_documents_of_a_later_version_are_read_when_they_hold_more(product: TwoVersions, gateway: Gateway, admin: str) -> None:
    channel_id = make_channel(gateway, admin)
    agent = Agent(gateway, admin, "Dag")
    stream = agent.watch()
    visitor = Visitor(gateway, channel_id)
    visitor.pass_bot()
    assignments, agents = product.mongo("assignment").assignments, product.mongo("presence").agents
    wait_until(lambda: assignments.find_one({"_id": visitor.conversation_id, "state": "assigned"}))
    more = {"later": True, "agent.later": {"team": 1}}
    assignments.update_one({"_id": visitor.conversation_id}, {"$set": more})
    agents.update_one({"_id": agent.id}, {"$set": {"later": 1, "connections.$[].later": 1, "connection_changes.$[].later": 1}})
    agents.update_one({"_id": agent.id}, {"$inc": {"version": 1}})
    assert agent.presence()
    agent.archive(visitor.conversation_id)
    closed = {"_id": visitor.conversation_id, "state": "closed", "later": True}  # what this version doesn't know, it keeps
    wait_until(lambda: assignments.find_one(closed))
    stream.close()
    assert put_aside(product, *SERVICES) == []
