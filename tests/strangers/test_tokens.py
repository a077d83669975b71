"""Stolen, ended, borrowed and mistaken tokens: good for nothing on any gateway, and what they had opened ends."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import jwt
import pytest
import requests

from gateway.api_tokens import REMEMBER_SECONDS
from services.presence.sessions import REUSE_GRACE
from tests.e2e.conftest import make_channel
from tests.support.product import PASSWORD, SECRET_KEY, Agent, Gateway, Product, Visitor
from tests.support.waiting import wait_until
from tests.support.websocket import Closed, WebSocket, websocket

ME = "/v1/agents/me"
TICKET, EVENTS = "/v1/events/ticket", "/v1/events"
WIDGET_TICKET, WIDGET_EVENTS = "/v1/widget/events/ticket", "/v1/widget/events"


def refused(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


class Session:
    """A sign-in with all that came of it."""

    def __init__(self, gateway: Gateway, email: str) -> None:
        self.gateway = gateway
        self._take(gateway.ask("POST", "/v1/auth/token", {"email": email, "password": PASSWORD}))

    def _take(self, answer: dict[str, Any]) -> None:
        self.token, self.refresh_token = str(answer["access_token"]), str(answer["refresh_token"])

    def refresh(self) -> None:
        self._take(self.gateway.ask("POST", "/v1/auth/refresh", {"refresh_token": self.refresh_token}))

    def try_to_refresh(self, token: str | None = None) -> requests.Response:
        return self.gateway.send("POST", "/v1/auth/refresh", {"refresh_token": token or self.refresh_token})


class Streams:
    """An agent's open streams of both kinds on each gateway."""

    def __init__(self, gateways: tuple[Gateway, ...], token: str, opened: ExitStack) -> None:
        self.sockets: list[WebSocket] = []
        self.responses: list[HTTPResponse] = []
        for gateway in gateways:
            socket = opened.enter_context(websocket(gateway, f"{EVENTS}/ws", token))
            assert socket.receive()["event"] == "stream.ready"
            self.sockets.append(socket)
            connection = HTTPConnection(gateway.url.removeprefix("http://"), timeout=15)
            opened.callback(connection.close)
            connection.request("GET", EVENTS, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            while response.readline() != b"event: stream.ready\n":
                assert response.status == 200
            self.responses.append(response)

    def wait_for_end(self) -> None:
        """Each ends, the WebSockets saying why."""
        for socket in self.sockets:
            with pytest.raises(Closed, match="1008"):
                receive_all(socket)
        for response in self.responses:
            response.read()  # until the server ends it, else the connection's timeout fails the test


def receive_all(socket: WebSocket) -> None:
    while True:
        socket.receive()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ann")


@pytest.fixture(scope="module")
def visitor(gateway: Gateway, channel_id: str) -> Visitor:
    return Visitor(gateway, channel_id)


def sign_out(gateway: Gateway, admin: str, agent: Agent, session: Session) -> None:
    gateway.ask("POST", "/v1/auth/logout", token=session.token)


def choose_another_password(gateway: Gateway, admin: str, agent: Agent, session: Session) -> None:
    gateway.ask("PATCH", ME, {"password": "quite another password"}, token=session.token)


def be_given_another_password(gateway: Gateway, admin: str, agent: Agent, session: Session) -> None:
    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"password": "quite another password"}, token=admin)


def be_given_another_role(gateway: Gateway, admin: str, agent: Agent, session: Session) -> None:
    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"role": "admin"}, token=admin)


def be_deactivated(gateway: Gateway, admin: str, agent: Agent, session: Session) -> None:
    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"active": False}, token=admin)


def be_stolen(gateway: Gateway, admin: str, agent: Agent, session: Session) -> None:
    """The thief comes with a token that its owner has exchanged, and exchanged again, since."""
    stolen = session.refresh_token
    session.refresh()
    session.refresh()
    assert refused(session.try_to_refresh(stolen)) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    "end",
    [sign_out, choose_another_password, be_given_another_password, be_given_another_role, be_deactivated, be_stolen],
    ids=lambda end: str(end.__name__),
)
def test_session_that_ends_is_over_on_every_gateway_with_its_streams_tickets_and_tokens(
    gateway: Gateway,
    second: Gateway,
    admin: str,
    agent: Agent,
    opened: ExitStack,
    end: Callable[[Gateway, str, Agent, Session], None],
) -> None:
    session = Session(gateway, agent.email)
    earlier = session.token
    tickets = [each.ask("POST", TICKET, token=session.token)["ticket"] for each in (gateway, second)]
    streams = Streams((gateway, second), session.token, opened)
    end(gateway, admin, agent, session)
    streams.wait_for_end()
    for each, ticket in zip((gateway, second), tickets, strict=True):
        for token in {earlier, session.token}:
            assert refused(each.send("GET", ME, token=token)) == (401, "TOKEN_INVALID")
            assert refused(each.send("GET", EVENTS, token=token)) == (401, "TOKEN_INVALID")
            assert refused(each.send("POST", TICKET, token=token)) == (401, "TOKEN_INVALID")
        assert refused(each.send("GET", f"{EVENTS}?ticket={ticket}")) == (401, "TOKEN_INVALID")
        assert refused(session.try_to_refresh()) == (401, "TOKEN_INVALID")


