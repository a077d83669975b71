"""What the matrix can't see: others' things by their ids, values that nobody sends, and what refusals tell of what exists."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from services.common.ids import new_id
from tests.e2e.conftest import make_channel
from tests.strangers.routes import COLUMNS, COMES_THROUGH, Row, read_table, request_for
from tests.strangers.world import Watch, World
from tests.support.product import PASSWORD, Agent, Gateway, Product, Visitor
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until

ROWS = read_table()
# What services keep of a document, or are told of a caller: nobody else's to write. A route that takes one of them as its own is spared.
KEPT: dict[str, Any] = {
    "actor": {"kind": "agent", "id": "root", "name": "Root", "role": "admin"},
    "author": {"kind": "agent", "id": "root", "name": "Root"},
    "by": {"kind": "system", "id": None},
    "id": "mine",
    "_id": "mine",
    "version": 99,
    "seq": 99,
    "role": "admin",
    "kind": "agent",
    "active": True,
    "blocked": False,
    "handler": "agent",
    "assignee": {"id": "root"},
    "agent_id": "root",
    "contact_id": "another",
    "conversation_id": "another",
    "channel_id": "another",
    "external_id": "4711",
    "user": True,
    "created_at": "2026-01-01T00:00:00.000Z",
    "password_hash": "$argon2id$",
    "scopes": ["bot", "admin"],
    "name_source": "agent",
    "visitor_count": 1_000_000,
    "$set": {"role": "admin"},
    "__proto__": {"role": "admin"},
}
# Its body is a draft, of which it says what is wrong; nothing is stored.
DRAFTS = ("/v1/channels/{channel_id}/flow/check",)


@pytest.fixture(scope="module")
def world(product: Product, gateway: Gateway, admin: str, receiver: Receiver) -> World:
    world = World(product, gateway, admin, receiver)
    world.wait_until_counted(1)
    return world


@pytest.fixture(scope="module")
def document(gateway: Gateway) -> Any:
    return gateway.ask("GET", "/v1/openapi.json")


def refused(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def token_of(world: World, column: str) -> str | None:
    return {
        "visitor": world.visitor.token,
        "blocked": world.blocked.token,
        "erased": world.erased.token,
        "agent": world.agent.token,
        "admin": world.admin.token,
        "bot": world.bot,
    }.get(column)


def taken(document: Any, row: Row) -> set[str]:
    """The names that a route's body has, as the documentation says."""
    content = document["paths"][row.path][row.method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][content["$ref"].rpartition("/")[2]] if "$ref" in content else content
    return set(schema["properties"])


def test_what_services_keep_is_taken_from_nobody(gateway: Gateway, world: World, document: Any) -> None:
    attempts = []
    for row in ROWS:
        callers = [column for column in COLUMNS if row.cells[column] == COMES_THROUGH]
        sent = request_for(row, world, callers[-1], world.ids) if callers else None
        if sent is not None and isinstance(sent.body, dict) and row.path not in DRAFTS:
            token = token_of(world, callers[-1])
            attempts += [(row, sent.path, name, sent.body, token) for name in sorted(KEPT.keys() - taken(document, row))]
    watch = Watch(world)
    faults = []
    for row, path, name, body, token in attempts:
        answer = gateway.send(row.method, path, body | {name: KEPT[name]}, token=token)
        if refused(answer) not in {(422, "VALIDATION_FAILED"), (422, "INVALID_FLOW"), (403, "FIELD_READ_ONLY")}:
            faults.append(f"{row} with {name}: {answer.status_code} {answer.text[:200]}")
    assert faults == []
    assert len(attempts) > 500
    assert watch.changes() + watch.marks() == []


@pytest.mark.parametrize("name", ["conversation_id", "contact_id", "channel_id", "visitor_token", "after"])
def test_visitor_names_no_conversation_but_by_the_token(gateway: Gateway, world: World, name: str) -> None:
    stranger = Visitor(gateway, world.channel_id)
    value = {"channel_id": world.channel_id, "visitor_token": world.visitor.token, "contact_id": world.visitor.contact_id}
    told = value.get(name, world.visitor.conversation_id)
    for method, path, body in (
        ("GET", "/v1/widget/messages", None),
        ("GET", "/v1/widget/conversation", None),
        ("POST", "/v1/widget/messages", {"text": "x", "client_message_id": new_id()}),
        ("POST", "/v1/widget/read", {"seq": 1}),
        ("DELETE", "/v1/widget/queue", None),
        ("POST", "/v1/widget/events/ticket", None),
    ):
        assert gateway.send(method, f"{path}?{name}={told}", body, token=stranger.token).status_code == 422, path
        if body is not None:
            assert gateway.send(method, path, body | {name: told}, token=stranger.token).status_code == 422, path


