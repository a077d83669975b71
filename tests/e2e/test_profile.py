"""A contact's profile over HTTP, whole: what a visit tells, who set what, what is kept about them, and their end."""

import json
from typing import Any

import pytest

from services.common.ids import new_id
from tests.e2e.conftest import make_channel
from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until

# Of universities and registries, who use them at home; the last ones belong to nobody in public.
COUNTRIES = {
    "129.132.1.1": "CH",
    "193.136.2.5": "PT",
    "133.11.0.1": "JP",
    "200.160.2.3": "BR",
    "::ffff:8.8.8.8": "US",
    "2001:620::1": "CH",
    "2a02:2e0:3fe:1001:302::": "DE",
    "2001:388::1": "AU",
    "10.1.2.3": None,
    "fd00::7": None,
    "::1": None,
}


@pytest.fixture(scope="module")
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ada")


@pytest.fixture(scope="module")
def bot(gateway: Gateway, admin: str) -> str:
    return str(gateway.ask("POST", "/v1/tokens", {"name": "CRM", "scopes": ["bot"]}, token=admin)["token"])


def profile(agent: Agent, contact_id: str) -> dict[str, Any]:
    found: dict[str, Any] = agent.ask("GET", f"/v1/contacts/{contact_id}")
    return found


@pytest.mark.parametrize(("address", "code"), COUNTRIES.items())
def test_country_is_that_of_the_address_that_the_trusted_proxy_saw(
    agent: Agent, gateway: Gateway, channel_id: str, address: str, code: str | None
) -> None:
    # What stands further left is what the visitor claims: an address in yet another country.
    visitor = Visitor(gateway, channel_id, address=f"77.88.8.8, {address}")
    country = profile(agent, visitor.contact_id)["country"]
    assert (country and country["code"]) == code


def test_profile_keeps_the_pages_in_between_the_time_zone_and_who_set_what(
    agent: Agent, gateway: Gateway, channel_id: str, bot: str
) -> None:
    visitor = Visitor(
        gateway,
        channel_id,
        address="193.136.2.5",
        url="https://shop.example/?utm_source=mail&utm_campaign=spring",
        referrer="https://search.example/",
        locale="pt-PT",
        time_zone="Europe/Lisbon",
    )
    for page in ("shoes", "javascript:alert(1)"):
        gateway.ask("POST", "/v1/widget/pages", {"url": f"https://shop.example/{page}", "title": page}, token=visitor.token)
    gateway.ask("PUT", f"/v1/bot/contacts/{visitor.contact_id}/fields", {"fields": {"topic": "quote"}}, token=bot)
    agent.ask("PATCH", f"/v1/contacts/{visitor.contact_id}", {"name": "Mia Lund"})
    contact = profile(agent, visitor.contact_id)
    assert (contact["time_zone"], contact["locale"], contact["country"]["code"]) == ("Europe/Lisbon", "pt-PT", "PT")
    assert [page["title"] for page in contact["url"]["pages"]] == ["Shop", "shoes", "javascript:alert(1)"]
    assert contact["url"]["first"]["campaign"]["name"] == "spring"
    assert contact["url"]["last"]["url"] == "https://shop.example/javascript:alert(1)"

    history = agent.ask("GET", f"/v1/contacts/{visitor.contact_id}/history?limit=100")["items"]
    by_field = {entry["field"]: entry for entry in reversed(history)}
    assert (by_field["name"]["value"], by_field["name"]["previous"]) == ("Mia Lund", visitor.session["contact"]["name"])
    assert by_field["name"]["by"] == {"kind": "agent", "id": agent.id, "name": "Ada"}
    assert (by_field["fields.topic"]["value"], by_field["fields.topic"]["by"]["kind"]) == ("quote", "bot")
    assert by_field["time_zone"]["by"]["kind"] == "system"
    assert [entry["at"] for entry in history] == sorted((entry["at"] for entry in history), reverse=True)
    wait_until(
        lambda: agent.ask("GET", f"/v1/conversations/{visitor.conversation_id}")["contact"]["name"] == "Mia Lund",
        what="the new name in the conversation",
    )


