"""What nobody may read in a log line, an error, a metric or a dead letter's headers: secrets, and what people are and say.

docs/privacy.md promises it: logs hold ids, codes and times; no names, texts or addresses.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from deploy.local.ports import free_ports
from services.common.ids import new_id
from tests.strangers.frames import Peer
from tests.support import parts
from tests.support.events import DeadLetters
from tests.support.facebook import Facebook
from tests.support.facebook_page import TOKEN_EXPIRED, batch
from tests.support.product import SECRET_KEY, SERVICES, Agent, Gateway, Product, Visitor
from tests.support.receiver import Receiver, answering
from tests.support.waiting import wait_until
from tests.unit.messaging.flows import ACME

ADDRESS = "203.0.113.77"  # documentation's (RFC 5737)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, facebook: Facebook) -> Iterator[Product]:
    """One of its own, every process with metrics to be read, and every line of its logs our own doing."""
    product = Product(tmp_path_factory.mktemp("told"), **parts.outside(facebook))
    try:
        super(Product, product).start()
        for name, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True):
            product.start_service(name, extra={"FOYER_METRICS_PORT": str(port)})
            product.extra[f"PORT_OF_{name}"] = str(port)
        yield product
    finally:
        product.stop()


gateway = pytest.fixture(parts.gateway, scope="module")
admin = pytest.fixture(parts.admin, scope="module")


class Story:
    """Everything that people say and know, each of it marked, and all that was answered to them in refusal."""

    def __init__(self, product: Product, gateway: Gateway, admin: str, facebook: Facebook, receiver: Receiver) -> None:
        self.product, self.gateway, self.admin = product, gateway, admin
        self.secrets: set[str] = {SECRET_KEY, admin, admin.rpartition(".")[2]}
        self.refusals: list[str] = []
        self.page = facebook.new_page()
        self.receiver = receiver

    def mark(self, what: str) -> str:
        text = f"{what}{new_id()[-12:]}"
        self.secrets.add(text)
        return text

    def refuse(self, method: str, path: str, body: Any = None, **options: Any) -> None:
        answer = self.gateway.send(method, path, body, **options)
        assert answer.status_code >= 400, (method, path, answer.text)
        self.refusals.append(f"{answer.text} {dict(answer.headers)}")

    def tell(self) -> None:
        agent = self.sign_in()
        visitor, channel_id = self.visit(agent)
        self.use_outside(channel_id)
        self.fail(agent, visitor)
        self.break_protocol(agent)

    def sign_in(self) -> Agent:
        agent = Agent(self.gateway, self.admin, self.mark("Agent"))
        password, changed = self.mark("password "), self.mark("password ")
        self.secrets |= {agent.email, agent.token}
        made = {"name": self.mark("Agent"), "email": f"{self.mark('mail')}@example.org", "password": password, "role": "agent"}
        self.gateway.ask("POST", "/v1/agents", made, token=self.admin)
        self.refuse("POST", "/v1/agents", made | {"name": self.mark("Agent")}, token=self.admin)  # the address is taken
        for given in (self.mark("wrong "), ""):
            self.refuse("POST", "/v1/auth/token", {"email": made["email"], "password": given})
        self.refuse("POST", "/v1/auth/token", {"email": f"{self.mark('nobody')}@example.org", "password": self.mark("wrong ")})
        tokens = self.gateway.ask("POST", "/v1/auth/token", {"email": made["email"], "password": password})
        self.secrets |= {tokens["access_token"], tokens["refresh_token"]}
        for _ in range(2):  # twice the same, as after a lost answer
            fresh = self.gateway.ask("POST", "/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
            self.secrets |= {fresh["access_token"], fresh["refresh_token"]}
        self.refuse("POST", "/v1/auth/refresh", {"refresh_token": self.mark("made-up")})
        self.refuse("PATCH", "/v1/agents/me", {"password": changed, "current_password": self.mark("wrong ")}, token=agent.token)
        self.refuse("GET", "/v1/agents", token=self.mark("a.b."))
        api = self.gateway.ask("POST", "/v1/tokens", {"name": self.mark("Token"), "scopes": ["bot"]}, token=self.admin)
        self.secrets.add(api["token"])
        self.refuse("POST", "/v1/bot/conversations/none/messages", {"text": self.mark("said")}, token=api["token"])
        ticket = agent.ask("POST", "/v1/events/ticket")["ticket"]
        self.secrets.add(ticket)
        with contextlib.closing(self.gateway.send("GET", f"/v1/events?ticket={ticket}", stream=True)) as stream:
            assert stream.status_code == 200
        self.refuse("GET", f"/v1/events?ticket={ticket}")
        return agent

    def visit(self, agent: Agent) -> tuple[Visitor, str]:
        channel_id: str = self.gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"}, token=self.admin)["id"]
        self.gateway.ask("PUT", f"/v1/channels/{channel_id}/flow", ACME, token=self.admin)
        page = {"url": f"https://shop.example/?q={self.mark('url')}", "title": self.mark("title")}
        visitor = Visitor(self.gateway, channel_id, address=ADDRESS, referrer=f"https://{self.mark('from')}.example/", **page)
        self.secrets |= {ADDRESS, visitor.token}
        visitor.say(f"Mia {self.mark('Lund')}")
        visitor.say(self.mark("noaddress"))
        visitor.say(f"{self.mark('mia')}@example.org")
        visitor.say(choice="quote")
        visitor.say(self.mark("said"))
        agent.ask(
            "PUT", f"/v1/conversations/{visitor.conversation_id}/assignee", {"agent_id": agent.id, "remark": self.mark("remark")}
        )
        agent.say(visitor.conversation_id, self.mark("answered"))
        contact = f"/v1/contacts/{visitor.contact_id}"
        phone = "+4930" + str(int(new_id()[-10:], 16))[-8:]
        self.secrets |= {phone, phone[3:]}
        agent.ask("PATCH", contact, {"phone": phone})
        agent.ask("POST", f"{contact}/notes", {"text": self.mark("note")})
        agent.ask("POST", f"{contact}/tickets", {"subject": self.mark("subject")})
        for query in (self.mark("sought"), f"{self.mark('sought')}@example.org"):
            agent.ask("GET", f"/v1/contacts?q={query}")
            agent.ask("GET", f"/v1/conversations?q={query}")
        self.refuse("PATCH", contact, {"email": self.mark("no address ")}, token=agent.token)
        self.refuse("PATCH", contact, {"phone": self.mark("no phone ")}, token=agent.token)
        key = new_id()
        agent.gateway.ask(
            "POST", f"{contact}/notes", {"text": self.mark("first")}, token=agent.token, headers={"Idempotency-Key": key}
        )
        second = {"text": self.mark("second")}
        self.refuse("POST", f"{contact}/notes", second, token=agent.token, headers={"Idempotency-Key": key})
        return visitor, channel_id

    def use_outside(self, channel_id: str) -> None:
        """Facebook and a webhook, both refusing."""
        secret = self.gateway.ask("POST", f"/v1/channels/{channel_id}/identity-secret", token=self.admin)["identity_secret"]
        self.secrets |= {secret, self.page.token, self.page.app_secret, self.page.verify_token}
        user = {"id": self.mark("user"), "hash": self.mark("hash")}
        self.refuse("POST", f"/v1/widget/{channel_id}/session", {"url": "https://shop.example/", "user": user})
        door = f"/{self.mark('hook')}"
        hook = {"url": self.receiver.url(door), "events": ["message.created"]}
        self.receiver.react(door, answering(500, self.mark("answer").encode()))
        self.secrets.add(self.gateway.ask("POST", "/v1/webhooks", hook, token=self.admin)["secret"])
        body = {"kind": "messenger", "name": "Page", "messenger": self.page.settings}
        messenger = self.gateway.ask("POST", "/v1/channels", body, token=self.admin)["id"]
        self.gateway.ask("PUT", f"/v1/channels/{messenger}/flow", ACME, token=self.admin)
        person = self.page.new_person(first_name=self.mark("First"), last_name=self.mark("Last"))
        self.secrets.add(person)
        self.page.lasting = TOKEN_EXPIRED
        raw = batch(self.page.entry(self.page.text(person, self.mark("written"))))
        door, json_type = f"/v1/webhooks/messenger/{messenger}", {"Content-Type": "application/json"}
        signed = json_type | {"X-Hub-Signature-256": self.page.sign(raw)}
        assert self.gateway.send("POST", door, data=raw.encode(), headers=signed).ok
        self.refuse("POST", door, data=raw.encode(), headers=json_type | {"X-Hub-Signature-256": "sha256=" + "0" * 64})
        self.refuse("GET", f"{door}?hub.mode=subscribe&hub.verify_token={self.mark('guess')}&hub.challenge=1")
        wait_until(lambda: self.page.calls, what="an attempt to answer")

    def fail(self, agent: Agent, visitor: Visitor) -> None:
        """Events that can't be handled, and a database that is away."""
        wrong = {
            "contact_id": visitor.contact_id,
            "field": self.mark("field"),
            "value": self.mark("value"),
            "odd": self.mark("odd"),
        }
        with parts.announcing(self.product.settings) as announcer:
            announcer.publish("messaging", "field_collected", wrong, entity=("conversation", visitor.conversation_id, 1))
        self.product.database.kill()
        try:
            said = {"text": self.mark("unheard"), "client_message_id": new_id()}
            self.refuse("POST", "/v1/widget/messages", said, token=visitor.token)
            self.refuse("POST", f"/v1/contacts/{visitor.contact_id}/notes", {"text": self.mark("unwritten")}, token=agent.token)
            self.refuse("POST", "/v1/auth/token", {"email": agent.email, "password": self.mark("password ")})
        finally:
            self.product.database.start()
        wait_until(lambda: self.gateway.send("GET", "/readyz").status_code == 200, 60, what="readiness")

    def break_protocol(self, agent: Agent) -> None:
        """Requests that are no HTTP, with what people search for in their first line."""
        for head in (
            b"GET /v1/contacts?q=%b HTTP/1.1\nHost: x\n\n",
            b"%b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n%b: x\0\r\n\r\n",
        ):
            with contextlib.closing(Peer(self.gateway)) as peer:
                peer.send(head % self.mark("sought").encode())
                peer.socket.recv(65_536)
        body = b"POST /v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n"
        with contextlib.closing(Peer(self.gateway)) as peer:
            peer.send(body % self.mark("password").encode())
            peer.socket.recv(65_536)
        with contextlib.closing(Peer(self.gateway)) as peer:
            odd = {"Sec-WebSocket-Protocol": self.mark("token").encode() + b"\xff"}
            assert peer.shake_hands("/v1/events/ws", agent.token, **odd) >= 400


