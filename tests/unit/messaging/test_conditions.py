from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.messaging.flows.condition_schemas import load_test
from services.messaging.flows.conditions import holds
from services.messaging.flows.facts import KnownFacts
from tests.unit.messaging.flows import WatchedFacts

NOBODY = KnownFacts()


def on_field(relation: str, *value: Any) -> dict[str, Any]:
    return {"on": "field", "field": "f", "is": relation} | ({"value": value[0]} if value else {})


def is_true(test: dict[str, Any], facts: KnownFacts = NOBODY, **fields: Any) -> bool:
    return holds(load_test(test), fields, facts)


@pytest.mark.parametrize("value", ["x", 0, False, 0.0])
def test_field_is_set_when_it_has_any_value(value: object) -> None:
    assert is_true(on_field("set"), f=value)
    assert not is_true(on_field("empty"), f=value)


@pytest.mark.parametrize("fields", [{}, {"f": ""}, {"f": " \n"}, {"g": "x"}])
def test_field_is_empty_when_it_has_none_or_a_blank_one(fields: dict[str, Any]) -> None:
    assert is_true(on_field("empty"), **fields)
    assert not is_true(on_field("set"), **fields)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("Gold", "gOLD"),
        (" gold ", "gold"),
        ("STRASSE", "straße"),
        ("cafe\u0301", "Café"),
        ("\uff13", "3"),
        (3, 3.0),
        ("3", 3),
        (" 3.50 ", 3.5),
        ("3,5", 3.5),
        (3, "3"),
        (True, True),
        ("true", True),
        (False, "False"),
    ],
)
def test_values_are_equal_when_a_person_would_say_so(value: Any, wanted: Any) -> None:
    assert is_true(on_field("equal", wanted), f=value)
    assert not is_true(on_field("unequal", wanted), f=value)
    assert is_true(on_field("one_of", ["other", wanted]), f=value)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("golden", "gold"), ("007", "7"), (1, True), (True, 1), ("", "x"), (None, "x"), (3, 4), ("three", 3), (3, "three")],
)
def test_values_are_unequal_when_they_differ_or_one_is_missing(value: Any, wanted: Any) -> None:
    assert not is_true(on_field("equal", wanted), f=value)
    assert is_true(on_field("unequal", wanted), f=value)
    assert not is_true(on_field("one_of", ["other", wanted]), f=value)


def test_text_contains_or_starts_with_another_whatever_the_case() -> None:
    assert is_true(on_field("contains", "RED sh"), f="two Red Shoes")
    assert is_true(on_field("contains", "12"), f=3125)
    assert not is_true(on_field("contains", "shoe, red"), f="two Red Shoes")
    assert is_true(on_field("starts_with", "TWO"), f="two Red Shoes")
    assert not is_true(on_field("starts_with", "red"), f="two Red Shoes")


@pytest.mark.parametrize("relation", ["contains", "starts_with", "above", "below"])
def test_empty_field_stands_in_no_relation(relation: str) -> None:
    assert not is_true(on_field(relation, "2026-01-01"))
    assert not is_true(on_field(relation, "2026-01-01"), f="")


@pytest.mark.parametrize(
    ("value", "bound", "above", "below"),
    [
        (4, 3, True, False),
        (3, 3, False, False),
        (2.5, 3, False, True),
        ("10", 9, True, False),
        ("-1,5", 0, False, True),
        ("many", 3, False, False),
        (True, 0, False, False),
        ("1e9", 3, False, False),
        (float("inf"), 3, False, False),
        ("2026-10-01", "2026-09-30", True, False),
        ("2026-09-30", "2026-09-30", False, False),
        ("2025-12-31", "2026-09-30", False, True),
        ("2026-10-01T08:00:00Z", "2026-09-30", True, False),
        ("2026-02-31", "2026-01-01", False, False),
        ("20261001", "2026-09-30", False, False),
        (2027, "2026-09-30", False, False),
        ("2026-10-01", 3, False, False),
    ],
)
def test_field_is_above_or_below_when_both_are_numbers_or_days(value: Any, bound: Any, above: bool, below: bool) -> None:
    assert is_true(on_field("above", bound), f=value) is above
    assert is_true(on_field("below", bound), f=value) is below


