"""A Facebook page as its people and agents meet it: Facebook's webhooks in, the Send API out, over real HTTP."""

import time
from typing import Any

import pytest

from services.common.ids import new_id
from tests.e2e.conftest import make_channel
from tests.support.facebook import Facebook
from tests.support.facebook_page import Event, Page, batch
from tests.support.product import Agent, Gateway, Product
from tests.support.waiting import wait_until

ASSIGNED = "A colleague will be right with you."


class Channel:
    """A Messenger channel with the Acme flow, connected to a page of its own."""

    def __init__(self, gateway: Gateway, admin: str, page: Page) -> None:
        self.gateway = gateway
        self.admin = admin
        self.page = page
        self.id = make_channel(gateway, admin, kind="messenger", name="Acme on Facebook", messenger=page.settings)
        self.path = f"/v1/webhooks/messenger/{self.id}"

    def deliver(self, *events: Event) -> None:
        """Facebook delivers events in one batch."""
        body = batch(self.page.entry(*events))
        response = self.post(body, self.page.sign(body))
        assert (response.status_code, response.text) == (200, "EVENT_RECEIVED")

    def post(self, body: str, signature: str) -> Any:
        headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
        return self.gateway.send("POST", self.path, data=body.encode(), headers=headers)

    def conversations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.gateway.ask("GET", f"/v1/conversations?channel_id={self.id}", token=self.admin)[
            "items"
        ]
        return found

    def messages(self, conversation_id: str) -> list[dict[str, Any]]:
        path = f"/v1/conversations/{conversation_id}/messages?limit=200"
        found: list[dict[str, Any]] = self.gateway.ask("GET", path, token=self.admin)["items"]
        return found


@pytest.fixture
def channel(gateway: Gateway, admin: str, facebook: Facebook) -> Channel:
    return Channel(gateway, admin, facebook.new_page())


def test_round_trip_from_the_first_word_to_read_answers(gateway: Gateway, admin: str, channel: Channel) -> None:
    page = channel.page
    agent = Agent(gateway, admin, "Ann")
    stream = agent.watch()
    mia = page.new_person(first_name="Mia", last_name="Lund")

    channel.deliver(page.text(mia, "Hello?"))
    page.wait_for(mia, 2)
    channel.deliver(page.text(mia, "Mia"))
    page.wait_for(mia, 3)
    channel.deliver(page.text(mia, "mia@example.com"))
    [*_, topic] = page.wait_for(mia, 4)
    assert [(reply["title"], reply["payload"]) for reply in topic.quick_replies] == [
        ("A quote", "quote"),
        ("Just looking", "looking"),
    ]
    channel.deliver(page.quick_reply(mia, "A quote", "quote"))
    page.wait_for(mia, 5)
    assert page.sent_to(mia) == [
        "Hi, I am the Acme bot.",
        "What is your name?",
        "And your e-mail, Mia?",
        "What is it about?",
        ASSIGNED,
    ]
    [conversation] = channel.conversations()
    # Other tests' agents may be there too: this one takes over.
    gateway.ask("PUT", f"/v1/conversations/{conversation['id']}/assignee", {"agent_id": agent.id}, token=admin)
    answer = agent.say(conversation["id"], "Good morning, Mia. What shall it be?")
    assert answer["delivery"]["state"] == "queued"
    *_, sent = page.wait_for(mia, 6)
    assert (sent.text, sent.messaging_type) == ("Good morning, Mia. What shall it be?", "RESPONSE")

    stream.wait_for("message.updated", id=answer["id"])
    channel.deliver(page.delivered(sent))
    channel.deliver(page.read(mia, sent.at))

    def states() -> list[str]:
        return [update["delivery"]["state"] for update in stream.named("message.updated") if update["id"] == answer["id"]]

    wait_until(lambda: states()[-1:] == ["read"], what="the reading")
    assert states() == sorted(states(), key=["sent", "delivered", "read"].index)
    messages = channel.messages(conversation["id"])
    assert [(m["author"]["kind"], m["text"]) for m in messages] == [
        ("visitor", "Hello?"),
        ("bot", "Hi, I am the Acme bot."),
        ("bot", "What is your name?"),
        ("visitor", "Mia"),
        ("bot", "And your e-mail, Mia?"),
        ("visitor", "mia@example.com"),
        ("bot", "What is it about?"),
        ("visitor", "A quote"),
        ("bot", ASSIGNED),
        ("agent", "Good morning, Mia. What shall it be?"),
    ]
    assert {m["delivery"] and m["delivery"]["state"] for m in messages if m["author"]["kind"] == "visitor"} == {None}
    assert {m["delivery"]["state"] for m in messages if m["author"]["kind"] != "visitor"} == {"read"}
    contact = f"/v1/contacts/{conversation['contact']['id']}"

    def collected() -> tuple[Any, ...]:
        found = gateway.ask("GET", contact, token=admin)
        return found["name"], found["email"], found["fields"]

    wait_until(lambda: collected() == ("Mia", "mia@example.com", {"topic": "quote"}), what="what the bot was told")
    history = gateway.ask("GET", f"{contact}/history?limit=100", token=admin)["items"]
    assert ("Mia Lund", "channel") in {(change["value"], change["by"]["kind"]) for change in history if change["field"] == "name"}
    stream.close()