@pytest.fixture(scope="module")
def story(product: Product, gateway: Gateway, admin: str, facebook: Facebook) -> Iterator[Story]:
    receiver = Receiver()
    receiver.start()
    story = Story(product, gateway, admin, facebook, receiver)
    story.tell()
    yield story
    receiver.stop()


def found(secrets: set[str], text: str) -> list[str]:
    """The places of the text that hold one of the secrets, with what is around it."""
    return [text[max(0, at - 80) : at + 120] for secret in secrets if (at := text.find(secret)) >= 0]


def test_no_line_of_any_log_holds_a_secret_or_what_people_said(product: Product, story: Story) -> None:
    def logged() -> str:
        """Every line of every log, but for one that is being written."""
        texts = [process.log_path.read_text() for process in product.services.values()]
        return "".join(text[: text.rfind("\n") + 1] for text in texts)

    wait_until(lambda: "event_put_aside" in logged(), 30, what="the event put aside")
    lines = [json.loads(line) for line in logged().splitlines()]
    assert {line["process"] for line in lines} == {*SERVICES, "gateway"}
    assert found(story.secrets, logged()) == []
    # Neither whence a request came that was none.
    told = [line["event"] for line in lines if "ip=" in line["event"]]
    assert told == []


def test_no_refusal_repeats_what_was_wrong_with_it(story: Story) -> None:
    assert len(story.refusals) > 15
    assert [place for refusal in story.refusals for place in found(story.secrets, refusal)] == []


def test_no_metric_has_a_label_of_anybodys(product: Product, gateway: Gateway, story: Story) -> None:
    ports = [product.extra[f"PORT_OF_{name}"] for name in SERVICES]
    texts = [requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text for port in ports]
    texts.append(gateway.send("GET", "/metrics").text)
    assert all("foyer_build_info" in text for text in texts)
    ids = {item["id"] for item in gateway.ask("GET", "/v1/agents", token=story.admin)["items"]}
    assert [place for text in texts for place in found(story.secrets | ids, text)] == []


def test_no_dead_letters_reason_repeats_its_body(product: Product, story: Story) -> None:
    letters = wait_until(lambda: DeadLetters(product.settings).take("contacts"), 30, what="the dead letter")
    assert any(found(story.secrets, body.decode()) for _, body in letters)  # which an operator looks into
    assert [place for headers, _ in letters for place in found(story.secrets, json.dumps(headers, default=str))] == []
