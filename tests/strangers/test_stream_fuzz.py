"""Where to go on, tickets and queries of the streams, all of them made up: a beginning, a reset or a refusal, and never another's events."""

import contextlib
import json
import socket
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from deploy.replay.sse import Event, Parser
from services.common.ids import new_id
from tests.strangers import logbook
from tests.support.product import Agent, Gateway, Visitor

BOUNDED = settings(
    max_examples=60,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Printable bytes, and such as a header may hold beside them; gunicorn refuses the rest itself.
HEADER_BYTES = st.binary(max_size=80).map(lambda raw: bytes(b for b in raw if b >= 32 and b != 127).strip())


@pytest.fixture(scope="module")
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Listener")


no_faults = pytest.fixture(logbook.no_faults, autouse=True)


def begin(
    gateway: Gateway, path: str, token: str | None, *, last_event_id: bytes = b"", count: int = 1
) -> tuple[int, list[Event]]:
    """The status, and the stream's first events, `count` or more."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    sign = f"Authorization: Bearer {token}\r\n".encode() if token else b""
    asked = b"Last-Event-ID: " + last_event_id + b"\r\n" if last_event_id else b""
    with contextlib.closing(socket.create_connection((host, int(port)), timeout=15)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode() + sign + asked + b"\r\n")
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536) or b"\r\n\r\n"
        head, _, body = received.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        events: list[Event] = []
        parser = Parser("")
        while status == 200 and len(events) < count:
            # Chunks' lengths stand between the lines of the stream, and are no fields that anybody knows.
            events += parser.feed(body)
            body = b"" if len(events) >= count else connection.recv(65_536)
            assert body or len(events) >= count, f"only {events}"
        return status, events


def test_any_last_event_id_is_a_place_or_a_reset(gateway: Gateway, agent: Agent) -> None:
    _, [ready, *_] = begin(gateway, "/v1/events", agent.token)
    epoch, _, offset = ready.id.partition("-")

    @BOUNDED
    @given(asked=HEADER_BYTES | st.from_regex(r"[A-Za-z0-9]{1,33}-[0-9]{1,22}", fullmatch=True).map(str.encode))
    @example(asked=f"{epoch}-{2**63}".encode())
    @example(asked=f"{epoch}-{10**18}".encode())
    @example(asked=f"{epoch}--1".encode())
    @example(asked=f"{epoch}-0{offset}".encode())
    @example(asked=f"{epoch}-{offset}x".encode())
    @example(asked=f"{epoch.upper()}-{offset}".encode())
    @example(asked="1-١٢".encode())
    @example(asked=b"x" * 8_000)
    def resume(asked: bytes) -> None:
        status, events = begin(gateway, "/v1/events", agent.token, last_event_id=asked)
        assert status == 200
        assert events[0].name == ("reset" if asked else "stream.ready")

    resume()


def test_place_in_the_query_is_read_as_strictly(gateway: Gateway, agent: Agent) -> None:
    @BOUNDED
    @given(asked=st.binary(min_size=1, max_size=60))
    def resume(asked: bytes) -> None:
        status, events = begin(gateway, f"/v1/events?last_event_id={quote_from_bytes(asked)}", agent.token)
        assert (status, events[0].name) == (200, "reset")

    resume()


def test_zero_and_the_first_place_of_all_bring_what_the_log_holds_or_a_reset(gateway: Gateway, agent: Agent) -> None:
    _, [ready, *_] = begin(gateway, "/v1/events", agent.token)
    epoch = ready.id.partition("-")[0]
    status, events = begin(gateway, "/v1/events", agent.token, last_event_id=f"{epoch}-0".encode(), count=2)
    assert status == 200
    assert {event.name for event in events[:1]} <= {"stream.ready", "reset"}


def test_visitor_who_asks_from_the_beginning_gets_nobody_elses(gateway: Gateway, channel_id: str) -> None:
    other = Visitor(gateway, channel_id)
    secret = new_id()
    other.say(secret)
    mine = Visitor(gateway, channel_id)
    text = new_id()
    mine.say(text)
    _, [ready, *_] = begin(gateway, "/v1/widget/events", mine.token)
    epoch = ready.id.partition("-")[0]
    with contextlib.closing(
        gateway.send("GET", "/v1/widget/events", token=mine.token, headers={"Last-Event-ID": f"{epoch}-1"}, stream=True)
    ) as answer:
        lines = answer.iter_lines()
        seen = []
        for line in lines:
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:]))
                assert secret.encode() not in line
                if seen[-1].get("text") == text:
                    break
    ids = {each["conversation_id"] for each in seen if "conversation_id" in each}
    assert ids == {mine.conversation_id}


@pytest.mark.parametrize("path", ["/v1/events", "/v1/widget/events"])
def test_any_ticket_is_refused(gateway: Gateway, path: str) -> None:
    @BOUNDED
    @given(ticket=st.binary(min_size=1, max_size=80))
    @example(ticket=b"x" * 5_000)
    @example(ticket=b"\0")
    @example(ticket=b"a.b.c")
    def open_with(ticket: bytes) -> None:
        status, _ = begin(gateway, f"{path}?ticket={quote_from_bytes(ticket)}", None)
        assert status in {401, 422}

    open_with()


def test_ticket_of_one_kind_opens_no_stream_of_another(gateway: Gateway, agent: Agent, channel_id: str) -> None:
    ticket = agent.ask("POST", "/v1/events/ticket")["ticket"]
    assert begin(gateway, f"/v1/widget/events?ticket={ticket}", None)[0] == 403
    visitor = Visitor(gateway, channel_id)
    ticket = gateway.ask("POST", "/v1/widget/events/ticket", token=visitor.token)["ticket"]
    assert begin(gateway, f"/v1/events?ticket={ticket}", None)[0] == 403


def test_query_that_names_something_else_is_refused(gateway: Gateway, agent: Agent) -> None:
    @BOUNDED
    @given(name=st.text(min_size=1, max_size=20).filter(lambda name: name not in {"ticket", "last_event_id"}))
    def ask(name: str) -> None:
        answer = gateway.send("GET", "/v1/events", token=agent.token, params={name: "1"}, stream=True)
        with contextlib.closing(answer):
            assert answer.status_code == 422
            assert answer.json()["code"] == "VALIDATION_FAILED"

    ask()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_stream_takes_no_other_method(gateway: Gateway, agent: Agent, method: str) -> None:
    assert gateway.send(method, "/v1/events", token=agent.token).status_code == 405
