"""Teams, hands and the line over HTTP, with the four services behind."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from marshmallow import Schema

from gateway.schemas import assignments, presence, teams
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from tests.service.gateway.conftest import ADMIN, PASSWORD, RunningGateway
from tests.support.waiting import wait_until

CLOSED = {"time_zone": "Europe/Berlin", "weekly": {}}
HANDOVER = {
    "start": "hello",
    "blocks": {
        "hello": {"type": "buttons", "text": "Hi", "options": [{"label": "A human", "value": "human", "next": "handover"}]},
        "handover": {"type": "assign", "unavailable": "sorry"},
        "sorry": {"type": "message", "text": "Nobody is here.", "next": None},
    },
}


@dataclass
class Person:
    """Somebody signed in, and their requests."""

    gateway: RunningGateway
    id: str
    token: str

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return self.gateway.send(method, path, body, token=self.token)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        response = self.send(method, path, body)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None


def sign_in(gateway: RunningGateway, rpc: RpcClient, role: str = "agent") -> Person:
    account = {"email": f"{new_id()}@example.com", "password": PASSWORD}
    agent = rpc.call("presence", "create_agent", timeout=15, name="Ada", role=role, actor=ADMIN, **account)
    return Person(gateway, agent["id"], gateway.send("POST", "/v1/auth/token", account).json()["access_token"])


@pytest.fixture(scope="module")
def admin(gateway: RunningGateway, rpc: RpcClient) -> Person:
    return sign_in(gateway, rpc, "admin")


@pytest.fixture(scope="module")
def agents(gateway: RunningGateway, rpc: RpcClient) -> list[Person]:
    return [sign_in(gateway, rpc) for _ in range(2)]


def assert_described(schema: type[Schema], answer: Any) -> None:
    """The answer is what the OpenAPI document says."""
    assert schema().validate(answer) == {}


def make_channel(admin: Person, **values: Any) -> str:
    return str(admin.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"} | values)["id"])


def visit(gateway: RunningGateway, channel_id: str) -> tuple[Person, str]:
    """A new visitor, and their conversation."""
    session = gateway.send("POST", f"/v1/widget/{channel_id}/session", {"url": "https://shop.example/"}).json()
    return Person(gateway, session["contact"]["id"], session["visitor_token"]), session["conversation"]["id"]


def test_team_is_kept_by_admins_seen_by_agents_and_checked_in_flows(admin: Person, agents: list[Person]) -> None:
    one, other = agents
    name = f"Sales {new_id()}"
    assert one.send("POST", "/v1/teams", {"name": name}).json()["code"] == "FORBIDDEN"
    team = admin.ask("POST", "/v1/teams", {"name": name, "agent_ids": [one.id]})
    assert_described(teams.TeamSchema, team)
    path = f"/v1/teams/{team['id']}"
    assert admin.send("POST", "/v1/teams", {"name": name.upper()}).json()["code"] == "TEAM_NAME_TAKEN"
    assert admin.ask("PUT", f"{path}/agents/{other.id}")["agent_ids"] == [one.id, other.id]
    assert admin.ask("DELETE", f"{path}/agents/{one.id}")["agent_ids"] == [other.id]
    assert admin.send("PUT", f"{path}/agents/nobody").json()["code"] == "AGENT_NOT_FOUND"
    assert admin.send("PATCH", path, {"agent_ids": ["nobody"]}).json()["errors"].keys() == {"agent_ids"}
    assert one.ask("GET", path)["agent_ids"] == [other.id]

    channel_id = make_channel(admin)
    handover = {"handover": {"type": "assign", "team": team["id"]}}
    flow = {"start": "hello", "blocks": {"hello": HANDOVER["blocks"]["hello"]} | handover}  # type: ignore[index]
    admin.ask("PUT", f"/v1/channels/{channel_id}/flow", flow)
    admin.ask("DELETE", path)
    assert admin.send("GET", path).json()["code"] == "TEAM_NOT_FOUND"
    refused = admin.send("PUT", f"/v1/channels/{channel_id}/flow", flow).json()
    assert (refused["code"], list(refused["errors"])) == ("INVALID_FLOW", ["blocks.handover.team"])


def test_one_of_two_hands_wins_and_the_other_is_told_who(gateway: RunningGateway, admin: Person, agents: list[Person]) -> None:
    _, conversation_id = visit(gateway, make_channel(admin))
    path = f"/v1/conversations/{conversation_id}/assignee"

    def take(agent: Person) -> Any:
        return agent.send("PUT", path, {"agent_id": agent.id, "expected_assignee_id": None})

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(take, agents))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    won, lost = sorted(answers, key=lambda answer: int(answer.status_code))
    winner = next(agent for agent, answer in zip(agents, answers, strict=True) if answer is won)
    loser = next(agent for agent in agents if agent is not winner)
    assert won.json()["assignee"]["id"] == winner.id
    assert (lost.json()["code"], lost.json()["assignee"]["id"]) == ("ALREADY_ASSIGNED", winner.id)
    assert loser.send("DELETE", f"{path}?expected_assignee_id={loser.id}").json()["assignee"]["id"] == winner.id
    moved = loser.ask("PUT", path, {"agent_id": loser.id, "expected_assignee_id": winner.id, "remark": "Mine."})
    assert moved["assignee"]["id"] == loser.id
    assert_described(assignments.AssignmentSchema, moved)
    assert loser.ask("DELETE", path)["state"] == "unassigned"
    history = loser.ask("GET", f"/v1/conversations/{conversation_id}/assignments")
    assert_described(assignments.DecisionPageSchema, history)
    assert [decision["remark"] for decision in history["items"]] == [None, "Mine.", None]


def test_visitor_who_stops_waiting_is_out_of_the_line_and_with_the_bot_again(gateway: RunningGateway, admin: Person) -> None:
    visitor, conversation_id = visit(gateway, make_channel(admin))
    nobody = admin.ask("POST", "/v1/teams", {"name": f"Nobody {new_id()}"})["id"]
    admin.ask("POST", f"/v1/conversations/{conversation_id}/assign", {"team": nobody, "priority": "low"})

    def waiting() -> Any:
        return [item for item in admin.ask("GET", "/v1/queue?limit=100")["items"] if item["conversation_id"] == conversation_id]

    (item,) = wait_until(waiting, what="the place in line")
    assert_described(assignments.QueueItemSchema, item)
    assert (item["priority"], item["team_id"], item["agents"], item["contact_id"]) == ("low", nobody, None, visitor.id)
    place = wait_until(lambda: visitor.ask("GET", "/v1/widget/conversation")["queue"], what="the visitor's place in line")
    assert place == {"position": place["position"], "estimated_wait_seconds": None}
    assert visitor.ask("DELETE", "/v1/widget/queue") == {"state": "unassigned", "queue_position": None}
    assert not waiting()
    wait_until(lambda: visitor.ask("GET", "/v1/widget/conversation")["handler"] == "bot", what="the bot's return")
    assert visitor.ask("DELETE", "/v1/widget/queue") == {"state": "unassigned", "queue_position": None}


def test_simulation_says_that_the_channel_is_closed_and_who_would_be_asked(admin: Person, agents: list[Person]) -> None:
    channel_id = make_channel(admin, business_hours=CLOSED)
    admin.ask("PUT", f"/v1/channels/{channel_id}/flow", HANDOVER)
    body = {"channel_id": channel_id, "agents": [agents[0].id]}
    simulated = agents[0].ask("POST", "/v1/assignment/simulate", body)
    assert (simulated["outcome"], simulated["block"], simulated["open"], simulated["opens_at"]) == (
        "unavailable",
        "handover",
        False,
        None,
    )
    assert_described(assignments.SimulationSchema, simulated)
    reasons = {candidate["agent_id"]: candidate["reason"] for candidate in simulated["candidates"]}
    assert reasons[agents[0].id] == "disconnected"
    assert {reason for agent_id, reason in reasons.items() if agent_id != agents[0].id} <= {"not_asked"}
    refused = agents[0].send("POST", "/v1/assignment/simulate", {"channel_id": channel_id, "block": "sorry"}).json()
    assert (refused["code"], list(refused["errors"])) == ("VALIDATION_FAILED", ["block"])


def test_presence_is_explained_while_a_stream_is_open(gateway: RunningGateway, admin: Person, agents: list[Person]) -> None:
    agent = agents[1]
    path = f"/v1/agents/{agent.id}/presence"
    assert admin.ask("GET", path)["connected"] is False
    with gateway.send("GET", "/v1/events", token=agent.token, stream=True):
        # It waits a second at most for presence to know of it.
        wait_until(lambda: admin.ask("GET", path)["connected"], what="the lease")
        explained = admin.ask("GET", path)
    assert_described(presence.PresenceSchema, explained)
    assert (explained["connected"], explained["reachable"]) == (True, True)
    assert [(one["kind"], one["state"]) for one in explained["connections"]] == [("sse", "open")]
    assert explained["last_change"]["cause"] == "stream_opened"
    assert admin.send("GET", "/v1/agents/nobody/presence").json()["code"] == "AGENT_NOT_FOUND"
