"""Hostile messages on every kind of queue: no process ends or stops listening, what is beside them arrives, what is aside has its reason."""

import json
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import amqp
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.common.amqp import close_quietly, connect
from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from services.common.topology import RPC_EXCHANGE, SERVICES, event_exchange
from services.common.wire import encode
from tests.strangers.logbook import Logbook
from tests.strangers.raw_messages import RawMessage, publish, short, table, text
from tests.support import parts
from tests.support.events import DeadLetters
from tests.support.product import Agent, Gateway, Product, Stream, Visitor
from tests.support.waiting import wait_until

Letters = Callable[[str], list[tuple[dict[str, Any], bytes]]]

NO_UTF8 = b"\xff\xfe"
NO_TIME = b"T" + b"\xff" * 8
JSON = short(b"application/json")
# What no library of ours would write: each of them ended the link of whoever was to read it, again and again.
UNREADABLE = {
    "correlation_id": short(NO_UTF8),
    "message_id": short(NO_UTF8),
    "type": short(NO_UTF8),
    "content_type": short(NO_UTF8),
    "content_encoding": short(NO_UTF8),
    "app_id": short(NO_UTF8),
    "headers": table(when=NO_TIME),
}
ODD_HEADERS = {
    "too long to be sent on": table(long=text(b"a" * 130_000)),
    "many": table(**{f"x{n}": text(b"y") for n in range(5000)}),
    "of every type": table(
        a=b"V", b=b"b\xff", c=b"t\x07", d=b"l" + b"\xff" * 8, e=b"T" + b"\0" * 8, f=b"A" + struct.pack(">I", 0)
    ),
    "no text": table(odd=text(NO_UTF8)),
    "deep": table(deep=b"F" + table(deep=b"F" + table(deep=b"F" + table(when=NO_TIME)))),
    "ours": table(**{"x-foyer-reason": text(b"none"), "x-stream-offset": text(b"none"), "request_id": b"V"}),
}
BODIES: list[bytes] = [
    b"",
    b"\xff\x00",
    b"null",
    b"[]",
    b"5",
    b'"text"',
    b"{}",
    b'{"kwargs": 5}',
    b'{"args": {}, "kwargs": null}',
    b'{"args": [1], "kwargs": {}}',
    b'{"kwargs": {"contact_id": {"$ne": null}}}',
    b'{"kwargs": {"contact_id": ' + b"[" * 900 + b"]" * 900 + b"}}",
    b"[" * 100_000,
    b'{"kwargs": {"contact_id": "' + b"x" * 5_000_000 + b'"}}',
    b'{"kwargs": {"\\ud800": 1}}',
    b'{"kwargs": {"contact_id": 1e308}}',
]


@pytest.fixture(scope="module")
def rpc(gateway: Gateway, product: Product) -> Iterator[RpcClient]:
    with parts.calling(product.settings) as client:
        yield client


@pytest.fixture(scope="module")
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Unmoved")


@pytest.fixture(scope="module")
def stream(agent: Agent) -> Iterator[Stream]:
    stream = agent.watch()
    yield stream
    stream.close()


@pytest.fixture(scope="module")
def letters(product: Product) -> Letters:
    """The dead letters of a service since the module began, those of others among them."""
    kept: dict[str, list[tuple[dict[str, Any], bytes]]] = {service: [] for service in SERVICES}
    queues = DeadLetters(product.settings)

    def taken(service: str) -> list[tuple[dict[str, Any], bytes]]:
        kept[service] += queues.take(service)
        return kept[service]

    return taken


@pytest.fixture(autouse=True)
def all_well(product: Product, gateway: Gateway, channel_id: str, stream: Stream) -> Iterator[None]:
    """After each test: the same processes as before do their work, and the streams have told of it without a new connection."""
    book = Logbook(product)
    pids = {name: process.pid for name, process in product.services.items()}
    yield
    visitor = Visitor(gateway, channel_id)
    name = f"Mia {new_id()[-8:]}"
    visitor.say(name)
    wait_until(lambda: renamed(stream, visitor.contact_id, name), 20, what="the visitor's name on the stream")
    stream.wait_for("message.created", conversation_id=visitor.conversation_id, text=name)
    assert stream.connections == 1
    gateway.wait_ready(30)
    assert {name: process.pid for name, process in product.services.items()} == pids
    assert book.faults() == []


