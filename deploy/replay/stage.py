"""What a replay needs in the product before it begins: its channel with a flow, and its signed-in agents."""

import math
import secrets
import threading
from dataclasses import dataclass, field
from uuid import uuid4

from deploy.replay.account import Account
from deploy.replay.agent import Agent, Desk
from deploy.replay.client import Gateway
from deploy.replay.errors import ReplayError
from deploy.replay.flow import build_flow

# A conversation's place is freed by an event after its archiving; meanwhile the next one may already ask for a place.
SPARE_CAPACITY = 2


@dataclass
class Stage:
    """The channel and the agents of one run; every run has its own, so that two at once don't disturb each other."""

    gateway: Gateway
    admin: Account
    run: str
    channel_id: str
    desk: Desk
    agents: list[Agent] = field(default_factory=list)
    # E-mail by id of every account made, also of one whose agent could not begin.
    accounts: dict[str, str] = field(default_factory=dict)


def set_stage(gateway: Gateway, admin: Account, *, agents: int, concurrency: int) -> Stage:
    """Create the channel and the agents, sign the agents in, and open their streams. Raises ReplayError."""
    run = uuid4().hex[:12]
    channel = admin.call(
        "POST", "/v1/channels", {"kind": "web", "name": f"Replay {run}"}, headers={"Idempotency-Key": f"replay-{run}-channel"}
    )
    stage = Stage(gateway, admin, run, channel["id"], Desk(gateway.stop))
    try:
        capacity = math.ceil(concurrency / agents) + SPARE_CAPACITY
        for number in range(1, agents + 1):
            stage.agents.append(_hire(stage, number, capacity))
        flow = build_flow([agent.id for agent in stage.agents])
        admin.call("PUT", f"/v1/channels/{stage.channel_id}/flow", flow)
        for agent in stage.agents:
            agent.begin()
    except Exception:
        strike_stage(stage)
        raise
    return stage


def strike_stage(stage: Stage) -> list[str]:
    """Close the agents' streams and deactivate the agents; what could not be done, as sentences. Also after a Ctrl-C."""
    for agent in stage.agents:
        agent.stream.close()
    # The run's own gateway may be stopped, and then repeats nothing.
    admin = stage.admin.on(Gateway(stage.gateway.url, timeout=min(10.0, stage.gateway.timeout), stop=threading.Event()))
    complaints = []
    for agent_id, email in stage.accounts.items():
        try:
            admin.call("PATCH", f"/v1/agents/{agent_id}", {"active": False})
        except ReplayError as error:
            complaints.append(f"{email} could not be deactivated: {error}")
    return complaints


def _hire(stage: Stage, number: int, capacity: int) -> Agent:
    email, password = f"replay-{stage.run}-{number}@example.com", secrets.token_urlsafe(18)
    body = {"name": f"Replay {number}", "email": email, "password": password, "role": "agent", "capacity": capacity}
    made = stage.admin.call("POST", "/v1/agents", body, headers={"Idempotency-Key": f"replay-{stage.run}-agent-{number}"})
    stage.accounts[made["id"]] = email
    account = Account(stage.gateway, email, password)
    account.sign_in()
    return Agent(account, stage.desk)