def test_custom_field_is_an_integrations_to_write_and_no_humans(
    agent: Agent, gateway: Gateway, channel_id: str, bot: str
) -> None:
    visitor = Visitor(gateway, channel_id)
    path = f"/v1/contacts/{visitor.contact_id}"
    refused = gateway.send("PATCH", path, {"topic": "mine"}, token=agent.token)
    assert (refused.status_code, refused.json()["code"]) == (403, "FIELD_READ_ONLY")
    fields = {"topic": "quote", "pairs": 2, "member": True}
    gateway.ask("PUT", f"/v1/bot/contacts/{visitor.contact_id}/fields", {"fields": fields}, token=bot)
    assert profile(agent, visitor.contact_id)["fields"] == fields
    assert gateway.ask("GET", f"/v1/bot/contacts/{visitor.contact_id}", token=bot)["fields"] == fields


def test_blocked_visitor_is_refused_until_they_are_unblocked(agent: Agent, gateway: Gateway, channel_id: str) -> None:
    visitor = Visitor(gateway, channel_id)
    path = f"/v1/contacts/{visitor.contact_id}"
    blocked = agent.ask("PATCH", path, {"blocked": True})
    session = {"visitor_token": visitor.token}
    refused = gateway.send("POST", f"/v1/widget/{channel_id}/session", session)
    assert (refused.status_code, refused.json()["code"]) == (403, "CONTACT_BLOCKED")

    def post() -> int:
        body = {"text": "Hello?", "client_message_id": new_id()}
        return gateway.send("POST", "/v1/widget/messages", body, token=visitor.token).status_code

    def type_something() -> int:
        """Changes nothing; a message that is taken before messaging knows would be a name to the bot."""
        return gateway.send("POST", "/v1/widget/typing", {"typing": True}, token=visitor.token).status_code

    wait_until(lambda: type_something() == 403, what="the news in messaging")
    assert post() == 403
    for what, told in (("typing", {"typing": True}), ("pages", {"url": "https://spam.example/"})):
        refused = gateway.send("POST", f"/v1/widget/{what}", told, token=visitor.token)
        assert (refused.status_code, refused.json()["code"]) == (403, "CONTACT_BLOCKED"), what
    # They still read, and leave the line.
    for method, what in (("GET", "messages"), ("DELETE", "queue"), ("POST", "events/ticket")):
        assert gateway.send(method, f"/v1/widget/{what}", token=visitor.token).status_code < 300, what
    assert profile(agent, visitor.contact_id) == blocked
    agent.ask("PATCH", path, {"blocked": False})
    wait_until(lambda: post() == 201, what="the end of the refusal")
    assert Visitor(gateway, channel_id, visitor_token=visitor.token).contact_id == visitor.contact_id


def test_ticket_is_given_to_an_agent_discussed_found_and_solved(agent: Agent, gateway: Gateway, admin: str, bot: str) -> None:
    channel_id = make_channel(gateway, admin)
    visitor = Visitor(gateway, channel_id)
    stream = agent.watch()
    body = {"subject": "Invoice", "assignee_id": agent.id, "conversation_id": visitor.conversation_id}
    headers = {"Idempotency-Key": new_id()}
    path = f"/v1/contacts/{visitor.contact_id}/tickets"
    ticket = gateway.ask("POST", path, body, token=agent.token, headers=headers)
    assert gateway.ask("POST", path, body, token=agent.token, headers=headers)["id"] == ticket["id"]
    assert (ticket["assignee"], ticket["channel_id"]) == ({"id": agent.id, "name": "Ada"}, channel_id)
    other = gateway.ask("POST", f"/v1/bot/contacts/{visitor.contact_id}/tickets", {"subject": "Other"}, token=bot)
    comments = f"/v1/tickets/{ticket['id']}/comments"
    for text in ("Paid twice.", "Refunded."):
        agent.ask("POST", comments, {"text": text})
    assert [comment["text"] for comment in agent.ask("GET", comments)["items"]] == ["Paid twice.", "Refunded."]
    stream.wait_for("ticket.commented", text="Refunded.", contact_id=visitor.contact_id)
    assert agent.ask("GET", f"/v1/tickets/{ticket['id']}")["comment_count"] == 2

    def found(query: str) -> list[str]:
        return [item["id"] for item in agent.ask("GET", f"/v1/tickets?channel_id={channel_id}&{query}")["items"]]

    assert found(f"assignee_id={agent.id}") == [ticket["id"]]
    assert found("assignee_id=none") == [other["id"]]
    assert found(f"contact_id={visitor.contact_id}") == [other["id"], ticket["id"]]
    agent.ask("PATCH", f"/v1/tickets/{ticket['id']}", {"status": "solved", "assignee_id": None})
    assert (found("status=solved"), found("status=open")) == ([ticket["id"]], [other["id"]])
    stream.close()


