"""Calls to presence, and agents to make them about."""

from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from tests.support.events import Collector, Envelope

PASSWORD = "correct horse battery"
# Hashing on a busy machine takes longer than a call's usual deadline.
PATIENCE = 15.0

Agent = dict[str, Any]
Team = dict[str, Any]


class Presence:
    """The service as its callers see it."""

    def __init__(self, rpc: RpcClient, collector: Collector, admin_id: str) -> None:
        self.rpc = rpc
        self._collector = collector
        self.admin = {"kind": "agent", "id": admin_id, "name": "Admin", "role": "admin"}

    def call(self, method: str, **arguments: Any) -> Any:
        """A method's result."""
        return self.rpc.call("presence", method, timeout=PATIENCE, **arguments)

    def refusal(self, code: str, method: str, **arguments: Any) -> DomainError:
        """The error that a method must answer."""
        with pytest.raises(DomainError) as raised:
            self.call(method, **arguments)
        assert raised.value.error_code == code, raised.value.text
        return raised.value

    def make_agent(self, **values: Any) -> Agent:
        """A new agent whose e-mail nobody has."""
        arguments = {
            "name": "Ben",
            "email": f"{new_id()}@example.com",
            "password": PASSWORD,
            "role": "agent",
            "actor": self.admin,
        }
        agent: Agent = self.call("create_agent", **arguments | values)
        return agent

    def get(self, agent: Agent) -> Agent:
        """The agent as it is now."""
        now: Agent = self.call("get_agent", agent_id=agent["id"])
        return now

    def update(self, agent: Agent, **changes: Any) -> Agent:
        """The agent as the admin changed it."""
        changed: Agent = self.call("update_agent", agent_id=agent["id"], changes=changes, actor=self.admin)
        return changed

    def sign_in(self, agent: Agent, password: str = PASSWORD) -> dict[str, Any]:
        """What `authenticate` answers."""
        answer: dict[str, Any] = self.call("authenticate", email=agent["email"], password=password)
        return answer

    def open(self, agent: Agent, connection_id: str, kind: str = "sse") -> Agent:
        """A stream begins."""
        opened: Agent = self.call(
            "open_connection", agent_id=agent["id"], connection_id=connection_id, gateway_id="g1", kind=kind
        )
        return opened

    def close(self, agent: Agent, connection_id: str) -> Agent:
        """A stream ends."""
        closed: Agent = self.call("close_connection", agent_id=agent["id"], connection_id=connection_id)
        return closed

    def renew(self, *streams: tuple[Agent, str]) -> int:
        """Streams go on; how many."""
        connections = [{"agent_id": agent["id"], "connection_id": name, "kind": "sse"} for agent, name in streams]
        renewed: int = self.call("renew_connections", gateway_id="g1", connections=connections)["renewed"]
        return renewed

    def explain(self, agent: Agent) -> dict[str, Any]:
        """Why the agent counts as it does."""
        explanation: dict[str, Any] = self.call("explain_presence", agent_id=agent["id"])
        return explanation

    def make_team(self, **values: Any) -> Team:
        """A new team whose name nobody has."""
        team: Team = self.call("create_team", **{"name": f"Team {new_id()}", "actor": self.admin} | values)
        return team

    def updates(self, agent: Agent, up_to: int) -> list[Envelope]:
        """Every `agent_updated` of the agent once that of version `up_to` has arrived, by version."""
        return self.told("agent_updated", agent, up_to)

    def told(self, kind: str, thing: dict[str, Any], up_to: int) -> list[Envelope]:
        """Every event of a type about an agent or a team once that of version `up_to` has arrived, by version."""

        def of_thing(event: Envelope) -> bool:
            return bool(event["entity"]["id"] == thing["id"])

        self._collector.wait_for(kind, lambda event: of_thing(event) and event["entity"]["version"] == up_to, 30)
        # Sent at least once: two replicas that write to an agent at the same moment may both send the same event.
        distinct = {event["id"]: event for event in self._collector.found(kind, of_thing)}
        return sorted(distinct.values(), key=lambda event: event["entity"]["version"])


def acting(agent: Agent) -> dict[str, Any]:
    """The agent as an actor."""
    return {"kind": "agent", "id": agent["id"], "name": agent["name"], "role": agent["role"]}
