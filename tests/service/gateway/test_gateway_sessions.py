import time

from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from tests.service.conftest import Service
from tests.service.gateway.conftest import ADMIN, PASSWORD, RunningGateway, StartGateway
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until


def test_session_lives_until_it_is_signed_out_everywhere(
    start_gateway: StartGateway, gateway: RunningGateway, stack: Stack, account: dict[str, str]
) -> None:
    session = gateway.send("POST", "/v1/auth/token", account).json()
    token = session["access_token"]
    assert gateway.send("GET", "/v1/agents/me", token=token).json()["email"] == account["email"]
    assert gateway.send("POST", "/v1/auth/logout", token=token).status_code == 204
    assert gateway.send("GET", "/v1/agents/me", token=token).json()["code"] == "TOKEN_INVALID"
    # A gateway that starts afterwards asks presence whom to refuse.
    other = start_gateway(stack.environment)
    wait_until(other.ready, 20, what="readiness")
    assert other.send("GET", "/v1/agents/me", token=token).json()["code"] == "TOKEN_INVALID"
    assert other.send("POST", "/v1/auth/refresh", {"refresh_token": session["refresh_token"]}).status_code == 401


def test_session_ends_on_every_gateway_when_the_password_changes(
    gateway: RunningGateway, rpc: RpcClient, account: dict[str, str]
) -> None:
    session = gateway.send("POST", "/v1/auth/token", account).json()
    changes = {"password": PASSWORD + "!"}
    rpc.call("presence", "update_agent", timeout=15, agent_id=session["agent"]["id"], changes=changes, actor=ADMIN)
    wait_until(
        lambda: gateway.send("GET", "/v1/agents/me", token=session["access_token"]).status_code == 401,
        what="the revocation seen by the gateway",
    )


def test_ticket_is_good_once(gateway: RunningGateway, account: dict[str, str]) -> None:
    token = gateway.send("POST", "/v1/auth/token", account).json()["access_token"]
    ticket = gateway.send("POST", "/v1/events/ticket", token=token).json()["ticket"]
    with gateway.send("GET", f"/v1/events?ticket={ticket}", stream=True) as stream:
        assert stream.status_code == 200
        assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert gateway.send("GET", f"/v1/events?ticket={ticket}").json()["code"] == "TOKEN_INVALID"


def test_one_request_id_reaches_the_services_logs(gateway: RunningGateway, stack: Stack, account: dict[str, str]) -> None:
    request_id = new_id()
    response = gateway.send("POST", "/v1/auth/token", account, headers={"X-Request-ID": request_id})
    assert response.headers["X-Request-ID"] == request_id
    log = gateway.process.log_path
    assert log is not None
    wait_until(lambda: f'"request_id": "{request_id}"' in log.read_text(), what="the gateway's line")
    line = next(line for line in log.read_text().splitlines() if request_id in line)
    assert '"route": "/v1/auth/token"' in line
    assert account["email"] not in log.read_text()
    assert account["password"] not in log.read_text()


def test_other_services_answer_when_one_is_down(
    gateway: RunningGateway, stack: Stack, rpc: RpcClient, service: Service, account: dict[str, str]
) -> None:
    token = gateway.send("POST", "/v1/auth/token", account).json()["access_token"]
    service("contacts").stop()
    try:
        began = time.monotonic()
        response = gateway.send("GET", "/v1/contacts", token=token)
        assert time.monotonic() - began < 6  # the calls' deadline is 3 s
        assert (response.status_code, response.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert int(response.headers["Retry-After"]) >= 1
        assert gateway.send("GET", "/v1/conversations", token=token).status_code == 200
        report = gateway.send("GET", "/readyz")
        assert report.status_code == 503
        assert report.json()["services"]["contacts"]["status"] == "unavailable"
        assert report.json()["services"]["messaging"]["status"] == "ok"
    finally:
        wait_for_service(rpc, "contacts", service("contacts"))
    wait_until(lambda: gateway.send("GET", "/v1/contacts", token=token).status_code == 200, what="contacts' return")