def renamed(stream: Stream, contact_id: str, name: str) -> bool:
    """Whether the stream has told that the bot collected the contact's name."""
    return any((data.get("id"), data.get("name")) == (contact_id, name) for data in stream.named("contact.updated"))


def event(mark: str, **parts: Any) -> bytes:
    """An event that contacts listens to, with any part as somebody likes; `mark` is found again in its body."""
    entity = {"kind": "conversation", "id": "c", "version": 1}
    envelope = {"id": mark, "type": "field_collected", "source": "messaging", "entity": entity, "contact_id": None}
    return json.dumps(envelope | {"at": "2026-01-01T00:00:00.000Z", "request_id": None, "data": {}} | parts).encode()


def put_aside(letters: Letters, mark: str, service: str = "contacts") -> dict[str, Any]:
    """The headers of the one dead letter whose body has the mark."""
    [(headers, _)] = wait_until(lambda: [each for each in letters(service) if mark.encode() in each[1]], 20, what="the letter")
    return headers


# calls


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", UNREADABLE)
def test_call_whose_properties_cannot_be_read_stops_nobody(rpc: RpcClient, product: Product, service: str, name: str) -> None:
    message = RawMessage(b'{"args": [], "kwargs": {}}', **{"reply_to": short(b"nobody"), name: UNREADABLE[name]})
    assert publish(product.broker.uri(), RPC_EXCHANGE, f"{service}.get_health", message)
    assert rpc.call(service, "get_health", timeout=20)["status"] == "ok"


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_call_of_any_body_is_answered_or_put_aside(rpc: RpcClient, product: Product, body: bytes) -> None:
    for properties in ({}, {"reply_to": short(b"nobody")}, {"reply_to": short(b"contacts.get_contact")}):
        for key in ("contacts.get_contact", "contacts.", "contacts.__class__", "messaging.post_message"):
            publish(product.broker.uri(), RPC_EXCHANGE, key, RawMessage(body, content_type=JSON, **properties))
    assert rpc.call("contacts", "get_health", timeout=20)["status"] == "ok"


@pytest.mark.parametrize("name", ODD_HEADERS)
def test_call_with_absurd_headers_stops_nobody(rpc: RpcClient, product: Product, name: str) -> None:
    message = RawMessage(b'{"args": [], "kwargs": {}}', reply_to=short(b"nobody"), headers=ODD_HEADERS[name])
    assert publish(product.broker.uri(), RPC_EXCHANGE, "contacts.get_health", message)
    assert rpc.call("contacts", "get_health", timeout=20)["status"] == "ok"


@pytest.mark.parametrize(
    "headers",
    [
        table(deadline=text(b"never"), sent_at=text(b"once"), request_id=b"F" + table(a=b"V"), traceparent=b"t\x01"),
        table(deadline=b"d\x7f\xef" + b"\xff" * 6, sent_at=b"d\xff\xef" + b"\xff" * 6, request_id=text(b"x" * 100_000)),
        table(
            deadline=b"d\xff\xef" + b"\xff" * 6,
            sent_at=b"V",
            request_id=b"l" + b"\xff" * 8,
            traceparent=text(b"00-" + b"0" * 200),
        ),
    ],
)
def test_call_that_lies_about_its_time_and_origin_is_done_as_any_other(rpc: RpcClient, product: Product, headers: bytes) -> None:
    mark = f"told-{new_id()}"
    body = encode({"kwargs": {"channel_id": mark}})
    assert publish(
        product.broker.uri(), RPC_EXCHANGE, "messaging.get_channel", RawMessage(body, reply_to=short(b"nobody"), headers=headers)
    )
    with pytest.raises(DomainError) as raised:
        rpc.call("messaging", "get_channel", timeout=20, channel_id=mark)
    assert raised.value.error_code == "CHANNEL_NOT_FOUND"


# events


@pytest.mark.parametrize("name", UNREADABLE)
def test_event_whose_properties_cannot_be_read_is_taken_for_what_its_body_says(
    product: Product, letters: Letters, name: str
) -> None:
    mark = new_id()
    assert publish(
        product.broker.uri(), "messaging.events", "field_collected", RawMessage(event(mark), **{name: UNREADABLE[name]})
    )
    assert put_aside(letters, mark)["x-foyer-reason"] == "failed"  # its data are none that such an event has


