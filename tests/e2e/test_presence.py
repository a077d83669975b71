"""Agents' connections as everybody sees them: tabs, reloads, and gateways that are killed."""

from typing import Any

import pytest

from tests.e2e.conftest import candidate, decisions, make_desk, simulate
from tests.support import parts
from tests.support.product import Agent, Gateway, Product, Stream, Visitor
from tests.support.waiting import wait_until
from tests.support.websocket import websocket

# Whole leases and graces are waited through, in a product that has short ones.
pytestmark = pytest.mark.slow

LEASE_SECONDS = 4
GRACE_SECONDS = 6  # what happens within a grace must fit into it also on a busy machine
SHORTEST_ABSENCE = 10  # that a channel can be told to bear
RUN_OUT_SECONDS = 30.0


product = pytest.fixture(
    parts.product(FOYER_LEASE_SECONDS=str(LEASE_SECONDS), FOYER_GRACE_SECONDS=str(GRACE_SECONDS)), scope="module"
)
gateway = pytest.fixture(parts.gateway, scope="module")
admin = pytest.fixture(parts.admin, scope="module")


def states(agent: Agent) -> list[tuple[str, str]]:
    """Kind and state of each of the agent's connections."""
    return sorted((connection["kind"], connection["state"]) for connection in agent.presence()["connections"])


def standing(agent: Agent) -> tuple[bool, bool]:
    """Connected, reachable."""
    shown = agent.presence()
    return shown["connected"], shown["reachable"]


def turns(stream: Stream, agent: Agent) -> list[bool]:
    """Each `connected` of the agent that a colleague's stream told."""
    return [told["connected"] for told in stream.named("agent.updated") if told["id"] == agent.id]


def test_agent_stays_connected_when_two_of_three_streams_close_and_not_when_the_last_does(gateway: Gateway, admin: str) -> None:
    colleague = Agent(gateway, admin, "Colleague").watch()
    agent = Agent(gateway, admin, "Many tabs")
    first, second = agent.watch(), agent.watch()
    with websocket(gateway, "/v1/events/ws", agent.token):
        wait_until(lambda: states(agent) == [("sse", "open"), ("sse", "open"), ("ws", "open")], what="three streams")
        first.close()
    wait_until(lambda: states(agent) == [("sse", "grace"), ("sse", "open"), ("ws", "grace")], what="two that were closed")
    wait_until(lambda: states(agent) == [("sse", "open")], RUN_OUT_SECONDS, what="the end of both")
    assert standing(agent) == (True, True)
    assert turns(colleague, agent) == [True]

    second.close()

    wait_until(lambda: standing(agent) == (True, False), what="the grace")
    wait_until(lambda: standing(agent) == (False, False), RUN_OUT_SECONDS, what="the end of the last")
    shown = agent.presence()
    assert shown["connections"] == []
    assert [(change["connected"], change["cause"]) for change in shown["recent_changes"]] == [
        (False, "stream_closed"),
        (True, "stream_opened"),
    ]
    assert shown["last_change"] == shown["recent_changes"][0]
    colleague.wait_for("agent.updated", id=agent.id, connected=False)
    assert turns(colleague, agent) == [True, False]
    colleague.close()


def test_colleagues_are_told_nothing_when_a_page_is_reloaded_within_the_grace(gateway: Gateway, admin: str) -> None:
    colleague = Agent(gateway, admin, "Colleague")
    colleagues_stream = colleague.watch()
    agent = Agent(gateway, admin, "Reloader")
    page = agent.watch()
    colleagues_stream.wait_for("agent.updated", id=agent.id, connected=True)
    before = agent.presence()
    told = len(colleagues_stream.events)

    page.close()
    wait_until(lambda: standing(agent) == (True, False), what="the page's end")
    assert "econnecting" in agent.presence()["explanation"]
    page = agent.watch()
    wait_until(lambda: states(agent) == [("sse", "grace"), ("sse", "open")], what="the reloaded page")
    wait_until(lambda: states(agent) == [("sse", "open")], RUN_OUT_SECONDS, what="the end of the grace")

    after = agent.presence()
    assert (after["connected"], after["reachable"]) == (True, True)
    assert after["last_change"] == before["last_change"]
    assert (after["last_change"]["cause"], after["last_change"]["connected"]) == ("stream_opened", True)
    assert after["connections"][0]["id"] != before["connections"][0]["id"]
    # What comes after all that could have been told: so nothing of it is still under way.
    colleague.ask("PATCH", "/v1/agents/me", {"availability": "busy"})
    colleagues_stream.wait_for("agent.updated", id=colleague.id, availability="busy")
    assert [event for event in colleagues_stream.events[told:] if agent.id in event.data] == []
    for stream in (page, colleagues_stream):
        stream.close()