def test_other_sessions_go_on_when_one_signs_out(gateway: Gateway, second: Gateway, agent: Agent) -> None:
    left, kept = Session(gateway, agent.email), Session(second, agent.email)
    gateway.ask("POST", "/v1/auth/logout", token=left.token)
    wait_until(lambda: second.send("GET", ME, token=left.token).status_code == 401, what="the end of the session")
    assert second.ask("GET", ME, token=kept.token)["id"] == agent.id
    kept.refresh()
    assert gateway.ask("GET", ME, token=kept.token)["id"] == agent.id


def test_owner_and_thief_both_lose_a_session_whose_token_came_twice(product: Product, gateway: Gateway, agent: Agent) -> None:
    owner, thief = Session(gateway, agent.email), Session(gateway, agent.email)
    thief.refresh_token = owner.refresh_token
    owner.refresh()
    thief.refresh()  # within the grace, in which it may be the owner whose answer got lost
    owner.refresh()  # whoever of the two goes on ends the other's part
    assert refused(thief.try_to_refresh()) == (401, "TOKEN_INVALID")
    for token in (owner.token, thief.token):
        wait_until(lambda token=token: gateway.send("GET", ME, token=token).status_code == 401, what="the end of the session")  # type: ignore[misc]
    assert refused(owner.try_to_refresh()) == (401, "TOKEN_INVALID")


def test_exchanged_token_is_stolen_once_its_grace_is_over(product: Product, gateway: Gateway, agent: Agent) -> None:
    session = Session(gateway, agent.email)
    stolen = session.refresh_token
    session.refresh()
    claims = jwt.decode(session.token, SECRET_KEY, algorithms=["HS256"])
    sessions = product.mongo("presence")["sessions"]
    found = sessions.find_one({"_id": claims["sid"]}) or {}
    sessions.update_one({"_id": claims["sid"]}, {"$set": {"spent.until": found["spent"]["until"] - REUSE_GRACE}})
    assert refused(session.try_to_refresh(stolen)) == (401, "TOKEN_INVALID")
    assert refused(session.try_to_refresh()) == (401, "TOKEN_INVALID")


@pytest.fixture
def api_token(gateway: Gateway, admin: str) -> dict[str, Any]:
    made: dict[str, Any] = gateway.ask("POST", "/v1/tokens", {"name": "CRM", "scopes": ["bot"]}, token=admin)
    return made


def test_api_token_is_refused_at_once_where_it_was_revoked(
    gateway: Gateway, admin: str, api_token: dict[str, Any], visitor: Visitor
) -> None:
    path = f"/v1/bot/contacts/{visitor.contact_id}"
    assert gateway.ask("GET", path, token=api_token["token"])["id"] == visitor.contact_id
    gateway.ask("DELETE", f"/v1/tokens/{api_token['id']}", token=admin)
    assert refused(gateway.send("GET", path, token=api_token["token"])) == (401, "TOKEN_INVALID")


@pytest.mark.slow
def test_api_token_is_refused_elsewhere_soon_after_it_was_revoked(
    gateway: Gateway, second: Gateway, admin: str, api_token: dict[str, Any], visitor: Visitor
) -> None:
    path = f"/v1/bot/contacts/{visitor.contact_id}"
    assert second.ask("GET", path, token=api_token["token"])["id"] == visitor.contact_id
    gateway.ask("DELETE", f"/v1/tokens/{api_token['id']}", token=admin)

    def ended() -> bool:
        return second.send("GET", path, token=api_token["token"]).status_code == 401

    # As long as it may be remembered, by however many uses meanwhile.
    wait_until(ended, REMEMBER_SECONDS + 5, what="the end of the token", interval=0.2)


def test_ticket_opens_one_stream_whoever_comes_at_once(gateway: Gateway, second: Gateway, agent: Agent) -> None:
    ticket = agent.ask("POST", TICKET)["ticket"]

    def use(each: Gateway) -> int:
        with each.send("GET", f"{EVENTS}?ticket={ticket}", stream=True) as response:
            return response.status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(use, [gateway, second] * 4))
    assert sorted(statuses) == [200] + [401] * 7


def test_ticket_is_good_for_its_owners_kind_of_stream_alone_and_used_up_by_the_attempt(
    gateway: Gateway, agent: Agent, visitor: Visitor
) -> None:
    tickets = {
        WIDGET_EVENTS: agent.ask("POST", TICKET)["ticket"],
        EVENTS: gateway.ask("POST", WIDGET_TICKET, token=visitor.token)["ticket"],
    }
    for path, ticket in tickets.items():
        assert refused(gateway.send("GET", f"{path}?ticket={ticket}")) == (403, "FORBIDDEN")
        for again in (EVENTS, WIDGET_EVENTS):
            assert refused(gateway.send("GET", f"{again}?ticket={ticket}")) == (401, "TOKEN_INVALID")


