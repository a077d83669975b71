"""Signed-in users of a website over HTTP: known on every device, verified, never mistaken for each other."""

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from services.common.ids import new_id
from tests.e2e.conftest import make_channel
from tests.support.product import Agent, Gateway, Product, Visitor
from tests.support.remains import find_remains
from tests.support.waiting import wait_until
from tests.support.websocket import Closed, WebSocket, websocket

TICKET = "/v1/widget/events/ticket"
SOCKET = "/v1/widget/events/ws"
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
# All that a visitor's token is good for.
USES: list[tuple[str, str, Any]] = [
    ("GET", "/v1/widget/conversation", None),
    ("GET", "/v1/widget/messages", None),
    ("POST", "/v1/widget/messages", {"text": "Nobody's word", "client_message_id": "1"}),
    ("POST", "/v1/widget/read", {"seq": 1}),
    ("POST", "/v1/widget/typing", {"typing": True}),
    ("DELETE", "/v1/widget/queue", None),
    ("POST", "/v1/widget/pages", {"url": "https://shop.example/theirs"}),
    ("POST", TICKET, None),
    ("GET", "/v1/widget/events", None),
    ("GET", SOCKET, None),
]


class Website:
    """A website with a channel, whose server signs for its users."""

    def __init__(self, gateway: Gateway, admin: str) -> None:
        self.gateway, self.admin = gateway, admin
        self.channel_id = make_channel(gateway, admin)
        self.path = f"/v1/channels/{self.channel_id}/identity-secret"
        self.secret = self.renew()

    def renew(self) -> str:
        self.secret = str(self.gateway.ask("POST", self.path, token=self.admin)["identity_secret"])
        return self.secret

    def user(self, user_id: str, **told: Any) -> dict[str, Any]:
        """What the page sends of a user."""
        signature = hmac.new(self.secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()
        return {"id": user_id, "hash": signature} | told

    def visit(self, **session: Any) -> Visitor:
        return Visitor(self.gateway, self.channel_id, **session)

    def contact(self, contact_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.gateway.ask("GET", f"/v1/contacts/{contact_id}", token=self.admin)
        return found

    def found(self, query: str = "") -> list[str]:
        items = self.gateway.ask("GET", f"/v1/contacts?channel_id={self.channel_id}&q={query}", token=self.admin)["items"]
        return [item["id"] for item in items]

    def try_to_visit(self, **session: Any) -> requests.Response:
        return self.gateway.send("POST", f"/v1/widget/{self.channel_id}/session", session)


def receive_all(client: WebSocket) -> None:
    """Receive until the server closes. Raises Closed."""
    while True:
        client.receive()


@pytest.fixture
def site(gateway: Gateway, admin: str) -> Website:
    return Website(gateway, admin)


@pytest.fixture(scope="module")
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ada")


def refused(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_visitor_who_signs_in_goes_on_with_the_conversation_and_is_known_on_another_device(site: Website, agent: Agent) -> None:
    stream = agent.watch()
    visitor = site.visit()
    visitor.say("Mia")
    signed_in = site.visit(visitor_token=visitor.token, user=site.user("4711", name="Mia Lund", phone="+351211234567"))
    assert (signed_in.contact_id, signed_in.conversation_id) == (visitor.contact_id, visitor.conversation_id)
    assert [message["text"] for message in signed_in.messages() if message["author"]["kind"] == "visitor"] == ["Mia"]
    told = stream.wait_for("contact.updated", external_id="4711")
    assert (told["id"], told["phone"]) == (visitor.contact_id, "+351211234567")
    phone = site.visit(user=site.user("4711"))
    assert (phone.contact_id, phone.conversation_id) == (visitor.contact_id, visitor.conversation_id)
    phone.say("mia@example.com")
    assert signed_in.messages() == phone.messages()
    assert site.contact(visitor.contact_id)["external_id"] == "4711"
    assert site.found("4711") == [visitor.contact_id]
    history = agent.ask("GET", f"/v1/contacts/{visitor.contact_id}/history?limit=100")["items"]
    by_field = {entry["field"]: entry["by"]["kind"] for entry in history}
    assert (by_field["external_id"], by_field["phone"]) == ("channel", "channel")
    conversation = f"/v1/conversations/{visitor.conversation_id}"
    wait_until(lambda: agent.ask("GET", conversation)["contact"]["name"] == "Mia Lund", what="the name in the conversation")
    stream.close()


def test_visitor_sees_nothing_of_the_websites_id(site: Website) -> None:
    visitor = site.visit(user=site.user("user-id-4711", email="mia@example.com"))
    assert visitor.session["contact"].keys() == {"id", "name", "email", "phone", "locale"}
    assert visitor.session["contact"]["email"] == "mia@example.com"
    assert "user-id-4711" not in str(visitor.session)


def test_known_user_leaves_a_strangers_conversation_alone(site: Website) -> None:
    user = site.visit(user=site.user("4711"))
    stranger = site.visit()
    stranger.say("Somebody else")
    assert site.visit(visitor_token=stranger.token, user=site.user("4711")).conversation_id == user.conversation_id
    assert site.contact(stranger.contact_id)["external_id"] is None
    assert site.visit(visitor_token=stranger.token).contact_id == stranger.contact_id


def test_whoever_comes_after_a_user_at_the_same_computer_begins_anew(site: Website) -> None:
    visitor = site.visit()
    user = site.visit(visitor_token=visitor.token, user=site.user("4711", name="Mia Lund"))
    for token in (visitor.token, user.token):
        after = site.visit(visitor_token=token)
        assert after.contact_id != user.contact_id
        assert after.session["contact"]["name"] != "Mia Lund"
        other = site.visit(visitor_token=token, user=site.user("4712"))
        assert other.contact_id not in (user.contact_id, after.contact_id)
    # The user's own token goes on elsewhere.
    assert user.say("Still me")["conversation_id"] == user.conversation_id


def test_who_chatted_at_the_computer_before_the_user_signed_in_neither_reads_nor_writes_as_the_user(
    site: Website, gateway: Gateway
) -> None:
    stranger = site.visit()
    stranger.say("Somebody before")
    ticket = gateway.ask("POST", TICKET, token=stranger.token)["ticket"]
    with websocket(gateway, SOCKET, stranger.token) as opened:
        assert opened.receive()["event"] == "stream.ready"
        user = site.visit(visitor_token=stranger.token, user=site.user("4711", name="Mia Lund"))
        assert (user.contact_id, user.conversation_id) == (stranger.contact_id, stranger.conversation_id)
        for method, path, body in USES:
            headers = UPGRADE if path == SOCKET else {}
            answer = gateway.send(method, path, body, token=stranger.token, headers=headers)
            assert refused(answer) == (401, "TOKEN_INVALID"), path
        assert refused(gateway.send("GET", f"/v1/widget/events?ticket={ticket}")) == (401, "TOKEN_INVALID")
        with pytest.raises(Closed, match="1008"):
            receive_all(opened)
    secret = user.say("For the agent's eyes")
    phone = site.visit(user=site.user("4711"))
    for mine in (user, phone):
        assert secret["id"] in [message["id"] for message in mine.messages()]
        with websocket(gateway, SOCKET, mine.token) as stream:
            assert stream.receive()["event"] == "stream.ready"
            said = user.say("More")
            while stream.receive()["data"].get("id") != said["id"]:
                pass
        assert gateway.send("POST", "/v1/widget/pages", {"url": "https://shop.example/mine"}, token=mine.token).status_code == 204
        assert gateway.send("POST", "/v1/widget/typing", {"typing": True}, token=mine.token).status_code == 204
        ticket = gateway.ask("POST", TICKET, token=mine.token)["ticket"]
        with websocket(gateway, f"{SOCKET}?ticket={ticket}", None) as stream:
            assert stream.receive()["event"] == "stream.ready"
    pages = site.contact(user.contact_id)["url"]["pages"]
    assert "https://shop.example/theirs" not in [page["url"] for page in pages]
    assert "Nobody's word" not in str(user.messages())


def test_several_sessions_of_a_new_user_at_once_are_one_contact_with_one_conversation(site: Website) -> None:
    user = site.user("4711")
    with ThreadPoolExecutor(8) as pool:
        sessions = [answer.json() for answer in pool.map(lambda _: site.try_to_visit(user=user), range(16))]
    assert len({session["contact"]["id"] for session in sessions}) == 1
    assert len({session["conversation"]["id"] for session in sessions}) == 1
    assert len(site.found()) == 1


def test_one_of_two_users_takes_the_visitor_over_when_both_come_with_its_token(site: Website) -> None:
    visitor = site.visit()
    users = [site.user(new_id()) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda user: site.try_to_visit(user=user, visitor_token=visitor.token), users))
    contacts = [answer.json()["contact"]["id"] for answer in answers]
    assert len(set(contacts)) == 4
    assert contacts.count(visitor.contact_id) == 1
    assert [site.contact(contact)["external_id"] for contact in contacts] == [user["id"] for user in users]


def test_repeated_session_meets_the_first_also_when_it_says_only_now_who_it_is(site: Website) -> None:
    headers = {"Idempotency-Key": new_id()}
    path = f"/v1/widget/{site.channel_id}/session"

    def visit(**session: Any) -> str:
        return str(site.gateway.ask("POST", path, session, headers=headers)["contact"]["id"])

    first = visit()
    assert visit(user=site.user("4711")) == visit(user=site.user("4711")) == first
    assert visit() != first
    assert visit(user=site.user("4712")) != first


@pytest.mark.parametrize("upper", [False, True])
def test_hash_is_good_in_letters_of_either_case_and_for_any_alphabet(site: Website, *, upper: bool) -> None:
    user = site.user("Zoë 用户 🦦")
    user["hash"] = user["hash"].upper() if upper else user["hash"]
    assert site.contact(site.visit(user=user).contact_id)["external_id"] == "Zoë 用户 🦦"


def test_session_is_refused_and_nothing_changes_when_the_user_is_not_verified(
    site: Website, gateway: Gateway, admin: str
) -> None:
    known = site.visit(user=site.user("4711", name="Mia Lund"))
    visitor = site.visit()
    before = [site.contact(contact) for contact in (known.contact_id, visitor.contact_id)]
    other = Website(gateway, admin)
    attempts = [
        site.user("4711") | {"hash": "0" * 64},
        site.user("4711") | {"id": "4712"},
        site.user("4711 ") | {"id": "4711"},
        other.user("4711", name="Eve"),
    ]
    for user in attempts:
        for token in (visitor.token, known.token, None):
            assert refused(site.try_to_visit(user=user, visitor_token=token)) == (403, "IDENTITY_NOT_VERIFIED")
    assert [site.contact(contact) for contact in (known.contact_id, visitor.contact_id)] == before
    assert len(site.found()) == 2


def test_hash_is_no_longer_good_when_the_secret_was_replaced_or_taken_away(site: Website, gateway: Gateway, admin: str) -> None:
    old = site.user("4711")
    user = site.visit(user=old)
    site.renew()
    assert refused(site.try_to_visit(user=old)) == (403, "IDENTITY_NOT_VERIFIED")
    assert site.visit(user=site.user("4711")).contact_id == user.contact_id
    channel = f"/v1/channels/{site.channel_id}"
    assert gateway.ask("GET", channel, token=admin)["has_identity_secret"]
    assert site.secret not in gateway.send("GET", channel, token=admin).text
    for _ in range(2):
        assert gateway.send("DELETE", site.path, token=admin).status_code == 204
    assert not gateway.ask("GET", channel, token=admin)["has_identity_secret"]
    assert refused(site.try_to_visit(user=site.user("4711"))) == (403, "IDENTITY_NOT_VERIFIED")
    assert site.visit().contact_id != user.contact_id
    assert user.say("Still here")["conversation_id"] == user.conversation_id


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"id": "a\tb"}, "user.id"),
        ({"id": "x" * 201}, "user.id"),
        ({"hash": "abc"}, "user.hash"),
        ({"name": 7}, "user.name"),
        ({"admin": True}, "user.admin"),
    ],
)
def test_session_is_refused_when_the_user_is_malformed(site: Website, wrong: dict[str, Any], place: str) -> None:
    response = site.try_to_visit(user=site.user("4711") | wrong)
    assert refused(response) == (422, "VALIDATION_FAILED")
    assert set(response.json()["errors"]) == {place}
    assert site.found() == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_secret_is_for_admins_and_of_websites(site: Website, gateway: Gateway, admin: str, agent: Agent, method: str) -> None:
    visitor = site.visit()
    bot = gateway.ask("POST", "/v1/tokens", {"name": "CRM", "scopes": ["bot"]}, token=admin)["token"]
    for token in (agent.token, visitor.token, bot):
        assert refused(gateway.send(method, site.path, token=token)) == (403, "FORBIDDEN")
    assert refused(gateway.send(method, site.path)) == (401, "UNAUTHENTICATED")
    page = gateway.ask("POST", "/v1/channels", {"kind": "messenger", "name": "Page"}, token=admin)["id"]
    assert refused(gateway.send(method, f"/v1/channels/{page}/identity-secret", token=admin)) == (409, "CONFLICT")
    nowhere = f"/v1/channels/{new_id()}/identity-secret"
    assert refused(gateway.send(method, nowhere, token=admin)) == (404, "CHANNEL_NOT_FOUND")
    assert site.visit(user=site.user("4711")).contact_id


