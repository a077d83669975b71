"""Whatever a process says, it says in JSON on standard output, with the request it belongs to."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.logs import request_id
from services.common.rpc_client import RpcClient
from tests.integration.conftest import ProbeRunner
from tests.support.waiting import wait_until


def read(path: Path) -> list[dict[str, Any]]:
    """Every line of a log file; fails on one that is not JSON."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_line_of_a_service_is_json_when_things_go_wrong(rpc: RpcClient, probes: ProbeRunner) -> None:
    process = probes.start("clumsy")
    mine = f"clumsy-{new_id()}"
    request_id.set(mine)
    for method in ("fail", "break_down", "answer_nonsense"):
        with pytest.raises(DomainError):
            rpc.call("contacts", method, name="x")
    rpc.call("contacts", "fail_beside", name="x")
    probes.publish("contacts.work", b"\xff", reply_to="nobody")
    probes.publish("contacts.work", b"{}")
    wait_until(lambda: process.log_path.read_text().count("uncaught_exception") >= 2, what="both failures logged")
    wait_until(lambda: "call_put_aside" in process.log_path.read_text(), what="the call put aside")
    process.stop()
    lines = read(process.log_path)
    assert {line["process"] for line in lines} == {"contacts"}
    assert {"service_started", "service_stopped", "call_put_aside"} <= {line["event"] for line in lines}
    assert [line["exception"].count("ZeroDivisionError") for line in lines if line["event"] == "uncaught_exception"] == [1, 1]
    assert any("warned x" in line["event"] for line in lines if line["logger"] == "py.warnings")
    assert [line["request_id"] for line in lines if line["event"] == "result_not_serializable"] == [mine]
    assert [line["request_id"] for line in lines if line["event"].startswith("error handling worker")] == [mine]


def test_every_line_of_a_gateway_is_json_also_gunicorns(tmp_path: Path) -> None:
    port = free_port()
    process = ChildProcess(
        "gateway",
        [sys.executable, "-m", "gateway"],
        environment={"FOYER_PORT": str(port), "FOYER_SECRET_KEY": "k" * 40, "AMQP_URI": f"amqp://127.0.0.1:{free_port()}/"},
        log_path=tmp_path / "gateway.log",
    )
    process.start()
    wait_until(lambda: "Booting worker" in process.log_path.read_text(), 20, what="the start")
    wait_until(lambda: _send(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200"), 20)
    assert _send(port, b"GET /docs HTTP/1.1\r\nHost: x\r\nX-Request-ID: mine\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert _send(port, b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400")
    process.stop()
    lines = read(process.log_path)
    assert {line["process"] for line in lines} == {"gateway"}
    assert lines[0]["event"].startswith("Starting gunicorn")
    assert [line["route"] for line in lines if line.get("request_id") == "mine"] == ["/docs"]


def test_failed_greenlet_of_a_gateway_is_logged_in_json() -> None:
    program = """
from gevent import monkey; monkey.patch_all()
from gateway import server
import gevent
server.configure_logs()
server.log_greenlet_failures()
gevent.spawn(lambda: 1 / 0).join()
gevent.sleep(0.05)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stderr == ""
    [line] = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (line["event"], line["process"]) == ("uncaught_exception", "gateway")


def _send(port: int, request: bytes) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
            connection.sendall(request)
            return connection.recv(1000)
    except OSError:
        return b""