SECRETS = ("Mia Lund", "mia@example.com", "+351211234567", "193.136.2.5", "My secret", "Remark on Mia", "Paid twice by Mia")


def filled(agent: Agent, gateway: Gateway, channel_id: str) -> Visitor:
    """A visitor of whom a lot is kept."""
    visitor = Visitor(gateway, channel_id, address="193.136.2.5")
    visitor.pass_bot()
    visitor.say("My secret")
    path = f"/v1/contacts/{visitor.contact_id}"
    wait_until(lambda: profile(agent, visitor.contact_id)["fields"], what="the collected fields")
    agent.ask("PATCH", path, {"phone": "+351211234567"})
    agent.ask("POST", f"{path}/notes", {"text": "Remark on Mia", "highlighted": True})
    ticket = agent.ask("POST", f"{path}/tickets", {"subject": "Invoice", "description": "Paid twice by Mia"})
    agent.ask("POST", f"/v1/tickets/{ticket['id']}/comments", {"text": "Remark on Mia too"})
    assign = f"/v1/conversations/{visitor.conversation_id}/assignee"
    agent.ask("PUT", assign, {"agent_id": agent.id, "remark": "Remark on Mia the third"})
    return visitor


def test_export_holds_all_that_is_kept_and_nothing_of_it_is_left_when_the_contact_is_erased(
    agent: Agent, gateway: Gateway, admin: str
) -> None:
    channel_id = make_channel(gateway, admin)
    visitor = filled(agent, gateway, channel_id)
    path = f"/v1/contacts/{visitor.contact_id}"
    response = gateway.send("GET", f"{path}/export", token=admin)
    assert response.headers["Content-Disposition"] == f'attachment; filename="contact-{visitor.contact_id}.json"'
    exported = response.json()
    for secret in SECRETS:
        assert secret in response.text, secret
    assert exported["truncated"] is False
    [conversation] = exported["conversations"]
    assert [message["seq"] for message in conversation["messages"]] == list(range(1, conversation["last_seq"] + 1))
    assert exported["counts"]["messages"] == conversation["last_seq"]
    assert "Remark on Mia the third" in [decision["remark"] for decision in conversation["assignments"]]
    refused = gateway.send("DELETE", path, token=agent.token)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")

    stream = agent.watch()
    erased = gateway.ask("DELETE", path, token=admin)
    assert gateway.ask("DELETE", path, token=admin) == erased
    stream.wait_for("contact.deleted", id=visitor.contact_id)
    stream.close()
    gone = gateway.send("GET", path, token=admin)
    assert (gone.status_code, gone.json()["code"]) == (404, "CONTACT_NOT_FOUND")

    def left() -> str:
        """All that can still be read of the contact's things."""
        parts = [
            f"/v1/conversations?folder=archived&channel_id={channel_id}",
            f"/v1/conversations/{visitor.conversation_id}/messages?limit=200",
            f"/v1/conversations/{visitor.conversation_id}/assignments",
            f"/v1/contacts?channel_id={channel_id}",
            f"/v1/tickets?channel_id={channel_id}",
        ]
        return json.dumps([gateway.ask("GET", part, token=admin) for part in parts])

    wait_until(lambda: not [secret for secret in SECRETS if secret in left()], what="the end of everything personal")
    [archived] = gateway.ask("GET", f"/v1/conversations?folder=archived&channel_id={channel_id}", token=admin)["items"]
    assert (archived["contact"]["name"], archived["last_seq"] >= conversation["last_seq"]) == ("Erased visitor", True)

    again = Visitor(gateway, channel_id, visitor_token=visitor.token)
    assert again.contact_id != visitor.contact_id

    def counted() -> bool:
        return bool(gateway.ask("GET", f"/v1/channels/{channel_id}", token=admin)["visitor_count"])

    wait_until(counted, what="the count of a visitor who was erased")