def test_block_holds_on_every_device_and_against_signing_in(site: Website, agent: Agent) -> None:
    user, visitor = site.visit(user=site.user("4711")), site.visit()
    for contact_id in (user.contact_id, visitor.contact_id):
        agent.ask("PATCH", f"/v1/contacts/{contact_id}", {"blocked": True})
    assert refused(site.try_to_visit(user=site.user("4711"))) == (403, "CONTACT_BLOCKED")
    assert refused(site.try_to_visit(user=site.user("4712"), visitor_token=visitor.token)) == (403, "CONTACT_BLOCKED")
    assert site.contact(visitor.contact_id)["external_id"] is None
    agent.ask("PATCH", f"/v1/contacts/{user.contact_id}", {"blocked": False})
    assert site.visit(user=site.user("4711")).contact_id == user.contact_id


def test_user_is_exported_with_the_websites_id_and_begins_anew_when_erased(
    site: Website, product: Product, gateway: Gateway, admin: str
) -> None:
    user_id = f"user-{new_id()}"
    user = site.visit(user=site.user(user_id, name="Mia Lund", email="n/a"))
    path = f"/v1/contacts/{user.contact_id}"
    exported = gateway.ask("GET", f"{path}/export", token=admin)
    assert exported["contact"]["external_id"] == user_id
    assert [entry["value"] for entry in exported["history"] if entry["field"] == "external_id"] == [user_id]
    assert [(record["field"], record["value"]) for record in exported["ignored"]] == [("email", "n/a")]
    gateway.ask("DELETE", path, token=admin)
    wait_until(lambda: not find_remains(product.mongo("contacts"), user_id), what="the end of the id in contacts")
    wait_until(lambda: not find_remains(product.mongo("messaging"), user_id), what="the end of the id in messaging")
    again = site.visit(visitor_token=user.token, user=site.user(user_id))
    assert again.contact_id != user.contact_id
    assert again.conversation_id != user.conversation_id


def test_agents_name_stays_and_integrations_see_the_user(site: Website, gateway: Gateway, admin: str, agent: Agent) -> None:
    user = site.visit(user=site.user("4711", name="Mia Lund", email="mia@example.com"))
    agent.ask("PATCH", f"/v1/contacts/{user.contact_id}", {"name": "Mia L.", "email": "right@example.com"})
    site.visit(user=site.user("4711", name="Mia Berg", email="mia@example.org"))
    contact = site.contact(user.contact_id)
    assert (contact["name"], contact["email"]) == ("Mia L.", "right@example.com")
    for body in ({"external_id": "4712"}, {"external_id": None}):
        response = gateway.send("PATCH", f"/v1/contacts/{user.contact_id}", body, token=agent.token)
        assert refused(response) == (403, "FIELD_READ_ONLY")
    bot = gateway.ask("POST", "/v1/tokens", {"name": "CRM", "scopes": ["bot"]}, token=admin)["token"]
    assert gateway.ask("GET", f"/v1/bot/contacts/{user.contact_id}", token=bot)["external_id"] == "4711"
