"""What privacy law asks for: one contact shown with everything kept about them, and taken away from every service."""

from typing import Any

from services.common.ids import new_id
from tests.e2e.conftest import decisions, make_channel
from tests.support.product import SERVICES, Agent, Gateway, Product, Visitor
from tests.support.remains import find_remains
from tests.support.waiting import wait_until


class Life:
    """A visitor who left a mark of their own in everything that can be written about them."""

    def __init__(self, gateway: Gateway, admin: str, agent: Agent) -> None:
        self.marks: list[str] = []
        self.agent = agent
        self.channel_id = make_channel(gateway, admin)
        self.address = f"2001:4860:4860::{new_id()[-4:].lstrip('0') or '1'}"
        page = {"url": f"https://shop.example/?{self.mark('utm_campaign')}=x", "title": self.mark("title")}
        self.visitor = Visitor(
            gateway, self.channel_id, address=self.address, referrer=f"https://{self.mark('from')}.example/", **page
        )
        self.visitor.say(self.mark("name"))
        self.visitor.say(f"{self.mark('mail')}@example.org")
        self.visitor.say(choice="quote")
        agent.ask(
            "PUT",
            f"/v1/conversations/{self.visitor.conversation_id}/assignee",
            {"agent_id": agent.id, "remark": self.mark("remark")},
        )
        self.visitor.say(self.mark("said"))
        agent.say(self.visitor.conversation_id, self.mark("answered"))
        path = f"/v1/contacts/{self.visitor.contact_id}"
        agent.ask("POST", f"{path}/notes", {"text": self.mark("note"), "highlighted": True})
        gone = agent.ask("POST", f"{path}/notes", {"text": self.mark("gone")})
        agent.ask("DELETE", f"/v1/notes/{gone['id']}")
        self.marks.pop()
        ticket = agent.ask("POST", f"{path}/tickets", {"subject": self.mark("subject"), "description": self.mark("description")})
        agent.ask("POST", f"/v1/tickets/{ticket['id']}/comments", {"text": self.mark("comment")})
        agent.archive(self.visitor.conversation_id)
        self.archived_id = self.visitor.conversation_id
        self.visitor.say(self.mark("returned"))

    def mark(self, what: str) -> str:
        text = f"{what}{new_id()[-12:]}"
        self.marks.append(text)
        return text


def test_export_holds_everything_that_was_written_about_a_contact(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ann")
    life = Life(gateway, admin, agent)
    path = f"/v1/contacts/{life.visitor.contact_id}/export"

    def complete() -> Any:
        response = gateway.send("GET", path, token=admin)
        assert response.ok, response.text
        return response if all(mark in response.text for mark in life.marks) else None

    response = wait_until(complete, what="an export with all marks")
    assert response.headers["Content-Disposition"].startswith("attachment")
    exported = response.json()
    assert exported["contact"]["ip"] == life.address
    assert exported["counts"]["conversations"] == 2
    assert not exported["truncated"]
    assert gateway.send("GET", path, token=agent.token).status_code == 403


def test_erasure_reaches_every_service_and_keeps_the_counts(product: Product, gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ann", capacity=50)
    life = Life(gateway, admin, agent)
    other = Visitor(gateway, life.channel_id)
    other.say("Somebody else")
    contact_id = life.visitor.contact_id
    channel = f"/v1/channels/{life.channel_id}"
    wait_until(lambda: gateway.ask("GET", channel, token=admin)["visitor_count"] == 2, what="both visitors' count")
    assert find_remains(product.mongo("contacts"), *life.marks)
    stream = agent.watch()

    assert gateway.send("DELETE", f"/v1/contacts/{contact_id}", token=agent.token).status_code == 403
    erased = gateway.ask("DELETE", f"/v1/contacts/{contact_id}", token=admin)
    assert erased["id"] == contact_id
    stream.wait_for("contact.deleted", id=contact_id)
    assert gateway.ask("DELETE", f"/v1/contacts/{contact_id}", token=admin) == erased

    def remains() -> list[str]:
        return [where for service in SERVICES for where in find_remains(product.mongo(service), *life.marks, life.address)]

    wait_until(lambda: not remains(), 30, what=f"nothing left; still {remains()}")
    for method, path, body in (
        ("GET", f"/v1/contacts/{contact_id}", None),
        ("PATCH", f"/v1/contacts/{contact_id}", {"name": "Again"}),
        ("GET", f"/v1/contacts/{contact_id}/notes", None),
        ("POST", f"/v1/contacts/{contact_id}/notes", {"text": "Again"}),
        ("GET", f"/v1/contacts/{contact_id}/export", None),
    ):
        response = gateway.send(method, path, body, token=admin)
        assert (response.status_code, response.json()["code"]) == (404, "CONTACT_NOT_FOUND"), path
    conversation = gateway.ask("GET", f"/v1/conversations/{life.archived_id}", token=admin)
    assert (conversation["status"], conversation["contact"]["name"]) == ("archived", "Erased visitor")
    assert {m["text"] for m in gateway.ask("GET", f"/v1/conversations/{life.archived_id}/messages", token=admin)["items"]} == {""}
    assert decisions(gateway, admin, life.archived_id)
    assert gateway.ask("GET", channel, token=admin)["visitor_count"] == 2
    assert other.messages()[-2]["text"] == "Somebody else"
    stream.close()


def test_erased_visitor_begins_anew(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ann")
    channel_id = make_channel(gateway, admin)
    visitor = Visitor(gateway, channel_id)
    visitor.say("Mia Lund")
    stream = agent.watch()
    gateway.ask("DELETE", f"/v1/contacts/{visitor.contact_id}", token=admin)
    stream.wait_for("conversation.archived", id=visitor.conversation_id)
    refused = gateway.send("POST", "/v1/widget/messages", {"text": "x", "client_message_id": new_id()}, token=visitor.token)
    assert refused.status_code == 404
    again = Visitor(gateway, channel_id, visitor_token=visitor.token)
    assert again.contact_id != visitor.contact_id
    assert again.session["contact"]["name"] != "Mia Lund"
    again.say("Another name")
    stream.close()
