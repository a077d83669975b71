"""Admins made, tokens refused, news told again."""

import re

from services.common.ids import new_id
from tests.integration.ops.conftest import Ops
from tests.support.product import PASSWORD, Agent, Gateway, Product
from tests.support.waiting import wait_until


def test_admin_is_made_with_a_generated_password_shown_once(ops: Ops, gateway: Gateway) -> None:
    email = f"{new_id()}@example.org"
    said = ops.must("create-admin", "--email", email, "--name", "Root")
    [password] = re.findall(r"^password: (\S+)$", said.out, re.MULTILINE)
    token = gateway.sign_in(email, password)
    assert gateway.send("GET", "/v1/webhooks", token=token).status_code == 200
    again = ops.run("create-admin", "--email", email.upper(), "--name", "Root")
    assert again.status == 1
    assert "EMAIL_TAKEN" in again.err
    given = ops.must("create-admin", "--email", f"x{email}", "--name", "Root", "--password-stdin", given=f"{PASSWORD}\n")
    assert PASSWORD not in given.out
    assert gateway.sign_in(f"x{email}", PASSWORD)
    refused = ops.run("create-admin", "--email", f"y{email}", "--name", "Root", "--password-stdin", given="short\n")
    assert refused.status == 1
    assert "password" in refused.err


def test_tokens_are_refused_after_they_were_revoked(ops: Ops, gateway: Gateway, admin: str) -> None:
    agent, other = Agent(gateway, admin), Agent(gateway, admin)
    session = gateway.ask("POST", "/v1/auth/token", {"email": agent.email, "password": PASSWORD})
    root = f"{new_id()}@example.org"
    ops.must("create-admin", "--email", root, "--name", "Root", "--password-stdin", given=f"{PASSWORD}\n")
    made = gateway.ask("POST", "/v1/tokens", {"name": "Bot", "scopes": ["bot"]}, token=gateway.sign_in(root))

    said = ops.must("revoke-tokens", "--agent", agent.email.upper())
    assert "2 sessions ended" in said.out
    wait_until(lambda: gateway.send("GET", "/v1/agents", token=agent.token).status_code == 401, what="the refusal")
    wait_until(lambda: gateway.send("GET", "/v1/agents", token=session["access_token"]).status_code == 401, what="the other's")
    assert gateway.send("POST", "/v1/auth/refresh", {"refresh_token": session["refresh_token"]}).status_code == 401
    assert gateway.send("GET", "/v1/agents", token=other.token).status_code == 200
    assert gateway.sign_in(agent.email)  # the account itself is as it was
    assert "1 API token revoked" in ops.must("revoke-tokens", "--agent", root, "--api-tokens").out
    fields = {"fields": {"x": "y"}}
    refusal = gateway.send("PUT", f"/v1/bot/contacts/{new_id()}/fields", fields, token=made["token"])
    assert refusal.status_code == 401
    unknown = ops.run("revoke-tokens", "--agent", "nobody@example.org")
    assert unknown.status == 1
    assert "AGENT_NOT_FOUND" in unknown.err
    assert ops.run("revoke-tokens", "--all").status == 1  # nobody confirms
    assert gateway.send("GET", "/v1/agents", token=other.token).status_code == 200


def test_read_models_are_rebuilt_by_an_announcement(ops: Ops, product: Product, gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Zoe")
    read_model = product.mongo("messaging").agents
    wait_until(lambda: read_model.find_one({"_id": agent.id}), what="the agent's name")
    version = product.mongo("presence").agents.find_one({"_id": agent.id})["version"]  # type: ignore[index]
    read_model.delete_one({"_id": agent.id})
    ops.must("announce")
    wait_until(lambda: read_model.find_one({"_id": agent.id}), what="the agent's name again")
    assert product.mongo("presence").agents.find_one({"_id": agent.id})["version"] == version  # type: ignore[index]


def test_webhook_deliveries_are_replayed(ops: Ops, gateway: Gateway, admin: str) -> None:
    hook = gateway.ask("POST", "/v1/webhooks", {"url": "https://example.com/hook", "events": ["message.created"]}, token=admin)
    assert ops.must("webhooks", "replay", hook["id"]).out == "0 deliveries sent again.\n"
    assert ops.run("webhooks", "replay", "unknown").status == 1


def test_commands_say_what_is_missing_when_nothing_is_there(ops: Ops, tmp_path: object) -> None:
    nowhere = {"AMQP_URI": "amqp://guest:guest@127.0.0.1:1/", "MONGODB_URI": "mongodb://127.0.0.1:1/?replicaSet=rs0"}
    said = ops.run("status", **nowhere)
    assert said.status == 2
    assert "broker is not reachable" in said.err
    assert "no Docker engine" in ops.run("drain", "messaging").err