@pytest.mark.parametrize(
    ("country", "one_of", "none_of", "known"),
    [("DE", True, False, True), ("at", True, False, True), ("FR", False, True, True), (None, False, True, False)],
)
def test_country_is_told_from_others(country: str | None, one_of: bool, none_of: bool, known: bool) -> None:
    facts = KnownFacts(country=country)
    assert is_true({"on": "country", "is": "one_of", "value": ["de", "AT"]}, facts) is one_of
    assert is_true({"on": "country", "is": "none_of", "value": ["de", "AT"]}, facts) is none_of
    assert is_true({"on": "country", "is": "known"}, facts) is known


def test_page_is_the_last_unless_the_first_is_named() -> None:
    facts = KnownFacts(first_url="https://shop.example/?utm_source=News", last_url="https://shop.example/Shoes")
    assert is_true({"on": "url", "is": "contains", "value": "/shoes"}, facts)
    assert not is_true({"on": "url", "is": "contains", "value": "utm_source=news"}, facts)
    assert is_true({"on": "url", "page": "first", "is": "contains", "value": "utm_source=news"}, facts)
    assert is_true({"on": "url", "is": "starts_with", "value": "HTTPS://shop.example/"}, facts)
    assert is_true({"on": "url", "is": "equal", "value": "https://shop.example/shoes"}, facts)
    assert not is_true({"on": "url", "is": "equal", "value": "https://shop.example/"}, facts)
    assert not is_true({"on": "url", "is": "contains", "value": "/shoes"})


@pytest.mark.parametrize("open_", [True, False])
def test_business_hours_are_open_or_closed(open_: bool) -> None:
    facts = KnownFacts(open=open_)
    assert is_true({"on": "business_hours", "is": "open"}, facts) is open_
    assert is_true({"on": "business_hours", "is": "closed"}, facts) is not open_


@pytest.mark.parametrize("available", [True, False])
def test_agents_are_asked_for_as_the_test_names_them(available: bool) -> None:
    facts = WatchedFacts(available=available)
    assert is_true({"on": "agents", "is": "available", "agents": ["ann"]}, facts) is available
    assert is_true({"on": "agents", "is": "unavailable", "team": "sales"}, facts) is not available
    assert is_true({"on": "agents", "is": "available"}, facts) is available
    assert facts.asked == [(["ann"], None), (None, "sales"), (None, None)]


def test_facts_are_not_asked_for_when_the_outcome_is_clear_without_them() -> None:
    facts = WatchedFacts(country="DE")
    known, there = on_field("set"), {"on": "agents", "is": "available"}
    assert is_true({"any": [known, there]}, facts, f="x")
    assert not is_true({"all": [known, there]}, facts)
    assert facts.asked == []
    assert is_true({"all": [{"not": known}, {"on": "country", "is": "known"}, there]}, facts)
    assert facts.asked == ["country", (None, None)]


LEAVES = st.builds(lambda name: {"on": "field", "field": name, "is": "set"}, st.sampled_from("abc"))
TESTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).flatmap(lambda tests: st.sampled_from([{"all": tests}, {"any": tests}]))
        | inner.map(lambda test: {"not": test})
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(TESTS, min_size=1, max_size=3), st.sets(st.sampled_from("abc")))
def test_combined_tests_hold_as_logic_says(tests: list[dict[str, Any]], known: set[str]) -> None:
    fields = dict.fromkeys(known, 1)
    outcomes = [holds(test, fields, NOBODY) for test in tests]
    assert holds({"all": tests}, fields, NOBODY) is all(outcomes)
    assert holds({"any": tests}, fields, NOBODY) is any(outcomes)
    assert holds({"not": tests[0]}, fields, NOBODY) is not outcomes[0]
