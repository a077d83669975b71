"""The first admin: made once, whoever starts first, and told once."""

from pathlib import Path

import pymongo

from deploy.local.database import LocalDatabase
from deploy.local.ports import free_port
from services.common.rpc_client import RpcClient
from services.common.settings import Settings
from tests.service.presence.conftest import ADMIN_EMAIL, REPLICAS
from tests.service.presence.people import Presence
from tests.support.events import Collector
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until


def test_one_admin_is_made_and_told_once_when_two_replicas_start(
    presence: Presence, first_admin_lines: list[dict[str, str]], collector: Collector
) -> None:
    assert len(first_admin_lines) == 1
    line = first_admin_lines[0]
    event = collector.wait_for("agent_created", lambda event: event["entity"]["id"] == line["agent_id"])
    assert (event["data"]["role"], event["data"]["email"]) == ("admin", ADMIN_EMAIL)
    answer = presence.call("authenticate", email=ADMIN_EMAIL, password=line["password"])
    assert answer["agent"]["id"] == line["agent_id"]


def test_admin_of_the_environment_is_made_when_the_database_comes_late(stack: Stack, tmp_path: Path) -> None:
    database = LocalDatabase(tmp_path / "database", free_port())
    environment = {
        "AMQP_URI": stack.broker.add_vhost("first-admin"),
        "MONGODB_URI": database.uri,
        "FOYER_ADMIN_EMAIL": "given@example.com",
        "FOYER_ADMIN_PASSWORD": "given by the environment",
    }
    process = stack.start_service("presence", instance="late-database", extra=environment)
    client = RpcClient(Settings.read(environment))
    try:
        wait_until(lambda: b"waiting_for_database" in process.log_path.read_bytes(), 30, what="the service to wait")
        database.start()
        assert client.start(10)
        wait_for_service(client, "presence", process)
        agents: pymongo.MongoClient[dict[str, object]]
        with pymongo.MongoClient(database.uri, timeoutMS=5000) as agents:
            wait_until(lambda: agents.foyer_presence.agents.find_one(), what="the admin")
        wait_until(lambda: b"first_admin_created" in process.log_path.read_bytes(), what="the line that says so")
        assert b"given by the environment" not in process.log_path.read_bytes()
        answer = client.call(
            "presence", "authenticate", timeout=15, email="GIVEN@example.com", password="given by the environment"
        )
        assert answer["agent"]["role"] == "admin"
    finally:
        client.close()
        process.stop()
        database.stop()


def test_process_ends_with_the_reason_when_the_admin_password_is_too_short(stack: Stack) -> None:
    process = stack.start_service("presence", instance="short-password", extra={"FOYER_ADMIN_PASSWORD": "hunter2"})
    assert process.wait(30)
    assert process.returncode == 1
    log = process.log_path.read_text()
    assert "FOYER_ADMIN_PASSWORD must have 10 to 200 characters" in log
    assert "hunter2" not in log


def test_logs_hold_no_email_when_agents_are_made_and_sign_in(presence: Presence, stack: Stack) -> None:
    agent = presence.make_agent()
    session = presence.sign_in(agent)
    for instance in REPLICAS:
        log = stack.services[instance].log_path.read_text()
        assert agent["email"] not in log
        assert session["refresh_token"] not in log
