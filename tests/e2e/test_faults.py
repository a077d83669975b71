"""Parts killed and stopped under the people who use them: nothing lost, nothing doubled, whole again by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from services.common.ids import new_id
from tests.e2e.conftest import make_channel
from tests.support import parts
from tests.support.product import SERVICES, Agent, Gateway, Product, Visitor
from tests.support.waiting import wait_until

product = pytest.fixture(parts.product(), scope="module")
gateway = pytest.fixture(parts.gateway, scope="module")
admin = pytest.fixture(parts.admin, scope="module")


@pytest.fixture(scope="module")
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, capacity=50)


@pytest.fixture(scope="module")
def channel_id(gateway: Gateway, admin: str, agent: Agent) -> str:
    channel_id = make_channel(gateway, admin)
    flow = {"start": "a", "blocks": {"a": {"type": "assign", "agents": [agent.id]}}}
    gateway.ask("PUT", f"/v1/channels/{channel_id}/flow", flow, token=admin)
    return channel_id


def say_until_accepted(visitor: Visitor, text: str, timeout: float = 40.0) -> None:
    """Post as a client does: the same id again until it is accepted."""
    key = new_id()

    def accepted() -> bool:
        try:
            response = visitor.gateway.send(
                "POST", "/v1/widget/messages", {"text": text, "client_message_id": key}, token=visitor.token
            )
        except requests.RequestException:
            return False
        assert response.status_code in {201, 503}, response.text
        return response.status_code == 201

    wait_until(accepted, timeout, what=f"the acceptance of {text}", interval=0.1)


def test_streams_resume_exactly_once_when_the_gateway_is_killed(gateway: Gateway, agent: Agent, channel_id: str) -> None:
    visitor = Visitor(gateway, channel_id)
    agents, visitors = agent.watch(), visitor.watch()
    for number in range(5):
        say_until_accepted(visitor, f"before {number}")
    with gateway.dead():
        pass
    for number in range(5):
        say_until_accepted(visitor, f"after {number}")
    last = visitor.messages()[-1]["seq"]
    for stream in (agents, visitors):
        stream.wait_for("message.created", conversation_id=visitor.conversation_id, seq=last)
        seen = [m["seq"] for m in stream.named("message.created") if m["conversation_id"] == visitor.conversation_id]
        assert seen == list(range(1, last + 1))
        assert stream.named("reset") == []
        assert stream.connections >= 2
        stream.close()


def test_streams_resume_on_another_gateway(product: Product, gateway: Gateway, agent: Agent, channel_id: str) -> None:
    second = product.start_gateway("second")
    visitor = Visitor(gateway, channel_id)
    agents, visitors = agent.watch(), visitor.watch()
    say_until_accepted(visitor, "on the first")
    for stream in (agents, visitors):
        stream.wait_for("message.created", text="on the first")
        stream.move_to(second)
    visitor.gateway = second
    with gateway.dead():
        for number in range(3):
            say_until_accepted(visitor, f"on the second {number}")
        for stream in (agents, visitors):
            stream.wait_for("message.created", text="on the second 2")
            texts = [m["text"] for m in stream.named("message.created") if m["conversation_id"] == visitor.conversation_id]
            assert texts == ["on the first", "on the second 0", "on the second 1", "on the second 2"]
            assert stream.named("reset") == []
            stream.close()
        second.process.stop()


@contextmanager
def gone(product: Product, part: str) -> Iterator[None]:
    """Without the broker, the database or a service, which is there again at the end, whatever was seen meanwhile."""
    if part in SERVICES:
        product.services[part].kill()
    else:
        getattr(product, part).stop()
    try:
        yield
    finally:
        if part in SERVICES:
            product.start_service(part)
        else:
            getattr(product, part).start()


@pytest.mark.parametrize(("part", "code"), [("broker", "SERVICE_UNAVAILABLE"), ("database", "DATABASE_UNAVAILABLE")])
def test_api_says_503_in_time_and_is_whole_again_by_itself(
    product: Product, gateway: Gateway, agent: Agent, admin: str, channel_id: str, part: str, code: str
) -> None:
    visitor = Visitor(gateway, channel_id)
    agents, visitors = agent.watch(), visitor.watch()
    say_until_accepted(visitor, "before")
    agents.wait_for("message.created", conversation_id=visitor.conversation_id, text="before")
    with gone(product, part):
        for method, path, body, token in (
            ("POST", "/v1/widget/messages", {"text": "x", "client_message_id": new_id()}, visitor.token),
            ("GET", "/v1/conversations", None, admin),
            ("POST", "/v1/auth/token", {"email": "a@example.org", "password": "some password"}, None),
        ):
            started = time.monotonic()
            response = gateway.send(method, path, body, token=token)
            assert time.monotonic() - started < 6  # the call's 3 s, and what a busy machine adds
            assert response.status_code == 503, response.text
            assert response.json()["code"] in {code, "SERVICE_UNAVAILABLE"}
            assert int(response.headers["Retry-After"]) >= 1
        readiness = gateway.send("GET", "/readyz")
        assert readiness.status_code == 503
        if part == "database":
            assert [health.get("database") for health in readiness.json()["services"].values()] == [False] * len(SERVICES)
        assert gateway.send("GET", "/healthz").status_code == 200
        serving = gateway.send("GET", "/healthz/serving")
        assert (serving.status_code, serving.json()["status"]) == ((503, "disconnected") if part == "broker" else (200, "ok"))
    gateway.wait_ready()
    say_until_accepted(visitor, "after")
    for stream in (agents, visitors):
        stream.wait_for("message.created", conversation_id=visitor.conversation_id, text="after", timeout=30)
        texts = [m["text"] for m in stream.named("message.created") if m["conversation_id"] == visitor.conversation_id]
        assert texts == ["before", "after"]
        stream.close()


@pytest.mark.parametrize("name", SERVICES)
def test_conversations_go_on_when_a_service_is_killed(
    product: Product, gateway: Gateway, agent: Agent, channel_id: str, name: str
) -> None:
    stream = agent.watch()
    with gone(product, name):  # what is told of it may be a second old
        wait_until(lambda: gateway.send("GET", "/readyz").status_code == 503, what="the absence told")
    gateway.wait_ready()
    visitor = Visitor(gateway, channel_id)
    stream.wait_for("conversation.assigned", id=visitor.conversation_id, timeout=30)
    say_until_accepted(visitor, f"{name} is back")
    stream.wait_for("message.created", conversation_id=visitor.conversation_id, text=f"{name} is back")
    stream.close()


def test_agent_stays_connected_while_one_stream_lives_and_not_after_the_last(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Many tabs")

    def connected() -> bool:
        return bool(gateway.ask("GET", f"/v1/agents/{agent.id}", token=admin)["connected"])

    assert not connected()
    first, second = agent.watch(), agent.watch()
    wait_until(connected)
    watcher = Agent(gateway, admin, "Watcher").watch()
    first.close()
    agent.ask("PATCH", "/v1/agents/me", {"availability": "busy"})
    update = watcher.wait_for("agent.updated", id=agent.id, availability="busy")
    assert update["connected"]
    second.close()
    watcher.wait_for("agent.updated", id=agent.id, connected=False, timeout=20)
    assert not connected()
    assert gateway.ask("GET", f"/v1/agents/{agent.id}", token=admin)["availability"] == "busy"
    watcher.close()
