"""Every route by everybody: the table in rights.txt is what the running product does, and who is refused changes nothing."""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import pytest

from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.strangers.routes import COLUMNS, COMES_THROUGH, Row, Sent, read_table, request_for
from tests.strangers.world import Watch, World
from tests.support.product import SECRET_KEY, Agent, Gateway, Product, Visitor
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until

ROWS = read_table()
# `fields`: of those that were sent, which are read-only.
PROBLEM = {"type", "title", "status", "detail", "instance", "code", "request_id", "fields"}
# After which nothing more can be done with a conversation.
ENDINGS = {("PATCH", "/v1/conversations/{conversation_id}"), ("PATCH", "/v1/bot/conversations/{conversation_id}")}
OTHER_KEY = "another-key-that-is-as-long-as-ours-0123456789"


@dataclass(frozen=True)
class Stranger:
    """Somebody who asks: the column that tells what happens to them, and the token that they send."""

    column: str
    token: Callable[[World], str | None]


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def expired(token: str) -> str:
    return jwt.encode(claims(token) | {"iat": int(time.time()) - 2000, "exp": int(time.time()) - 1}, SECRET_KEY, "HS256")


def forged(token: str) -> str:
    return jwt.encode(claims(token), OTHER_KEY, "HS256")


def unsigned(token: str) -> str:
    return jwt.encode(claims(token), None, "none")


def promoted(token: str) -> str:
    """The claims of an admin under the signature of whom they don't belong to."""
    head, body, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | {"typ": "agent", "role": "admin"}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip('=')}.{signature}"


def signed_out(world: World) -> str:
    leaver = _admin(world, "Leaver")
    leaver.ask("POST", "/v1/auth/logout")
    return leaver.token


def deactivated(world: World) -> str:
    leaver = _admin(world, "Closed")
    world.admin.ask("PATCH", f"/v1/agents/{leaver.id}", {"active": False})
    wait_until(
        lambda: world.gateway.send("GET", "/v1/agents/me", token=leaver.token).status_code == 401, what="the end of the session"
    )
    return leaver.token


def demoted(world: World) -> str:
    leaver = _admin(world, "Demoted")
    world.admin.ask("PATCH", f"/v1/agents/{leaver.id}", {"role": "agent"})
    wait_until(
        lambda: world.gateway.send("GET", "/v1/agents/me", token=leaver.token).status_code == 401, what="the end of the session"
    )
    return leaver.token


def revoked(world: World) -> str:
    token_id, token = world.make_api_token()
    assert world.gateway.send("GET", f"/v1/bot/contacts/{world.visitor.contact_id}", token=token).status_code == 200
    world.admin.ask("DELETE", f"/v1/tokens/{token_id}")
    return token


def _admin(world: World, name: str) -> Agent:
    return Agent(world.gateway, world.admin.token, name, role="admin")


STRANGERS = {
    "nobody": Stranger("nobody", lambda world: None),
    "junk": Stranger("nobody", lambda world: "a.b.c"),
    "expired admin": Stranger("nobody", lambda world: expired(world.admin.token)),
    "expired visitor": Stranger("nobody", lambda world: expired(world.visitor.token)),
    "admin by another key": Stranger("nobody", lambda world: forged(world.admin.token)),
    "visitor by another key": Stranger("nobody", lambda world: forged(world.visitor.token)),
    "admin without a signature": Stranger("nobody", lambda world: unsigned(world.admin.token)),
    "agent who says to be an admin": Stranger("nobody", lambda world: promoted(world.agent.token)),
    "visitor who says to be an admin": Stranger("nobody", lambda world: promoted(world.visitor.token)),
    "admin who signed out": Stranger("nobody", signed_out),
    "admin whose account was closed": Stranger("nobody", deactivated),
    "admin who was made an agent": Stranger("nobody", demoted),
    "revoked API token": Stranger("nobody", revoked),
    "invented API token": Stranger("nobody", lambda world: f"foyer_{'A' * 43}"),
    "refresh token": Stranger("nobody", lambda world: world.refresh_token()),
    "visitor": Stranger("visitor", lambda world: world.visitor.token),
    "visitor of another channel": Stranger("visitor", lambda world: world.foreigner.token),
    "signed-in user of the website": Stranger("visitor", lambda world: world.user.token),
    "blocked visitor": Stranger("blocked", lambda world: world.blocked.token),
    "erased visitor": Stranger("erased", lambda world: world.erased.token),
    "agent": Stranger("agent", lambda world: world.agent.token),
    "admin": Stranger("admin", lambda world: world.admin.token),
    "API token": Stranger("bot", lambda world: world.bot),
}


