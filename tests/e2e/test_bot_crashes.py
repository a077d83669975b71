"""The bot's flow under crashes: messaging killed at any moment of any step, every post repeated, and the flow moves once for each."""

import random
import threading
import time

import pytest
import requests

from services.common.ids import new_id
from tests.support import parts
from tests.support.product import Gateway, Product, Visitor
from tests.support.waiting import wait_until

ANSWERS = ["Mia Lund", "not an address", "mia@example.com", "7", "2026-03-31", "blue", "all of it"]
FLOW = {
    "start": "hello",
    "blocks": {
        "hello": {"type": "message", "text": "Hello.", "next": "name"},
        "name": {"type": "question", "kind": "name", "text": "Your name?", "field": "name", "next": "mark"},
        "mark": {"type": "set", "field": "stage", "value": "named {name}", "next": "email"},
        "email": {
            "type": "question",
            "kind": "email",
            "text": "E-mail, {name}?",
            "field": "email",
            "retry": "Again.",
            "next": "count",
        },
        "count": {"type": "question", "kind": "number", "text": "How many?", "field": "count", "next": "pause"},
        "pause": {"type": "delay", "seconds": 1, "next": "day"},
        "day": {"type": "question", "kind": "date", "text": "When?", "field": "day", "next": "many"},
        "many": {
            "type": "condition",
            "cases": [{"if": {"on": "field", "field": "count", "is": "above", "value": 5}, "next": "order"}],
            "else": "colour",
        },
        "order": {"type": "ticket", "subject": "{count} for {name}", "description": "On {day}.", "next": "colour"},
        "colour": {"type": "question", "kind": "text", "text": "Which colour?", "field": "colour", "next": "rest"},
        "rest": {"type": "question", "kind": "text", "text": "Anything else?", "field": "rest", "next": "bye"},
        "bye": {"type": "message", "text": "Thank you, {name}: {count} in {colour}.", "next": None},
    },
}


product = pytest.fixture(parts.product(), scope="module")
gateway = pytest.fixture(parts.gateway, scope="module")


def say_until_accepted(visitor: Visitor, text: str, key: str) -> None:
    def accepted() -> bool:
        body = {"text": text, "client_message_id": key}
        try:
            response = visitor.gateway.send("POST", "/v1/widget/messages", body, token=visitor.token)
        except requests.RequestException:
            return False
        assert response.status_code in {201, 503}, response.text
        return response.status_code == 201

    wait_until(accepted, 40, what=f"the acceptance of {text}", interval=0.05)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
def test_flow_moves_once_for_each_message_when_messaging_is_killed_at_any_step(
    product: Product, gateway: Gateway, seed: int
) -> None:
    moments = random.Random(seed)
    admin = gateway.sign_in()
    channel_id = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": f"Crashes {seed}"}, token=admin)["id"]
    gateway.ask("PUT", f"/v1/channels/{channel_id}/flow", FLOW, token=admin)
    visitor = Visitor(gateway, channel_id)

    for text in ANSWERS:
        key = new_id()
        posting = threading.Thread(target=say_until_accepted, args=(visitor, text, key))
        posting.start()
        time.sleep(moments.choice([0, 0.005, 0.01, 0.02, 0.05]) * moments.random())
        product.services["messaging"].kill()
        product.start_service("messaging")
        posting.join()
        say_until_accepted(visitor, text, key)
        if text == "7":  # what follows the pause is asked by a timer
            wait_until(lambda: visitor.messages()[-1]["text"] == "When?", 30, what="the end of the pause")

    expected = gateway.ask(
        "POST", f"/v1/channels/{channel_id}/flow/simulate", {"inputs": [{"text": text} for text in ANSWERS]}, token=admin
    )
    said = [(turn["author"], turn["text"]) for turn in expected["transcript"] if turn["author"] != "system"]
    wait_until(lambda: len(visitor.messages()) >= len(said), 30, what="the last words")
    messages = visitor.messages()
    assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
    assert [(message["author"]["kind"], message["text"]) for message in messages] == said

    def profile() -> dict[str, object]:
        found: dict[str, object] = gateway.ask("GET", f"/v1/contacts/{visitor.contact_id}", token=admin)
        return found

    wanted = {"stage": "named Mia Lund", "count": 7, "day": "2026-03-31", "colour": "blue", "rest": "all of it"}
    wait_until(lambda: profile()["fields"] == wanted, 30, what="the collected fields")
    assert (profile()["name"], profile()["email"]) == ("Mia Lund", "mia@example.com")
    tickets = gateway.ask("GET", f"/v1/contacts/{visitor.contact_id}/tickets", token=admin)["items"]
    assert [(ticket["subject"], ticket["description"]) for ticket in tickets] == [("7 for Mia Lund", "On 2026-03-31.")]