@pytest.mark.parametrize("name", ODD_HEADERS)
def test_event_with_absurd_headers_goes_aside_with_its_reason(product: Product, letters: Letters, name: str) -> None:
    mark = new_id()
    message = RawMessage(f'["{mark}"]'.encode(), content_type=JSON, headers=ODD_HEADERS[name])
    assert publish(product.broker.uri(), "messaging.events", "field_collected", message)
    headers = put_aside(letters, mark)
    assert (headers["x-foyer-reason"], headers["x-foyer-exchange"]) == ("undecodable", "messaging.events")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("at", "0001-01-01T00:00:00+14:00"),
        ("at", "9999-12-31T23:59:59-10:00"),
        ("at", 5),
        ("at", "2026-01-01T00:00:00"),
        ("entity", []),
        ("entity", {"kind": "c", "id": "c", "version": "many"}),
        ("entity", {"kind": {}, "id": [], "version": 1}),
        ("source", None),
        ("data", "text"),
        ("data", [1]),
        ("contact_id", {"a": 1}),
        ("contact_id", 5),
        ("request_id", {"$set": {}}),
        ("request_id", ["a"]),
    ],
)
def test_event_with_a_part_of_another_kind_goes_aside_at_once(
    product: Product, letters: Letters, part: str, value: object
) -> None:
    mark = new_id()
    assert publish(product.broker.uri(), "messaging.events", "field_collected", RawMessage(event(mark, **{part: value})))
    headers = put_aside(letters, mark)
    assert headers["x-foyer-reason"] == "undecodable"
    assert headers["x-foyer-detail"]


@pytest.mark.parametrize(
    "data",
    [
        {"deep": json.loads("[" * 300 + "]" * 300)},
        {"contact_id": "x", "field": "name", "value": {"$where": "1"}},
        {"contact_id": "c" * 1000, "field": "\0", "value": "x"},
        {"": None, "$set": {"a": 1}, "a.b": 2},
        {"long": "x" * 3_000_000},
    ],
    ids=["deep", "operators", "long id", "keys", "long"],
)
def test_event_with_hostile_data_goes_aside_after_it_was_tried(product: Product, letters: Letters, data: object) -> None:
    mark = new_id()
    assert publish(product.broker.uri(), "messaging.events", "field_collected", RawMessage(event(mark, data=data)))
    assert put_aside(letters, mark)["x-foyer-reason"] == "failed"


# the log and the replies


def test_stream_that_resumes_from_before_hostile_messages_gets_everything_else(
    gateway: Gateway, product: Product, agent: Agent, channel_id: str
) -> None:
    first = agent.watch()
    begin = first.events[0].id
    visitors = []
    for raw in ({name: value} for name, value in UNREADABLE.items()):
        for exchange in map(event_exchange, SERVICES):
            publish(product.broker.uri(), exchange, f"unheard-{new_id()}", RawMessage(event(new_id()), **raw))
        visitors.append(Visitor(gateway, channel_id).contact_id)
    first.wait_for("contact.created", id=visitors[-1])
    first.close()
    answer = gateway.send("GET", "/v1/events", token=agent.token, headers={"Last-Event-ID": begin}, stream=True)
    seen: list[str] = []
    for line in answer.iter_lines():
        if line.startswith(b"data: ") and any(visitor.encode() in line for visitor in visitors):
            seen.append(json.loads(line[6:]).get("id", ""))
        assert line != b"event: reset"
        if visitors[-1] in seen:
            break
    answer.close()
    assert [each for each in dict.fromkeys(seen) if each in visitors] == visitors


def test_gateway_answers_on_when_its_reply_queue_is_flooded_with_nonsense(gateway: Gateway, admin: str, product: Product) -> None:
    reply_to = overhear_reply_queue(product, lambda: gateway.ask("GET", "/v1/channels", token=admin))
    for raw in UNREADABLE.items():
        assert publish(product.broker.uri(), RPC_EXCHANGE, reply_to, RawMessage(b"{}", **dict([raw])))
    for body in BODIES:
        for correlation in (b"", new_id().encode(), b"x" * 255):
            message = RawMessage(body, correlation_id=short(correlation))
            assert publish(product.broker.uri(), RPC_EXCHANGE, reply_to, message)
    assert gateway.ask("GET", "/v1/channels", token=admin)["items"]
    assert overhear_reply_queue(product, lambda: gateway.ask("GET", "/v1/channels", token=admin)) == reply_to