@pytest.fixture(scope="module")
def world(product: Product, gateway: Gateway, admin: str, receiver: Receiver) -> World:
    """What nobody here may change."""
    world = World(product, gateway, admin, receiver)
    world.wait_until_counted(1)
    return world


@pytest.fixture
def fresh(product: Product, gateway: Gateway, admin: str, receiver: Receiver) -> World:
    """What somebody may change and delete."""
    return World(product, gateway, admin, receiver)


@dataclass(frozen=True)
class Answer:
    """What came back; of a stream, which has no end, the head alone."""

    status: int
    media_type: str
    text: str

    @property
    def ok(self) -> bool:
        return self.status < 400


def send(gateway: Gateway, sent: Sent, token: str | None) -> Answer:
    options: dict[str, Any] = {"headers": dict(sent.headers), "stream": True, "allow_redirects": False}
    if sent.data is not None:
        options["data"] = sent.data
    with gateway.send(sent.method, sent.path, sent.body, token=token, **options) as response:
        media_type = response.headers.get("Content-Type", "")
        endless = response.status_code == 101 or media_type.startswith("text/event-stream")
        return Answer(response.status_code, media_type, "" if endless else response.text)


def registered() -> set[tuple[str, str]]:
    """Every route that the application has, documented or not."""
    app = create_app(GatewaySettings.read({"FOYER_SECRET_KEY": SECRET_KEY}))
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}
    }


def test_table_has_every_route_of_the_running_product_and_no_other(gateway: Gateway) -> None:
    paths = gateway.ask("GET", "/v1/openapi.json")["paths"]
    methods = ("get", "post", "put", "patch", "delete")
    documented = {(method.upper(), path) for path, item in paths.items() for method in item if method in methods}
    table = {row.route for row in ROWS}
    assert documented <= table
    assert table == registered()


def test_table_has_a_column_for_every_scope(gateway: Gateway) -> None:
    schemas = gateway.ask("GET", "/v1/openapi.json")["components"]["schemas"]
    assert set(schemas["NewApiToken"]["properties"]["scopes"]["items"]["enum"]) <= set(COLUMNS)


def test_what_a_caller_changes_is_noticed(gateway: Gateway, fresh: World) -> None:
    fresh.wait_until_counted(1)
    watch = Watch(fresh)
    assert watch.changes() + watch.marks() == []
    fresh.agent.ask("PATCH", f"/v1/contacts/{fresh.visitor.contact_id}", {"name": fresh.mark})
    assert any(change.startswith("contacts.contacts ") for change in watch.changes())
    assert watch.marks() != []


def refused_rows(column: str) -> list[Row]:
    return [row for row in ROWS if row.cells[column] != COMES_THROUGH]


def fault(row: Row, answer: Answer, column: str) -> str | None:
    """What is wrong with an answer that should be a refusal."""
    if str(answer.status) != row.cells[column]:
        return f"{row}: {answer.status} instead of {row.cells[column]}: {answer.text[:300]}"
    if answer.media_type != "application/problem+json" or not json.loads(answer.text).keys() <= PROBLEM:
        return f"{row}: refused with more than a problem: {answer.text[:300]}"
    return None


