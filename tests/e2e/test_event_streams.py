"""The event streams over HTTP, as gunicorn serves them: what only a real socket shows."""

import contextlib
import json
import socket

import pytest

from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until
from tests.support.websocket import SILENCE, Closed, WebSocket, websocket


def connect(gateway: Gateway, path: str, token: str | None = None, *, buffer: int | None = None) -> socket.socket:
    """A client's end of a stream, its request sent."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    client = socket.socket()
    if buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect((host, int(port)))
    client.settimeout(SILENCE)
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
    client.sendall(f"{head}\r\n".encode())
    return client


def receive_all(client: WebSocket) -> None:
    """Receive until the server closes. Raises Closed."""
    while True:
        client.receive()


def open_streams(gateway: Gateway) -> float:
    lines = gateway.send("GET", "/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("foyer_streams_open{"))


def counter(gateway: Gateway, name: str) -> float:
    lines = gateway.send("GET", "/metrics").text.splitlines()
    return float(next(line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")))


def test_stream_says_at_once_where_to_resume_from(gateway: Gateway, admin: str) -> None:
    with connect(gateway, "/v1/events", Agent(gateway, admin).token) as client:
        text = b""
        while b"stream.ready" not in text:
            text += client.recv(4_096)
    head, _, body = text.partition(b"\r\n\r\n")
    assert b"text/event-stream" in head
    assert b"Cache-Control: no-cache" in head
    assert b"X-Accel-Buffering: no" in head
    assert b": foyer\nretry: 1000\n\nid: " in body


def test_hang_up_is_noticed_at_once_when_the_agent_closes_the_page(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin)
    wait_until(lambda: open_streams(gateway) == 0, what="the end of earlier streams")
    client = connect(gateway, "/v1/events", agent.token)
    client.recv(4_096)
    assert agent.ask("GET", f"/v1/agents/{agent.id}")["connected"]
    assert open_streams(gateway) == 1
    client.close()
    wait_until(lambda: open_streams(gateway) == 0, 10, what="the end of the stream")  # two heartbeats would take 15 s or more


def test_ticket_opens_one_stream_only(gateway: Gateway, admin: str) -> None:
    ticket = Agent(gateway, admin).ask("POST", "/v1/events/ticket")["ticket"]
    answers = []
    for _ in range(2):
        with connect(gateway, f"/v1/events?ticket={ticket}") as client:
            answers.append(client.recv(4_096)[:12])
    assert answers == [b"HTTP/1.1 200", b"HTTP/1.1 401"]


def test_stream_ends_when_the_agent_signs_out(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin)
    with connect(gateway, "/v1/events", agent.token) as client:
        end = client.recv(4_096)  # may end right before the last chunk
        gateway.send("POST", "/v1/auth/logout", {}, token=agent.token)
        while not end.endswith(b"\r\n0\r\n\r\n"):
            data = client.recv(65_536)
            assert data, "the answer was cut off"
            end = (end + data)[-7:]


def test_websocket_sends_the_same_and_resumes_by_id(gateway: Gateway, admin: str, channel_id: str) -> None:
    visitor = Visitor(gateway, channel_id)
    stream = visitor.watch()
    with websocket(gateway, "/v1/widget/events/ws", visitor.token) as client:
        assert client.receive()["event"] == "stream.ready"
        client.send("is anybody there?")
        visitor.say("Mia")
        first = client.receive()
    with websocket(gateway, f"/v1/widget/events/ws?last_event_id={first['id']}", visitor.token) as client:
        assert client.receive() == {"id": first["id"], "event": "stream.ready", "data": {"position": first["id"]}}
        got = [first]
        while got[-1]["event"] != "message.created":
            got.append(client.receive())
    wait_until(lambda: got[-1]["id"] in [event.id for event in stream.events])
    shown = [{"id": e.id, "event": e.name, "data": json.loads(e.data)} for e in stream.events]
    begin = next(index for index, envelope in enumerate(shown) if envelope["id"] == first["id"])
    assert shown[begin : begin + len(got)] == got
    stream.close()


@pytest.mark.parametrize(("inputs", "size", "code"), [(500, 1, "1008"), (1, 5_000, "1009")])
def test_websocket_is_closed_when_the_client_talks_too_much(
    gateway: Gateway, admin: str, channel_id: str, inputs: int, size: int, code: str
) -> None:
    with websocket(gateway, "/v1/events/ws", Agent(gateway, admin).token) as client:
        client.receive()
        with contextlib.suppress(OSError):
            for _ in range(inputs):
                client.send("x" * size)
        wait_until(lambda: gateway.send("GET", "/healthz").ok)
        Visitor(gateway, channel_id)
        with pytest.raises(Closed, match=code):
            receive_all(client)


def test_reader_that_never_reads_is_cut_off_and_others_get_everything(gateway: Gateway, admin: str, channel_id: str) -> None:
    good = Agent(gateway, admin).watch()
    before = counter(gateway, "foyer_stream_overflows_total")
    dead = connect(gateway, "/v1/events", Agent(gateway, admin).token, buffer=4_096)
    visitor = Visitor(gateway, channel_id)

    def cut_off() -> bool:
        for _ in range(20):
            visitor.say("y" * 500)
        return counter(gateway, "foyer_stream_overflows_total") > before

    wait_until(cut_off, 60, what="the overflow")
    last = visitor.messages()[-1]["seq"]
    good.wait_for("message.created", seq=last, conversation_id=visitor.conversation_id)
    seen = [message["seq"] for message in good.named("message.created") if message["conversation_id"] == visitor.conversation_id]
    assert seen == list(range(seen[0], last + 1))
    dead.close()
    good.close()
