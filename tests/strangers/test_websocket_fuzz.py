"""A WebSocket whose client speaks it badly: it is closed with the reason, nothing is left of it, and the other streams go on."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.common.ids import new_id
from tests.strangers.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Peer, frame
from tests.support.product import Agent, Gateway, Stream, Visitor
from tests.support.waiting import wait_until

PATH = "/v1/events/ws"
PROTOCOL_ERROR, INVALID_TEXT, TOO_BIG, POLICY = 1002, 1007, 1009, 1008


@pytest.fixture(scope="module")
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Rough")


@pytest.fixture(scope="module")
def bystander(gateway: Gateway, admin: str) -> Iterator[Stream]:
    """A stream of somebody else's, which must not notice."""
    stream = Agent(gateway, admin, "Bystander").watch()
    yield stream
    stream.close()


@pytest.fixture
def peer(gateway: Gateway) -> Iterator[Peer]:
    with contextlib.closing(Peer(gateway)) as peer:
        yield peer


def open_peer(peer: Peer, token: str) -> None:
    assert peer.shake_hands(PATH, token) == 101
    opcode, payload = next(peer.receive_frames())
    assert (opcode, json.loads(payload)["event"]) == (TEXT, "stream.ready")


def is_gone(agent: Agent) -> bool:
    """Whether the product knows of no connection of the agent's any more."""
    return not [each for each in agent.presence()["connections"] if each["state"] == "open"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"x", masked=False), PROTOCOL_ERROR),
        (frame(TEXT, b"x", reserved=4), PROTOCOL_ERROR),
        (frame(TEXT, b"x", reserved=3), PROTOCOL_ERROR),
        (frame(0x3, b"x"), PROTOCOL_ERROR),
        (frame(0xF, b"x"), PROTOCOL_ERROR),
        (frame(CONTINUATION, b"of nothing"), PROTOCOL_ERROR),
        (frame(TEXT, b"a", final=False) + frame(TEXT, b"b"), PROTOCOL_ERROR),
        (frame(TEXT, b"a", final=False) + frame(BINARY, b"b"), PROTOCOL_ERROR),
        (frame(PING, b"x" * 126), PROTOCOL_ERROR),
        (frame(PING, b"x", final=False), PROTOCOL_ERROR),
        (frame(CLOSE, b"\x03"), PROTOCOL_ERROR),
        (frame(CLOSE, b"\x03\xe8" + b"x" * 124), PROTOCOL_ERROR),
        (frame(CLOSE, (999).to_bytes(2, "big")), PROTOCOL_ERROR),
        (frame(CLOSE, (1005).to_bytes(2, "big")), PROTOCOL_ERROR),
        (frame(CLOSE, (5000).to_bytes(2, "big")), PROTOCOL_ERROR),
        (frame(CLOSE, b"\x03\xe8\xff\xfe"), INVALID_TEXT),
        (frame(TEXT, b"\xff\xfe"), INVALID_TEXT),
        (frame(TEXT, "é".encode()[:1], final=False) + frame(CONTINUATION, b"x"), INVALID_TEXT),
        (frame(TEXT, b"x" * 1025), TOO_BIG),
        (frame(BINARY, b"x" * 70_000), TOO_BIG),
        (b"".join(frame(TEXT if n == 0 else CONTINUATION, b"x" * 100, final=False) for n in range(20)), TOO_BIG),
    ],
)
def test_frame_against_the_protocol_closes_the_connection_and_says_why(
    agent: Agent, bystander: Stream, peer: Peer, sent: bytes, code: int
) -> None:
    open_peer(peer, agent.token)
    peer.send(sent)
    assert peer.closing_code() == code
    wait_until(lambda: is_gone(agent), what="the end of the connection")
    assert bystander.connections == 1


@pytest.mark.parametrize(
    "promised",
    [
        frame(TEXT, b"x" * 100, length=2**63 - 1),
        frame(TEXT, b"x" * 2000, length=2**31),
        frame(BINARY, b"x" * 2000, length=66_000),
    ],
)
def test_promise_of_much_takes_no_memory_and_is_over_when_the_client_leaves(agent: Agent, peer: Peer, promised: bytes) -> None:
    """What a frame's head claims reserves nothing: only what came is held, and of that no more than a message may have."""
    open_peer(peer, agent.token)
    peer.send(promised)
    peer.close()
    wait_until(lambda: is_gone(agent), what="the end of the connection")


