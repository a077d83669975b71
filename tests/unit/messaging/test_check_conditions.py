from typing import Any

import pytest

from services.messaging.flows.check import load_flow

KNOWN = {"on": "field", "field": "f", "is": "set"}


def problems(block: dict[str, Any]) -> dict[str, list[str]]:
    return load_flow({"start": "a", "blocks": {"a": block}})[1]


def deep(levels: int) -> dict[str, Any]:
    return KNOWN if levels == 1 else {"not": deep(levels - 1)}


@pytest.mark.parametrize(
    ("place", "test"),
    [
        ("", None),
        ("", []),
        (".on", {}),
        (".on", {"on": "moon", "is": "full"}),
        (".on", {"on": ["field"]}),
        (".is", {"on": "field", "field": "f"}),
        (".is", {"on": "field", "field": "f", "is": "like", "value": "x"}),
        (".field", {"on": "field", "is": "set"}),
        (".field", {"on": "field", "field": "no blanks", "is": "set"}),
        (".value", {"on": "field", "field": "f", "is": "set", "value": "x"}),
        (".value", {"on": "field", "field": "f", "is": "empty", "value": None}),
        (".value", {"on": "field", "field": "f", "is": "equal"}),
        (".value", {"on": "field", "field": "f", "is": "equal", "value": None}),
        (".value", {"on": "field", "field": "f", "is": "equal", "value": " "}),
        (".value", {"on": "field", "field": "f", "is": "equal", "value": "x" * 2_001}),
        (".value", {"on": "field", "field": "f", "is": "equal", "value": ["x"]}),
        (".value", {"on": "field", "field": "f", "is": "equal", "value": 2**53}),
        (".value", {"on": "field", "field": "f", "is": "equal", "value": float("nan")}),
        (".value", {"on": "field", "field": "f", "is": "contains", "value": 3}),
        (".value", {"on": "field", "field": "f", "is": "starts_with", "value": True}),
        (".value", {"on": "field", "field": "f", "is": "one_of", "value": "x"}),
        (".value", {"on": "field", "field": "f", "is": "one_of", "value": []}),
        (".value", {"on": "field", "field": "f", "is": "one_of", "value": ["x"] * 101}),
        (".value.1", {"on": "field", "field": "f", "is": "one_of", "value": ["x", None]}),
        (".value", {"on": "field", "field": "f", "is": "above", "value": "much"}),
        (".value", {"on": "field", "field": "f", "is": "above", "value": "2026-02-30"}),
        (".value", {"on": "field", "field": "f", "is": "below", "value": True}),
        (".value", {"on": "field", "field": "f", "is": "below", "value": float("inf")}),
        (".size", {"on": "field", "field": "f", "is": "set", "size": 1}),
        (".value", {"on": "country", "is": "one_of"}),
        (".value.0", {"on": "country", "is": "none_of", "value": ["UK"]}),
        (".value.1", {"on": "country", "is": "none_of", "value": ["DE", "DEU"]}),
        (".value", {"on": "country", "is": "known", "value": ["DE"]}),
        (".value", {"on": "url", "is": "contains"}),
        (".value", {"on": "url", "is": "contains", "value": 1}),
        (".page", {"on": "url", "page": "middle", "is": "contains", "value": "x"}),
        (".is", {"on": "url", "is": "one_of", "value": "x"}),
        (".is", {"on": "business_hours", "is": "late"}),
        (".value", {"on": "business_hours", "is": "open", "value": True}),
        (".team", {"on": "agents", "is": "available", "agents": ["ann"], "team": "sales"}),
        (".agents", {"on": "agents", "is": "available", "agents": []}),
        (".agents.0", {"on": "agents", "is": "available", "agents": ["no blanks"]}),
        (".all", {"all": []}),
        (".any", {"any": {}}),
        (".any.1.is", {"any": [{"on": "business_hours", "is": "open"}, {"on": "business_hours"}]}),
        (".on", {"on": "business_hours", "not": {"on": "business_hours", "is": "open"}}),
        (".any", {"all": [{"on": "business_hours", "is": "open"}], "any": []}),
        (".not.not.not.not.not", deep(6)),
    ],
)
def test_test_is_refused_at_its_place_when_it_is_wrong(place: str, test: Any) -> None:
    block = {"type": "condition", "cases": [{"if": KNOWN, "next": None}, {"if": test, "next": None}], "else": None}
    assert problems(block).keys() == {f"blocks.a.cases.1.if{place}"}


def test_tests_are_accepted_when_they_are_as_many_and_as_deep_as_may_be() -> None:
    def block(*tests: Any) -> dict[str, Any]:
        return {"type": "condition", "cases": [{"if": test, "next": None} for test in tests], "else": None}

    assert problems(block({"all": [KNOWN] * 49}, deep(5))) == {}
    assert problems(block({"all": [KNOWN] * 50}, deep(5))).keys() == {"blocks.a.cases"}
    assert problems(block(*[KNOWN] * 20)) == {}
    assert problems(block(*[KNOWN] * 21)).keys() == {"blocks.a.cases"}
    assert problems(block()).keys() == {"blocks.a.cases"}
