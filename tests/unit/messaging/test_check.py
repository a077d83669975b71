from copy import deepcopy
from typing import Any

import pytest

from services.messaging.flows.check import load_flow
from tests.unit.messaging.flows import ACME


def problems(blocks: dict[str, Any], start: str = "a") -> dict[str, list[str]]:
    return load_flow({"start": start, "blocks": blocks})[1]


def test_flow_is_accepted_with_defaults_when_it_is_the_documented_one() -> None:
    flow, found = load_flow(ACME)
    assert found == {}
    assert flow["blocks"]["name"]["retry"] is None


@pytest.mark.parametrize(
    ("place", "blocks"),
    [
        ("blocks.a.next", {"a": {"type": "message", "text": "x", "next": "nowhere"}}),
        ("blocks.a.text", {"a": {"type": "message", "next": None}}),
        ("blocks.a.text", {"a": {"type": "message", "text": "  ", "next": None}}),
        ("blocks.a.type", {"a": {"type": "dance"}}),
        ("blocks.a.type", {"a": {}}),
        ("blocks.a.colour", {"a": {"type": "message", "text": "x", "next": None, "colour": "red"}}),
        ("blocks.b", {"a": {"type": "message", "text": "x", "next": None}, "b": {"type": "close"}}),
        ("blocks.a.next", {"a": {"type": "goto", "next": "a"}}),
        ("blocks.b.next", {"a": {"type": "message", "text": "x", "next": "b"}, "b": {"type": "goto", "next": "a"}}),
        ("blocks.a.options", {"a": {"type": "question", "kind": "choice", "text": "x", "field": "f", "next": None}}),
        ("blocks.a.options", {"a": {"type": "buttons", "text": "x", "options": []}}),
        (
            "blocks.a.options",
            {"a": {"type": "buttons", "text": "x", "options": [{"label": "A", "value": "v"}, {"label": "B", "value": "v"}]}},
        ),
        (
            "blocks.a.options.0.next",
            {"a": {"type": "buttons", "text": "x", "options": [{"label": "A", "value": "v", "next": "z"}]}},
        ),
        ("blocks.a.unavailable", {"a": {"type": "assign", "unavailable": "gone"}}),
        ("blocks.a.team", {"a": {"type": "assign", "agents": ["ann"], "team": "sales"}}),
        ("blocks.a.team", {"a": {"type": "assign", "team": "no blanks"}}),
        ("blocks.a.priority", {"a": {"type": "assign", "priority": "urgent"}}),
        ("blocks.a.kind", {"a": {"type": "question", "kind": "shoe", "text": "x", "field": "f", "next": None}}),
        ("blocks.a.field", {"a": {"type": "question", "kind": "text", "text": "x", "field": "no blanks", "next": None}}),
    ],
)
def test_flow_is_refused_at_the_place_when_a_block_is_wrong(place: str, blocks: dict[str, Any]) -> None:
    assert place in problems(blocks)


def test_assign_block_is_refused_when_its_way_on_leads_back_without_the_visitor() -> None:
    again = {"a": {"type": "assign", "unavailable": "b"}, "b": {"type": "message", "text": "Nobody.", "next": "a"}}
    assert set(problems(again)) == {"blocks.a.next", "blocks.b.next"}
    asked = again | {"b": {"type": "question", "kind": "text", "text": "Again?", "field": "f", "next": "a"}}
    assert problems(asked) == {}


def test_assign_blocks_are_refused_when_they_lead_to_each_other_without_the_visitor() -> None:
    again = {"a": {"type": "assign", "unavailable": "b"}, "b": {"type": "assign", "unavailable": "a"}}
    assert set(problems(again)) == {"blocks.a.next", "blocks.b.next"}


def test_assign_block_is_accepted_when_it_names_a_team_and_a_priority() -> None:
    flow, found = load_flow({"start": "a", "blocks": {"a": {"type": "assign", "team": "sales", "priority": "low"}}})
    assert found == {}
    assert (flow["blocks"]["a"]["agents"], flow["blocks"]["a"]["team"]) == (None, "sales")
    assert load_flow({"start": "a", "blocks": {"a": {"type": "assign"}}})[0]["blocks"]["a"]["priority"] == "normal"


def test_close_is_refused_when_the_visitor_could_not_write_before() -> None:
    closed = {"a": {"type": "message", "text": "We are closed.", "next": "b"}, "b": {"type": "close"}}
    assert set(problems(closed)) == {"blocks.b"}


def test_flow_is_refused_when_the_start_is_missing() -> None:
    assert "start" in problems({"a": {"type": "close"}}, start="b")


def test_loop_is_accepted_when_it_waits_for_the_visitor() -> None:
    again = {"type": "question", "kind": "text", "text": "And?", "field": "f", "next": "a"}
    assert problems({"a": again}) == {}


def test_document_is_left_alone_when_it_is_loaded() -> None:
    before = deepcopy(ACME)
    load_flow(ACME)
    assert before == ACME
