"""The HTTP client: what it repeats, how long it waits, and what it takes for an answer."""

import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from deploy.replay.account import Account
from deploy.replay.client import Clock, Gateway, backoff, read_retry_after
from deploy.replay.errors import OutOfTime, Refused, Stopped
from tests.unit.replay.scripted import Reply, ScriptedServer, serve

BUSY = Reply(503, b'{"code": "SERVICE_UNAVAILABLE", "detail": "no broker"}', {"Retry-After": "0"})


def gateway(server: ScriptedServer, timeout: float = 10.0) -> Gateway:
    return Gateway(server.url, timeout=timeout, stop=threading.Event())


@pytest.mark.parametrize("trouble", [BUSY, Reply(drop=True), Reply(429, headers={"Retry-After": "0"}), Reply(502), Reply(504)])
def test_same_request_is_sent_again_when_the_gateway_could_not_answer(trouble: Reply) -> None:
    with serve(trouble, trouble, Reply(201, b'{"seq": 4}')) as server:
        client = gateway(server)
        body, headers = {"text": "Grüße", "client_message_id": "c1"}, {"Idempotency-Key": "k"}
        assert client.call("POST", "/v1/widget/messages", body, token="t", headers=headers) == {"seq": 4}
    assert client.retries == 2
    assert client.reasons == {str(trouble.status) if not trouble.drop else "connection": 2}
    assert {(asked.method, asked.path, asked.body) for asked in server.asked} == {
        ("POST", "/v1/widget/messages", json.dumps(body, ensure_ascii=False).encode())
    }
    assert all(asked.headers["Idempotency-Key"] == "k" for asked in server.asked)
    assert all(asked.headers["Authorization"] == "Bearer t" for asked in server.asked)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_request_is_not_repeated_when_a_repeat_would_change_nothing(status: int) -> None:
    problem = b'{"code": "SOME_CODE", "detail": "because", "errors": {"text": ["too long"]}}'
    with serve(Reply(status, problem)) as server, pytest.raises(Refused) as raised:
        gateway(server).call("GET", "/v1/agents")
    assert len(server.asked) == 1
    assert str(raised.value) == f'{status} SOME_CODE: because {{"text": ["too long"]}}'


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b"null"])
def test_refusal_is_readable_when_its_body_is_no_problem_document(body: bytes) -> None:
    with serve(Reply(404, body, {"Content-Type": "text/html"})) as server, pytest.raises(Refused, match="404 NO_PROBLEM"):
        gateway(server).call("GET", "/v1/agents")


def test_answer_is_refused_when_it_is_not_json() -> None:
    with serve(Reply(200, b"<html>")) as server, pytest.raises(Refused, match="is this a Foyer gateway"):
        gateway(server).call("GET", "/v1/agents")


def test_call_gives_up_when_the_deadline_would_pass_before_the_next_attempt() -> None:
    patient = Reply(503, BUSY.body, {"Retry-After": "30"})
    with (
        serve(patient) as server,
        pytest.raises(OutOfTime, match=r"no answer within 5 s; at last: 503 SERVICE_UNAVAILABLE: no broker"),
    ):
        gateway(server, timeout=5).call("GET", "/v1/agents")
    assert len(server.asked) == 1


def test_wait_takes_nothing_of_the_time_when_the_gateway_says_too_fast() -> None:
    with serve(Reply(429, headers={"Retry-After": "2"}), Reply(200, b"{}")) as server:
        client, clock = gateway(server, timeout=2), Clock()
        posted = clock.at
        assert client.call("POST", "/v1/widget/messages", {}, clock=clock) == {}
    assert (client.throttled, client.retries) == (1, 1)
    assert clock.at - posted >= 2.0


def test_clock_runs_on_when_the_gateway_is_not_available() -> None:
    with serve(BUSY, Reply(200, b"{}")) as server:
        clock = Clock()
        posted = clock.at
        gateway(server).call("POST", "/v1/widget/messages", {}, clock=clock)
    assert clock.at == posted


def test_call_gives_up_when_nobody_listens() -> None:
    with serve(Reply()) as server:
        client = gateway(server, timeout=0.2)
    with pytest.raises(OutOfTime, match="Connection refused"):
        client.call("GET", "/healthz")


def test_wait_for_the_next_attempt_ends_when_the_run_is_stopped() -> None:
    with serve(Reply(503, BUSY.body, {"Retry-After": "5"})) as server:
        client = gateway(server)
        client.stop.set()
        with pytest.raises(Stopped):
            client.call("GET", "/v1/agents")


def test_delay_is_never_shorter_than_told_when_the_gateway_names_one() -> None:
    assert all(2.0 <= backoff(attempt, 2.0) <= 2.6 for attempt in range(50))


def test_delay_grows_to_a_limit_when_the_gateway_names_none() -> None:
    assert all(0.05 <= backoff(0) <= 0.1 for _ in range(50))
    assert all(1.0 <= backoff(attempt) <= 2.0 for attempt in range(5, 5000, 100))


def test_retry_after_is_read_when_it_is_seconds_or_a_date() -> None:
    assert read_retry_after("7") == 7.0
    assert 55 < (read_retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)) or 0) <= 60
    assert read_retry_after(format_datetime(datetime.now(UTC) - timedelta(seconds=60), usegmt=True)) == 0.0
    assert [read_retry_after(value) for value in (None, "soon", "-3", "²")] == [None, None, None, None]


def tokens(name: str) -> Reply:
    return Reply(200, json.dumps({"access_token": f"{name}-a", "refresh_token": f"{name}-r", "agent": {"id": name}}).encode())


def test_token_is_renewed_when_it_has_run_out() -> None:
    with serve(tokens("one"), Reply(401), tokens("two"), Reply(200, b'{"ok": true}')) as server:
        account = Account(gateway(server), "a@example.com", "pw")
        account.sign_in()
        assert account.call("GET", "/v1/agents") == {"ok": True}
    assert [asked.path for asked in server.asked] == ["/v1/auth/token", "/v1/agents", "/v1/auth/refresh", "/v1/agents"]
    assert json.loads(server.asked[2].body) == {"refresh_token": "one-r"}
    assert server.asked[3].headers["Authorization"] == "Bearer two-a"


def test_account_signs_in_anew_when_its_refresh_token_is_refused() -> None:
    with serve(tokens("one"), Reply(401), Reply(401), tokens("two"), Reply(200, b'{"ok": true}')) as server:
        account = Account(gateway(server), "a@example.com", "pw")
        account.sign_in()
        assert account.call("GET", "/v1/agents") == {"ok": True}
    assert [asked.path for asked in server.asked][2:4] == ["/v1/auth/refresh", "/v1/auth/token"]


def test_token_is_renewed_once_when_several_were_refused_with_it() -> None:
    with serve(tokens("one"), tokens("two")) as server:
        account = Account(gateway(server), "a@example.com", "pw")
        account.sign_in()
        account.renew("one-a")
        account.renew("one-a")
    assert len(server.asked) == 2
