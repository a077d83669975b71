"""The product with everything given: each process signs in as itself, and has only the rights that it needs."""

import time
from collections.abc import Iterator

import pytest

from deploy.local.process import ChildProcess
from tests.e2e.conftest import make_channel
from tests.support.parts import running
from tests.support.product import Agent, Gateway, Visitor
from tests.support.secured import SecuredProduct
from tests.support.waiting import wait_until


@pytest.fixture(scope="module", params=["classic", "quorum"])
def secured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredProduct]:
    with running(SecuredProduct(tmp_path_factory.mktemp("secured"), FOYER_QUEUE_TYPE=request.param)) as product:
        yield product


@pytest.fixture(scope="module")
def door(secured: SecuredProduct) -> Gateway:
    return secured.start_gateway()


def test_visitor_reaches_an_agent_when_every_process_has_its_own_rights(secured: SecuredProduct, door: Gateway) -> None:
    admin = door.sign_in()
    agent = Agent(door, admin, "Ada Park")
    channel_id = make_channel(door, admin)
    agents_stream = agent.watch()
    wait_until(lambda: agent.ask("GET", f"/v1/agents/{agent.id}")["connected"])
    visitor = Visitor(door, channel_id)
    visitors_stream = visitor.watch()
    visitor.pass_bot()
    agents_stream.wait_for("conversation.assigned", id=visitor.conversation_id)
    visitor.say("How much is it?")
    agents_stream.wait_for("message.created", text="How much is it?")
    agent.say(visitor.conversation_id, "Ninety.")
    visitors_stream.wait_for("message.created", text="Ninety.")
    wait_until(lambda: agent.ask("GET", f"/v1/contacts/{visitor.contact_id}")["name"] == "Mia Lund")
    agents_stream.close()
    visitors_stream.close()

    kinds = {queue["name"]: queue["type"] for queue in secured.keys.management().get("queues", "foyer")}
    wanted = secured.extra["FOYER_QUEUE_TYPE"]
    assert {kinds[f"rpc-{name}"] for name in ("messaging", "contacts")} == {wanted}
    assert {kinds["events.messaging"], kinds["events.contacts.dead"]} == {wanted}

    def connected() -> set[str]:
        """Whose connections there are; the management interface learns of them by and by."""
        return {connection.get("user", "") for connection in secured.keys.management().get("connections")}

    wait_until(lambda: connected() == {"messaging", "presence", "assignment", "contacts", "gateway"}, 30)
    for process in secured.services.values():
        assert "ACCESS_REFUSED" not in process.log_path.read_text()
        assert "left out" not in process.log_path.read_text()


def test_product_comes_back_by_itself_when_the_broker_was_killed(secured: SecuredProduct, door: Gateway) -> None:
    admin = door.sign_in()
    agent = Agent(door, admin)
    visitor = Visitor(door, make_channel(door, admin))
    stream = agent.watch()
    # Without its guest the local runner's own way of waiting for it is closed.
    secured.broker.kill()
    secured.broker.launch()
    door.wait_ready()

    def said() -> bool:
        return visitor.gateway.send("POST", "/v1/widget/messages", MESSAGE, token=visitor.token).ok

    wait_until(said, 60)
    stream.wait_for("message.created", text=MESSAGE["text"], timeout=30)
    stream.close()


@pytest.mark.slow
def test_service_is_said_to_be_gone_at_once_when_its_queue_has_expired(secured: SecuredProduct, door: Gateway) -> None:
    """x-expires and the mandatory return, under both kinds of queues."""
    contacts: ChildProcess = secured.services["contacts"]
    admin = door.sign_in()
    contacts.stop()

    def refused_at_once() -> bool:
        began = time.monotonic()
        answer = door.send("GET", "/v1/contacts", token=admin)
        return answer.status_code == 503 and "is not running" in answer.text and time.monotonic() - began < 2.5

    wait_until(refused_at_once, 90, interval=1.0)
    contacts.start()
    wait_until(lambda: door.send("GET", "/v1/contacts", token=admin).ok, 30)


MESSAGE = {"text": "Are you still there?", "client_message_id": "01JEXAMPLE00000000000000AA"}