@pytest.mark.parametrize("name", STRANGERS)
def test_stranger_is_refused_and_changes_nothing(gateway: Gateway, world: World, name: str) -> None:
    stranger = STRANGERS[name]
    token = stranger.token(world)
    watch = Watch(world)
    answers = [
        (row, send(gateway, request_for(row, world, stranger.column, world.ids), token)) for row in refused_rows(stranger.column)
    ]
    assert [text for row, answer in answers if (text := fault(row, answer, stranger.column))] == []
    # A table that was emptied would refuse nobody.
    assert len(answers) >= (2 if stranger.column == "admin" else 40)
    assert watch.changes() + watch.marks() == []


def order(row: Row) -> int:
    """What ends something comes late, and signing out after all."""
    if row.path.endswith("/logout"):
        return 3
    return 2 if row.method == "DELETE" else 1 if row.route in ENDINGS else 0


@pytest.fixture(scope="module")
def passing(product: Product, gateway: Gateway, admin: str, receiver: Receiver) -> World:
    """What visitors and nobodies do to their own, or to what is everybody's."""
    return World(product, gateway, admin, receiver)


def faults_where_allowed(gateway: Gateway, world: World, stranger: Stranger, spares: Mapping[str, str]) -> list[str]:
    token = stranger.token(world)
    faults = []
    for row in sorted((row for row in ROWS if row.cells[stranger.column] == COMES_THROUGH), key=order):
        whole = row.method == "DELETE" and row.path.count("{") == 1 and row.path.endswith("}")
        answer = send(gateway, request_for(row, world, stranger.column, {**world.ids, **(spares if whole else {})}), token)
        # Whose writing took the conversation may be told so late that another hand comes first: a caller came through to be told that.
        if not answer.ok and "ALREADY_ASSIGNED" not in answer.text:
            faults.append(f"{row}: {answer.status} {answer.text[:300]}")
    return faults


@pytest.mark.parametrize("name", ["nobody", "junk", "admin who signed out", "visitor", "blocked visitor", "erased visitor"])
def test_stranger_comes_through_where_the_table_says_so(gateway: Gateway, passing: World, name: str) -> None:
    assert faults_where_allowed(gateway, passing, STRANGERS[name], {}) == []


@pytest.mark.parametrize("name", ["agent", "admin", "API token"])
def test_member_comes_through_where_the_table_says_so(gateway: Gateway, fresh: World, name: str) -> None:
    assert faults_where_allowed(gateway, fresh, STRANGERS[name], fresh.spares()) == []


def test_visitor_reaches_nothing_of_another_where_visitors_come_through(gateway: Gateway, world: World) -> None:
    stranger = Visitor(gateway, world.channel_id)
    stranger.say("Hello")
    world.wait_until_counted(2)
    watch = Watch(world)
    for row in ROWS:
        if row.cells["visitor"] == COMES_THROUGH and row.cells["nobody"] != COMES_THROUGH:
            answer = send(gateway, request_for(row, world, "visitor", world.ids), stranger.token)
            assert answer.ok, f"{row}: {answer.text}"
            assert not any(
                one in answer.text for one in (world.visitor.conversation_id, world.visitor.contact_id, "Mine alone")
            ), row
    # Their own names the channel too.
    assert [change for change in watch.changes() if stranger.contact_id not in change] == []


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_no_way_around(gateway: Gateway, world: World, method: str) -> None:
    for row in ROWS:
        if row.cells["nobody"] == COMES_THROUGH or row.path.startswith("/v1/webhooks/messenger/"):  # where nobody signs in
            continue
        answer = send(gateway, Sent(method, request_for(row, world, "nobody", world.ids).path), None)
        if method == "OPTIONS":  # what methods there are is in the documentation too
            assert not answer.text or answer.status >= 400, (row, answer.text)
        else:
            assert answer.status in {401, 405} | ({400} if row.path.endswith("/ws") else set()), (row, answer.status)