def test_facebook_gets_its_challenge_back_for_the_right_verify_token_alone(gateway: Gateway, channel: Channel) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": channel.page.verify_token}
    answer = gateway.send("GET", channel.path, params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert gateway.send("GET", channel.path, params=query | {"hub.verify_token": "guessed"}).status_code == 403
    assert gateway.send("GET", channel.path, params=query | {"hub.mode": "unsubscribe"}).status_code == 403


def test_nothing_is_stored_when_the_signature_is_bad(channel: Channel) -> None:
    page = channel.page
    person, other = page.new_person(), page.new_person()
    body = batch(page.entry(page.text(person, "forged")))
    for signature in ("", "sha256=" + "0" * 64, page.sign(body + " "), page.sign(body).replace("sha256", "sha1")):
        response = channel.post(body, signature)
        assert (response.status_code, response.json()["code"]) == (403, "SIGNATURE_INVALID")
    channel.deliver(page.text(other, "honest"))
    page.wait_for(other, 2)
    [conversation] = channel.conversations()
    assert channel.messages(conversation["id"])[0]["text"] == "honest"
    assert page.sent_to(person) == []


def test_batch_is_stored_once_when_facebook_delivers_it_again(channel: Channel) -> None:
    page = channel.page
    people = [page.new_person() for _ in range(3)]
    events = [event for person in people for event in (page.text(person, "one"), page.text(person, "Two Three"))]
    for _ in range(3):
        channel.deliver(*events)
    for person in people:
        page.wait_for(person, 3)
    channel.deliver(*events)
    channel.deliver(*(page.text(person, "not an address") for person in people))
    for person in people:
        page.wait_for(person, 4)
        assert page.sent_to(person)[-1] == "That does not look like an e-mail address."
        assert len(page.sent_to(person)) == 4
    conversations = channel.conversations()
    assert len(conversations) == 3
    for conversation in conversations:
        texts = [m["text"] for m in channel.messages(conversation["id"]) if m["author"]["kind"] == "visitor"]
        assert texts == ["one", "Two Three", "not an address"]


def test_blocked_person_is_not_heard(product: Product, gateway: Gateway, admin: str, channel: Channel) -> None:
    page = channel.page
    person, other = page.new_person(), page.new_person()
    channel.deliver(page.text(person, "Hello?"))
    page.wait_for(person, 2)
    [conversation] = channel.conversations()
    contact_id = conversation["contact"]["id"]
    gateway.ask("PATCH", f"/v1/contacts/{contact_id}", {"blocked": True}, token=admin)
    assert gateway.ask("GET", f"/v1/contacts/{contact_id}", token=admin)["blocked"]
    known = product.mongo("messaging").contacts
    wait_until(lambda: known.find_one({"_id": contact_id, "blocked": True}), what="the news in messaging")
    stream = Agent(gateway, admin).watch()
    channel.deliver(page.text(person, "Still there?"), page.text(other, "me"))
    stream.wait_for("message.created", text="me")
    page.wait_for(other, 2)
    assert [m["text"] for m in channel.messages(conversation["id"])][-1] == "What is your name?"
    assert len(page.sent_to(person)) == 2
    stream.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nothing_is_lost_and_order_is_kept_when_graph_is_down_for_a_minute(
    gateway: Gateway, admin: str, channel: Channel, facebook: Facebook
) -> None:
    page = channel.page
    agent = Agent(gateway, admin, "Ann", capacity=50)
    people = [page.new_person() for _ in range(5)]
    channel.deliver(*(page.text(person, "Hello?") for person in people))
    for person in people:
        page.wait_for(person, 2)
    conversations = channel.conversations()

    def reasons() -> list[Any]:
        heads = (channel.messages(conversation["id"])[3]["delivery"] for conversation in conversations)
        return [delivery["reason"] for delivery in heads if delivery["state"] == "queued"]

    with facebook.away():
        for number in range(10):
            for conversation in conversations:
                agent.say(conversation["id"], f"answer {number}")
            channel.deliver(*(page.text(person, f"question {number}", mid=f"m_{new_id()}") for person in people))
        wait_until(lambda: len(reasons()) == len(people) and all(reasons()), 30, what="a reason on each message that waits")
        time.sleep(60)  # what is to be outlived
    for person in people:
        page.wait_for(person, 12, timeout=120)
        assert page.sent_to(person)[2:] == [f"answer {number}" for number in range(10)]
    for conversation in conversations:
        asked = [m["text"] for m in channel.messages(conversation["id"]) if m["author"]["kind"] == "visitor"]
        assert asked == ["Hello?", *(f"question {number}" for number in range(10))]

        def all_sent(conversation_id: str = conversation["id"]) -> bool:
            messages = channel.messages(conversation_id)
            return all(m["delivery"]["state"] == "sent" for m in messages if m["author"]["kind"] != "visitor")

        wait_until(all_sent, 30, what="the state of all messages")