def test_ticket_opens_nothing_but_a_stream(gateway: Gateway, agent: Agent) -> None:
    ticket = agent.ask("POST", TICKET)["ticket"]
    assert refused(gateway.send("GET", ME, token=ticket)) == (401, "TOKEN_INVALID")
    assert gateway.send("GET", f"{ME}?ticket={ticket}").status_code == 422  # no address but a stream's knows the word
    assert refused(gateway.send("POST", "/v1/auth/refresh", {"refresh_token": ticket})) == (401, "TOKEN_INVALID")
    with gateway.send("GET", f"{EVENTS}?ticket={ticket}", stream=True) as response:
        assert response.status_code == 200


def test_tokens_owner_is_asked_for_and_not_the_tickets_when_both_are_sent(
    gateway: Gateway, agent: Agent, visitor: Visitor
) -> None:
    ticket = agent.ask("POST", TICKET)["ticket"]
    assert refused(gateway.send("GET", f"{EVENTS}?ticket={ticket}", token=visitor.token)) == (403, "FORBIDDEN")
    assert refused(gateway.send("GET", f"{EVENTS}?ticket={ticket}", token="a.b.c")) == (401, "TOKEN_INVALID")


def test_one_kind_of_secret_is_no_other(gateway: Gateway, agent: Agent, visitor: Visitor, api_token: dict[str, Any]) -> None:
    session = Session(gateway, agent.email)
    for token in (session.token, visitor.token, api_token["token"]):
        assert session.try_to_refresh(token[:200]).status_code == 401
    for path in (ME, "/v1/widget/conversation", f"/v1/bot/contacts/{visitor.contact_id}"):
        for token in (session.refresh_token, PASSWORD.replace(" ", "-"), visitor.contact_id, agent.id):
            assert refused(gateway.send("GET", path, token=token)) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Cookie": "access_token={token}; token={token}; Authorization=Bearer {token}"}, ""),
        ({"X-Authorization": "Bearer {token}"}, ""),
        ({"Proxy-Authorization": "Bearer {token}"}, ""),
        ({"Authorization": "{token}"}, ""),
        ({"Authorization": "Basic {token}"}, ""),
        ({"Authorization": "Bearer{token}"}, ""),
        ({"X-Api-Key": "{token}"}, ""),
        ({}, "?access_token={token}"),
        ({}, "?token={token}"),
    ],
)
def test_token_counts_nowhere_but_in_its_header(gateway: Gateway, agent: Agent, headers: dict[str, str], query: str) -> None:
    sent = {name: value.format(token=agent.token) for name, value in headers.items()}
    response = gateway.send("GET", ME + query.format(token=agent.token), headers=sent)
    assert refused(response) in {(401, "UNAUTHENTICATED"), (422, "VALIDATION_FAILED")}
    assert agent.token not in response.text


def test_nothing_that_signs_somebody_in_sets_a_cookie_or_stays_in_a_cache(
    gateway: Gateway, admin: str, agent: Agent, visitor: Visitor, channel_id: str
) -> None:
    session = Session(gateway, agent.email)
    answers = [
        gateway.send("POST", "/v1/auth/token", {"email": agent.email, "password": PASSWORD}),
        session.try_to_refresh(),
        gateway.send("POST", TICKET, token=agent.token),
        gateway.send("POST", WIDGET_TICKET, token=visitor.token),
        gateway.send("POST", f"/v1/widget/{channel_id}/session", {}),
        gateway.send("POST", "/v1/tokens", {"name": "CRM", "scopes": ["bot"]}, token=admin),
        gateway.send("POST", f"/v1/channels/{make_channel(gateway, admin)}/identity-secret", token=admin),
    ]
    for answer in answers:
        assert answer.ok, answer.text
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_visitors_token_of_another_channel_begins_a_new_visitor(gateway: Gateway, admin: str, visitor: Visitor) -> None:
    visitor.say("Mine alone")
    session = gateway.ask("POST", f"/v1/widget/{make_channel(gateway, admin)}/session", {"visitor_token": visitor.token})
    assert session["contact"]["id"] != visitor.contact_id
    assert "Mine alone" not in str(session)


def test_agents_and_integrations_tokens_are_no_visitors(
    gateway: Gateway, agent: Agent, channel_id: str, api_token: dict[str, Any]
) -> None:
    path = f"/v1/widget/{channel_id}/session"
    tokens = (agent.token, api_token["token"], "a.b.c")
    known = {gateway.ask("POST", path, {"visitor_token": token})["contact"]["id"] for token in tokens}
    assert len(known) == 3
    assert agent.id not in known
