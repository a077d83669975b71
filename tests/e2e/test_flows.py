"""A channel's bot flow over HTTP: refused, versioned, checked and played."""

from typing import Any

from services.common.ids import new_id
from tests.e2e.test_refusals import refused
from tests.support.product import Gateway


def test_broken_flow_is_refused_and_the_old_one_stays(gateway: Gateway, admin: str, channel_id: str) -> None:
    path = f"/v1/channels/{channel_id}/flow"
    before = gateway.ask("GET", path, token=admin)
    broken = {"start": "a", "blocks": {"a": {"type": "message", "text": "x", "next": "gone"}, "b": {"type": "close"}}}
    problem = refused(gateway, 422, "INVALID_FLOW", "PUT", path, broken, token=admin)
    assert problem["errors"] == {
        "blocks.a.next": ["There is no block gone."],
        "blocks.b": ["No way leads here from the start."],
    }
    assert gateway.ask("GET", path, token=admin) == before


def test_flow_is_refused_when_another_was_put_meanwhile(gateway: Gateway, admin: str) -> None:
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Versions"}, token=admin)
    path = f"/v1/channels/{channel['id']}/flow"

    def flow(text: str) -> dict[str, Any]:
        ask = {"type": "question", "kind": "text", "text": text, "field": "topic", "next": None}
        return {"start": "a", "blocks": {"a": ask}}

    assert gateway.ask("PUT", f"{path}?expected_version=0", flow("One?"), token=admin)["flow_version"] == 1
    assert gateway.ask("PUT", path, flow("One?"), token=admin)["flow_version"] == 1
    assert gateway.ask("PUT", f"{path}?expected_version=1", flow("Two?"), token=admin)["flow_version"] == 2
    problem = refused(gateway, 409, "FLOW_CHANGED", "PUT", f"{path}?expected_version=1", flow("Three?"), token=admin)
    assert problem["flow_version"] == 2
    assert gateway.ask("GET", f"{path}?version=1", token=admin)["flow"]["blocks"]["a"]["text"] == "One?"
    refused(gateway, 404, "FLOW_NOT_FOUND", "GET", f"{path}?version=3", token=admin)
    versions = gateway.ask("GET", f"{path}/versions", token=admin)["items"]
    assert [(item["version"], item["active"]) for item in versions] == [(2, True), (1, False)]


def test_check_tells_every_problem_with_its_place_and_stores_nothing(gateway: Gateway, admin: str, channel_id: str) -> None:
    path = f"/v1/channels/{channel_id}/flow"
    before = gateway.ask("GET", path, token=admin)
    unknown = {"on": "agents", "is": "available", "agents": [new_id()]}
    broken = {
        "start": "a",
        "blocks": {
            "a": {"type": "condition", "cases": [{"if": {"not": unknown}, "next": "gone"}], "else": "b"},
            "b": {"type": "delay", "seconds": 0, "next": "c"},
            "c": {"type": "assign", "team": "nobody"},
            "d": {"type": "close"},
        },
    }
    checked = gateway.ask("POST", f"{path}/check", broken, token=admin)
    assert checked["valid"] is False
    places = {problem["place"] for problem in checked["problems"]}
    assert {"blocks.a.cases.0.if.not.agents", "blocks.a.cases.0.next", "blocks.b.seconds", "blocks.c.team"} <= places
    assert gateway.ask("GET", path, token=admin) == before
    assert gateway.ask("POST", f"{path}/check", before["flow"], token=admin) == {"valid": True, "problems": []}


def test_put_and_check_tell_the_same_whatever_they_are_given(gateway: Gateway, admin: str, channel_id: str) -> None:
    path = f"/v1/channels/{channel_id}/flow"
    documents: tuple[dict[str, Any], ...] = (
        {},
        {"start": 5, "blocks": []},
        {"start": "a", "blocks": {"a": 3, "no blanks": {"type": "close"}}, "colour": "red"},
        {"start": "a", "blocks": {"a": {"type": "set", "field": "f", "value": 1e300, "next": "gone"}}},
    )
    for document in documents:
        checked = gateway.ask("POST", f"{path}/check", document, token=admin)["problems"]
        told = refused(gateway, 422, "INVALID_FLOW", "PUT", path, document, token=admin)["errors"]
        assert [{"place": place, "message": text} for place, texts in told.items() for text in texts] == checked != []


def test_simulation_plays_the_flow_and_nobody_is_told(gateway: Gateway, admin: str, channel_id: str) -> None:
    inputs = [{"text": "Mia"}, {"text": "nonsense"}, {"text": "mia@example.com"}, {"choice": "quote"}, {"text": "More"}]
    body = {"inputs": inputs, "open": True, "available": True}
    played = gateway.ask("POST", f"/v1/channels/{channel_id}/flow/simulate", body, token=admin)
    assert (played["state"], played["unused_inputs"]) == ("assigned", 1)
    assert played["fields"] == played["fields"] | {"name": "Mia", "email": "mia@example.com", "topic": "quote"}
    assert [line["text"] for line in played["transcript"] if line["author"] == "bot"][:2] == [
        "Hi, I am the Acme bot.",
        "What is your name?",
    ]