def overhear_reply_queue(product: Product, call: Callable[[], Any]) -> str:
    """Where the gateway wants messaging's answers, read off one of its calls."""
    connection = connect(product.broker.uri())
    try:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, RPC_EXCHANGE, "messaging.list_channels")
        call()
        message = wait_until(lambda: channel.basic_get(queue, no_ack=True), what="the call")
        return str(message.properties["reply_to"])
    finally:
        close_quietly(connection)


REPLIES: list[bytes] = [
    *BODIES,
    b'{"error": "text"}',
    b'{"error": [1]}',
    b'{"error": {"exc_args": 5}}',
    b'{"error": {"exc_args": [["CODE"], {"a": 1}, "{}"]}}',
    b'{"error": {"exc_args": ["CODE", "text", "[1]"], "general": {"a": 1}}}',
    b'{"error": {"exc_args": ["CODE", "text", 5], "value": {"a": 1}}}',
]


@pytest.mark.parametrize("body", REPLIES, ids=range(len(REPLIES)))
def test_caller_gets_a_result_or_an_error_of_ours_whatever_the_answer_is(rpc: RpcClient, product: Product, body: bytes) -> None:
    """An impostor answers with the right correlation id, in a service's name."""
    connection = connect(product.broker.uri())
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).queue
    channel.queue_bind(queue, RPC_EXCHANGE, "impostor.ask")
    outcome: list[Any] = []

    def ask() -> None:
        try:
            outcome.append(rpc.call("impostor", "ask", timeout=10))
        except Exception as error:
            outcome.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    call = wait_until(lambda: channel.basic_get(queue, no_ack=True), what="the call")
    reply = amqp.Message(body, correlation_id=call.properties["correlation_id"])
    channel.basic_publish(reply, RPC_EXCHANGE, call.properties["reply_to"])
    asking.join(30)
    close_quietly(connection)
    [result] = outcome
    if isinstance(result, Exception):
        assert isinstance(result, DomainError)
        assert (type(result.error_code), type(result.text), type(result.data)) == (str, str, dict)
        assert isinstance(result.general, str)


# anything


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.dictionaries(
    st.sampled_from(["id", "type", "source", "entity", "contact_id", "at", "request_id", "data", "traceparent"]),
    VALUES,
    max_size=3,
)
RAW = st.fixed_dictionaries(
    {},
    optional={
        "content_type": st.binary(max_size=20).map(short),
        "correlation_id": st.binary(max_size=20).map(short),
        "message_id": st.binary(max_size=20).map(short),
        "type": st.binary(max_size=20).map(short),
        "priority": st.binary(min_size=1, max_size=1),
        "timestamp": st.binary(min_size=8, max_size=8),
        "headers": st.binary(max_size=50).map(lambda value: table(any=text(value), when=b"T" + value.ljust(8, b"\0")[:8])),
    },
)


def test_nothing_is_lost_between_any_messages_at_all(product: Product, gateway: Gateway, channel_id: str, stream: Stream) -> None:
    """Random events, calls and bytes to every exchange, and a visitor's true message after every tenth of them."""
    said: dict[str, str] = {}
    published = 0

    @settings(
        max_examples=120,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        target=st.sampled_from(
            [
                (event_exchange(service), kind)
                for service in SERVICES
                for kind in ("contact_updated", "message_posted", "agent_updated")
            ]
            + [("messaging.events", "field_collected"), ("messaging.events", "visitor_met")]
            + [(RPC_EXCHANGE, key) for key in ("messaging.post_message", "presence.open_connection", "assignment.note_visitors")]
        ),
        parts=PARTS,
        body=st.none() | st.binary(max_size=100) | VALUES.map(lambda value: json.dumps(value).encode()),
        properties=RAW,
    )
    def send(target: tuple[str, str], parts: dict[str, Any], body: bytes | None, properties: dict[str, bytes]) -> None:
        nonlocal published
        source = target[0].removesuffix(".events")
        sent = event(new_id(), **{"source": source, "type": target[1]} | parts) if body is None else body
        publish(product.broker.uri(), *target, RawMessage(sent, **properties))
        published += 1
        if published % 10 == 0:
            visitor = Visitor(gateway, channel_id)
            said[visitor.contact_id] = new_id()
            visitor.say(f"Mia {said[visitor.contact_id]}")

    send()
    for contact_id, name in said.items():
        wait_until(partial(renamed, stream, contact_id, f"Mia {name}"), 20, what="every visitor's name on the stream")
    assert len(said) >= 10