def test_agent_in_grace_is_not_chosen_until_it_is_back(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Reloader")
    channel_id = make_desk(gateway, admin, agents=[agent.id])

    def obstacle() -> Any:
        return candidate(simulate(gateway, admin, channel_id), agent.id).get("reason")

    page = agent.watch()
    wait_until(lambda: simulate(gateway, admin, channel_id)["outcome"] == "assigned", what="an eligible agent")
    page.close()
    wait_until(lambda: obstacle() == "reconnecting", GRACE_SECONDS, what="the news of the closed page")

    visitor = Visitor(gateway, channel_id)

    [decision] = wait_until(lambda: decisions(gateway, admin, visitor.conversation_id), what="the decision")
    assert (decision["action"], candidate(decision, agent.id)["reason"]) == ("queued", "reconnecting")
    page = agent.watch()
    page.wait_for("conversation.assigned", id=visitor.conversation_id)
    page.close()


@pytest.mark.timeout(180)
def test_conversations_that_wait_for_an_answer_find_another_agent_when_all_gateways_are_killed(
    product: Product, gateway: Gateway, admin: str
) -> None:
    second = product.start_gateway("second")
    ann, ben = Agent(gateway, admin, "Ann"), Agent(gateway, admin, "Ben")
    channel_id = make_desk(gateway, admin, agents=[ann.id, ben.id])
    borne = {"reassignment": {"disconnected_after_seconds": SHORTEST_ABSENCE}}
    gateway.ask("PATCH", f"/v1/channels/{channel_id}", borne, token=admin)
    streams = [ann.watch(), Stream(second, "/v1/events", ann.token)]
    waiting, answered = Visitor(gateway, channel_id), Visitor(second, channel_id)
    for visitor in (waiting, answered):
        streams[0].wait_for("conversation.assigned", id=visitor.conversation_id)
    ann.say(answered.conversation_id, "Here you are.")
    assert conversation(ann, waiting)["awaiting_answer_since"] is not None
    wait_until(lambda: conversation(ann, answered)["awaiting_answer_since"] is None, what="the answer")

    for killed in (gateway, second):
        killed.process.kill()
    for stream in streams:  # which would look for the killed ones for ever
        stream.close()
    third = product.start_gateway("third")
    ann.gateway = ben.gateway = third

    wait_until(lambda: not ann.presence()["connected"], RUN_OUT_SECONDS, what="the end of the leases")
    shown = ann.presence()
    assert (shown["connections"], shown["last_change"]["cause"]) == ([], "lease_expired")

    wait_until(lambda: assignment(ben, waiting)["state"] == "queued", RUN_OUT_SECONDS, what="the return to the line")
    assert assignment(ben, waiting)["returned"]
    returned = decisions(third, admin, waiting.conversation_id)[0]
    assert (returned["action"], returned["rule"]) == ("requeued", "agent_disconnected")
    assert "Ann" in returned["reason"]
    wait_until(lambda: conversation(ben, waiting)["queue"], what="its place, as agents see it")
    assert assignment(ben, answered)["assignee"]["id"] == ann.id

    stream = ben.watch()
    stream.wait_for("conversation.assigned", id=waiting.conversation_id)
    history = decisions(third, admin, waiting.conversation_id)
    assert [(decision["action"], (decision["assignee"] or {}).get("id")) for decision in history] == [
        ("assigned", ben.id),
        ("requeued", None),
        ("assigned", ann.id),
    ]
    assert assignment(ben, answered)["assignee"]["id"] == ann.id
    stream.close()
    third.process.stop()
    gateway.start()


def conversation(agent: Agent, visitor: Visitor) -> dict[str, Any]:
    found: dict[str, Any] = agent.ask("GET", f"/v1/conversations/{visitor.conversation_id}")
    return found


def assignment(agent: Agent, visitor: Visitor) -> dict[str, Any]:
    found: dict[str, Any] = agent.ask("GET", f"/v1/conversations/{visitor.conversation_id}/assignee")
    return found