@pytest.mark.parametrize(
    "sent",
    [
        frame(PING, b"x" * 125),
        frame(PONG, b"unasked"),
        frame(TEXT, b""),
        frame(BINARY, bytes(range(256))),
        frame(TEXT, "é".encode()[:1], final=False) + frame(PING, b"between") + frame(CONTINUATION, "é".encode()[1:]),
        b"".join(frame(CONTINUATION if n else BINARY, b"", final=False) for n in range(500)) + frame(CONTINUATION),
    ],
)
def test_frame_that_is_odd_but_right_changes_nothing(
    gateway: Gateway, channel_id: str, agent: Agent, peer: Peer, sent: bytes
) -> None:
    open_peer(peer, agent.token)
    peer.send(sent)
    visitor = Visitor(gateway, channel_id)
    heard = (json.loads(payload) for opcode, payload in peer.receive_frames() if opcode == TEXT)
    assert any(envelope["event"] == "contact.created" and envelope["data"]["id"] == visitor.contact_id for envelope in heard)


def test_close_is_answered_in_kind(agent: Agent, peer: Peer) -> None:
    open_peer(peer, agent.token)
    peer.send(frame(CLOSE, (1000).to_bytes(2, "big") + b"bye"))
    assert peer.closing_code() == 1000
    wait_until(lambda: is_gone(agent), what="the end of the connection")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Host", b"\xff\xfe"),
        ("Host", b"xn--zzzzzz--"),
        ("Host", b"a..b"),
        ("Host", b"a" * 300),
        ("Upgrade", b"h2c"),
        ("Upgrade", b"\xff"),
        ("Connection", b"\xff"),
        ("Connection", b"keep-alive"),
        ("Sec-WebSocket-Version", b"12"),
        ("Sec-WebSocket-Version", b"\xff"),
        ("Sec-WebSocket-Key", b""),
        ("Sec-WebSocket-Protocol", b"\xff\xfe"),
        ("Sec-WebSocket-Protocol", b"chat, \xc3\xa9"),
    ],
)
def test_handshake_that_is_none_is_refused_and_leaves_nobody_connected(
    agent: Agent, peer: Peer, header: str, value: bytes
) -> None:
    """The stream is open by then: left so, its agent would be connected for ever, and get conversations."""
    assert peer.shake_hands(PATH, agent.token, **{header: value}) == 400
    wait_until(lambda: is_gone(agent), what="no connection")


@pytest.mark.parametrize("path", [PATH, f"{PATH}?ticket=%00%ff", f"{PATH}?ticket={'9' * 4000}", f"{PATH}?ticket[]=1"])
def test_handshake_without_a_good_token_is_refused(peer: Peer, path: str) -> None:
    assert peer.shake_hands(path, None) in {401, 422}


OPCODES = st.sampled_from([CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG, 0x3, 0xB])
FRAMES = st.builds(
    frame,
    OPCODES,
    st.binary(max_size=200) | st.text(max_size=50).map(str.encode),
    final=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 1, 7]),
    masked=st.sampled_from([True, True, True, False]),
    length=st.none() | st.integers(0, 2**63 - 1),
)


def test_anything_at_all_ends_in_a_close_or_goes_on_and_nobody_else_notices(
    gateway: Gateway, channel_id: str, agent: Agent, bystander: Stream
) -> None:
    @settings(
        max_examples=80,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(sent=st.lists(FRAMES | st.binary(max_size=60), min_size=1, max_size=6))
    def speak(sent: list[bytes]) -> None:
        with contextlib.closing(Peer(gateway)) as peer:
            open_peer(peer, agent.token)
            peer.send(b"".join(sent))
            # Whatever was understood of it, this ends it; what was never finished ends with the connection.
            peer.send(frame(CLOSE, b"\x03\xe8"))

    speak()
    wait_until(lambda: is_gone(agent), 20, what="the end of every connection")
    visitor = Visitor(gateway, channel_id)
    text = new_id()
    visitor.say(text)
    bystander.wait_for("message.created", conversation_id=visitor.conversation_id, text=text)
    assert bystander.connections == 1