def test_agent_makes_nobody_an_admin(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ann")
    for body in (
        {"role": "admin"},
        {"capacity": 1000},
        {"email": f"{new_id()}@example.org"},
        {"active": True},
        {"role": "agent"},
    ):
        before = agent.ask("GET", "/v1/agents/me")
        assert refused(gateway.send("PATCH", f"/v1/agents/{agent.id}", body, token=agent.token)) == (403, "FORBIDDEN")
        assert refused(gateway.send("PATCH", "/v1/agents/me", body, token=agent.token)) == (422, "VALIDATION_FAILED")
        assert agent.ask("GET", "/v1/agents/me") == before
    account = {"name": "Eve", "email": f"{new_id()}@example.org", "password": PASSWORD, "role": "admin"}
    assert refused(gateway.send("POST", "/v1/agents", account, token=agent.token)) == (403, "FORBIDDEN")
    assert refused(gateway.send("POST", "/v1/auth/token", {"email": account["email"], "password": PASSWORD}))[0] == 401


def test_delivery_of_another_webhook_is_neither_shown_nor_sent_again(gateway: Gateway, world: World) -> None:
    body = {"url": world.receiver.url("/mine"), "events": ["ticket.created"], "channel_ids": [world.messenger_id]}
    mine = gateway.ask("POST", "/v1/webhooks", body, token=world.admin.token)["id"]
    theirs = world.ids["delivery_id"]
    assert refused(gateway.send("GET", f"/v1/webhooks/{mine}/deliveries/{theirs}", token=world.admin.token)) == (
        404,
        "DELIVERY_NOT_FOUND",
    )
    answer = gateway.send("POST", f"/v1/webhooks/{mine}/replay", {"delivery_ids": [theirs]}, token=world.admin.token)
    assert refused(answer) == (404, "DELIVERY_NOT_FOUND")
    assert world.receiver.at("/mine") == []


def test_key_of_one_caller_finds_nothing_of_another(gateway: Gateway, world: World) -> None:
    path, body = f"/v1/contacts/{world.foreigner.contact_id}/notes", {"text": "Once"}
    headers = {"Idempotency-Key": new_id()}
    made = [
        gateway.ask("POST", path, body, token=who.token, headers=headers)["id"] for who in (world.agent, world.other, world.admin)
    ]
    assert len(set(made)) == 3


def test_key_of_one_channels_visit_finds_no_visitor_of_another(gateway: Gateway, admin: str, world: World) -> None:
    headers = {"Idempotency-Key": new_id()}
    channels = (world.elsewhere_id, make_channel(gateway, admin))
    found = [gateway.ask("POST", f"/v1/widget/{each}/session", {}, headers=headers)["contact"]["id"] for each in channels]
    assert len(set(found)) == 2


def test_message_id_of_one_conversation_finds_nothing_in_another_nor_of_another_author(gateway: Gateway, world: World) -> None:
    key = new_id()
    visitors = [Visitor(gateway, world.elsewhere_id) for _ in range(2)]
    said = [visitor.say(f"Mine, {visitor.contact_id}", key=key) for visitor in visitors]
    assert len({message["id"] for message in said}) == 2
    path = f"/v1/conversations/{visitors[0].conversation_id}/messages"
    answer = gateway.send("POST", path, {"text": said[0]["text"], "client_message_id": key}, token=world.agent.token)
    assert refused(answer) == (422, "CLIENT_MESSAGE_ID_REUSED")


def test_stream_of_a_visitor_tells_nothing_of_another_however_far_back_it_goes(
    gateway: Gateway, admin: str, world: World
) -> None:
    watcher = Visitor(gateway, world.channel_id)
    stream = watcher.watch()
    ready = stream.events[0].id
    stream.close()
    other = Visitor(gateway, world.channel_id)
    secret = new_id()
    other.say(secret)
    Agent(gateway, admin, f"Agent {secret}").ask("POST", f"/v1/contacts/{other.contact_id}/notes", {"text": secret})
    epoch, _, offset = ready.rpartition("-")
    own = watcher.say("Mine")
    for last in (ready, f"{epoch}-{max(0, int(offset) - 1000)}"):
        headers = {"Last-Event-ID": last}
        told = b""
        with gateway.send("GET", "/v1/widget/events", token=watcher.token, headers=headers, stream=True) as response:
            assert response.status_code == 200
            for chunk in response.iter_content(None):
                told += chunk
                if own["id"].encode() in told or b"event: reset" in told:
                    break
        assert own["id"].encode() in told, "the own message is among what was missed"
        assert secret.encode() not in told
        assert other.conversation_id.encode() not in told


@pytest.mark.parametrize(
    "position",
    [[{"$gt": ""}, "x"], [{"$ne": None}, {"$ne": None}], ["t:2026-01-01T00:00:00.000Z", {"$where": "sleep(5000)"}], [[], []]],
)
def test_invented_cursor_asks_the_database_nothing(gateway: Gateway, world: World, position: Any) -> None:
    cursor = urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")
    contact = f"/v1/contacts/{world.visitor.contact_id}"
    for path in (
        "/v1/agents",
        "/v1/channels",
        "/v1/conversations",
        "/v1/contacts",
        "/v1/tickets",
        "/v1/teams",
        f"{contact}/notes",
    ):
        assert refused(gateway.send("GET", f"{path}?cursor={cursor}", token=world.admin.token)) == (400, "CURSOR_INVALID"), path


def closed_to(column: str) -> Iterator[Row]:
    """Rows whose door is shut to a column before anybody looks at what is asked."""
    for row in ROWS:
        signed_in = not row.path.startswith("/v1/webhooks/messenger/")
        if row.cells[column] in {"401", "403"} and not row.meaning and signed_in and column != "blocked":
            yield row


def said(answer: requests.Response) -> tuple[int, str]:
    told = {name: value for name, value in answer.json().items() if name not in {"instance", "request_id"}}
    return answer.status_code, str(told)


@pytest.mark.parametrize("column", ["nobody", "visitor", "agent", "bot"])
def test_refusal_is_the_same_whether_or_not_there_is_what_is_asked_for(gateway: Gateway, world: World, column: str) -> None:
    nowhere = dict.fromkeys(world.ids, new_id())
    compared = 0
    for row in closed_to(column):
        if "{" in row.path:
            both = [
                said(gateway.send(row.method, row.path.format(**ids), token=token_of(world, column)))
                for ids in (world.ids, nowhere)
            ]
            assert both[0] == both[1], row
            compared += 1
    assert compared >= 10


@pytest.mark.parametrize("column", ["nobody", "visitor", "agent", "bot"])
def test_body_of_who_is_refused_is_not_looked_at(gateway: Gateway, world: World, column: str) -> None:
    headers = {"Content-Type": "application/json"}
    for row in closed_to(column):
        if row.method in {"POST", "PUT", "PATCH"}:
            for garbage in (b"{", b"[" * 10_000, b'{"name": 5, "nonsense": 1}'):
                path = row.path.format(**world.ids)
                answer = gateway.send(row.method, path, data=garbage, token=token_of(world, column), headers=headers)
                assert str(answer.status_code) == row.cells[column], (row, garbage[:20], answer.text[:200])


def test_ids_tell_nothing_of_other_ids(gateway: Gateway, world: World) -> None:
    """They begin with the time, so that they sort; what follows can't be guessed: half a million guesses hit nothing by chance either."""
    ids = [gateway.ask("POST", f"/v1/widget/{world.elsewhere_id}/session", {})["contact"]["id"] for _ in range(20)]
    tails = [one[-16:] for one in ids]
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    assert len({tail[:8] for tail in tails}) == len({tail[8:] for tail in tails}) == 20


def test_visitor_sees_no_id_of_an_agent_and_nothing_private(gateway: Gateway, world: World) -> None:
    visitor = Visitor(gateway, world.channel_id)
    stream = visitor.watch()
    private = new_id()
    world.agent.ask("POST", f"/v1/contacts/{visitor.contact_id}/notes", {"text": private, "highlighted": True})
    world.agent.ask("POST", f"/v1/contacts/{visitor.contact_id}/tickets", {"subject": private})
    assignee = {"agent_id": world.agent.id, "remark": private}
    world.agent.ask("PUT", f"/v1/conversations/{visitor.conversation_id}/assignee", assignee)
    said = world.agent.say(visitor.conversation_id, "Hello from Ann")
    stream.wait_for("message.created", id=said["id"])
    wait_until(lambda: visitor.conversation()["assignee"] == {"name": "Ann"}, what="the agent's name")
    seen = [stream.events, visitor.messages(), visitor.conversation()]
    seen.append(gateway.ask("POST", f"/v1/widget/{world.channel_id}/session", {"visitor_token": visitor.token}))
    for told in seen:
        assert private not in str(told)
        assert world.agent.id not in str(told)
        assert world.agent.email not in str(told)
    stream.close()
