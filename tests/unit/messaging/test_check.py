from copy import deepcopy
from time import perf_counter, process_time
from typing import Any

import pytest

from services.messaging.flows.check import MAX_MEMBERS, load_flow, load_in_steps
from services.messaging.flows.problems import MAX_PLACE, MAX_PROBLEMS, MORE
from tests.unit.messaging.flows import ACME, EVERYTHING

KNOWN = {"on": "field", "field": "f", "is": "set"}
OPTION = {"label": "A", "value": "v"}


def problems(blocks: dict[str, Any], start: str = "a") -> dict[str, list[str]]:
    return load_flow({"start": start, "blocks": blocks})[1]


def test_flow_is_accepted_with_defaults_when_it_is_the_documented_one() -> None:
    flow, found = load_flow(ACME)
    assert found == {}
    assert {name: flow["blocks"]["name"][name] for name in ("retry", "retries", "otherwise")} == {
        "retry": None,
        "retries": None,
        "otherwise": None,
    }


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
        ("blocks.a.kind", {"a": {"type": "question", "kind": "text", "text": "x", "field": "name", "next": None}}),
        ("blocks.a.kind", {"a": {"type": "question", "kind": "number", "text": "x", "field": "phone", "next": None}}),
        ("blocks.a.kind", {"a": {"type": "question", "kind": "name", "text": "x", "field": "email", "next": None}}),
        ("blocks.a.field", {"a": {"type": "buttons", "text": "x", "field": "email", "options": [{"label": "A", "value": "v"}]}}),
    ],
)
def test_flow_is_refused_at_the_place_when_a_block_is_wrong(place: str, blocks: dict[str, Any]) -> None:
    assert place in problems(blocks)


def test_assign_block_is_refused_when_its_way_on_leads_back_without_the_visitor() -> None:
    again = {"a": {"type": "assign", "unavailable": "b"}, "b": {"type": "message", "text": "Nobody.", "next": "a"}}
    assert set(problems(again)) == {"blocks.a.unavailable", "blocks.b.next"}
    asked = again | {"b": {"type": "question", "kind": "text", "text": "Again?", "field": "f", "next": "a"}}
    assert problems(asked) == {}


def test_assign_blocks_are_refused_when_they_lead_to_each_other_without_the_visitor() -> None:
    again = {"a": {"type": "assign", "unavailable": "b"}, "b": {"type": "assign", "unavailable": "a"}}
    assert set(problems(again)) == {"blocks.a.unavailable", "blocks.b.unavailable"}


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


SAID = {"type": "message", "text": "x"}
ASKED = {"type": "question", "kind": "text", "text": "x", "field": "f"}


def test_round_is_refused_at_each_of_its_ways_when_it_leads_through_blocks_that_wait_for_nobody() -> None:
    round_ = {
        "a": {"type": "condition", "cases": [{"if": KNOWN, "next": None}, {"if": KNOWN, "next": "b"}], "else": "out"},
        "b": {"type": "set", "field": "f", "value": 1, "next": "c"},
        "c": {"type": "ticket", "subject": "x", "next": "d"},
        "d": {"type": "delay", "seconds": 604_800, "next": "e"},
        "e": {"type": "assign", "unavailable": "f"},
        "f": {"type": "goto", "next": "a"},
        "out": SAID | {"next": None},
    }
    text = ["This way goes round without waiting for the visitor."]
    places = ["a.cases.1.next", "b.next", "c.next", "d.next", "e.unavailable", "f.next"]
    assert problems(round_) == {f"blocks.{place}": text for place in places}
    for waiting in (ASKED | {"next": "a"}, {"type": "buttons", "text": "x", "options": [OPTION | {"next": "a"}]}):
        assert problems(round_ | {"f": waiting}) == {}
    assert problems(round_ | {"f": ASKED | {"next": None, "retries": 1, "otherwise": "a"}}) == {}


def test_way_between_two_rounds_is_not_refused_when_it_belongs_to_neither() -> None:
    two = {"a": SAID | {"next": "b"}, "b": {"type": "assign", "unavailable": "c"}, "c": SAID | {"next": "d"}}
    assert problems(two | {"d": SAID | {"next": "c"}}).keys() == {"blocks.c.next", "blocks.d.next"}


def test_close_behind_a_delay_is_accepted_as_the_visitor_can_write_meanwhile() -> None:
    closing = {"a": SAID | {"next": "b"}, "b": {"type": "delay", "seconds": 1, "next": "c"}, "c": {"type": "close"}}
    assert problems(closing) == {}
    silent = {"b": {"type": "condition", "cases": [{"if": KNOWN, "next": "c"}], "else": None}}
    assert problems(closing | silent).keys() == {"blocks.c"}


def test_blocks_are_accepted_with_their_defaults_when_all_types_are_used() -> None:
    flow, found = load_flow(EVERYTHING)
    assert found == {}
    assert flow["blocks"]["country"]["cases"][0]["if"] == EVERYTHING["blocks"]["country"]["cases"][0]["if"]
    (one, two) = flow["blocks"]["there"]["cases"][0]["if"]["all"]
    assert one == {"not": {"on": "agents", "is": "unavailable", "agents": None, "team": None}}
    assert two == {"on": "url", "page": "last", "is": "contains", "value": "shop"}
    assert flow["blocks"]["ticket"]["description"] is None
    assert load_flow(flow) == (flow, {})


@pytest.mark.parametrize(
    ("place", "block"),
    [
        ("else", {"type": "condition", "cases": [{"if": KNOWN, "next": None}]}),
        ("cases.0.next", {"type": "condition", "cases": [{"if": KNOWN}], "else": None}),
        ("cases.0.if", {"type": "condition", "cases": [{"next": None}], "else": None}),
        ("cases.0", {"type": "condition", "cases": [3], "else": None}),
        ("cases.0.next", {"type": "condition", "cases": [{"if": KNOWN, "next": "gone"}], "else": None}),
        ("else", {"type": "condition", "cases": [{"if": KNOWN, "next": None}], "else": "gone"}),
        ("value", {"type": "set", "field": "f", "next": None}),
        ("value", {"type": "set", "field": "f", "value": " ", "next": None}),
        ("value", {"type": "set", "field": "f", "value": ["x"], "next": None}),
        ("value", {"type": "set", "field": "f", "value": 2**60, "next": None}),
        ("value", {"type": "set", "field": "f", "value": 10**400, "next": None}),
        ("value", {"type": "set", "field": "f", "value": float("nan"), "next": None}),
        ("value", {"type": "set", "field": "f", "value": float("inf"), "next": None}),
        ("value", {"type": "set", "field": "name", "value": None, "next": None}),
        ("value", {"type": "set", "field": "phone", "value": 4420, "next": None}),
        ("field", {"type": "set", "field": "1st", "value": 1, "next": None}),
        ("next", {"type": "set", "field": "f", "value": 1}),
        ("subject", {"type": "ticket", "next": None}),
        ("subject", {"type": "ticket", "subject": "x" * 201, "next": None}),
        ("description", {"type": "ticket", "subject": "x", "description": "x" * 2_001, "next": None}),
        ("seconds", {"type": "delay", "next": None}),
        ("seconds", {"type": "delay", "seconds": 0, "next": None}),
        ("seconds", {"type": "delay", "seconds": 604_801, "next": None}),
        ("seconds", {"type": "delay", "seconds": 1.5, "next": None}),
        ("seconds", {"type": "delay", "seconds": True, "next": None}),
        ("next", {"type": "delay", "seconds": 1, "next": "gone"}),
        ("retries", ASKED | {"next": None, "retries": 0}),
        ("retries", ASKED | {"next": None, "retries": 21}),
        ("otherwise", ASKED | {"next": None, "retries": 1, "otherwise": "gone"}),
        ("otherwise", ASKED | {"next": None, "otherwise": "a"}),
        ("otherwise", {"type": "buttons", "text": "x", "options": [OPTION], "retries": None, "otherwise": "a"}),
    ],
)
def test_block_is_refused_at_the_place_when_it_is_one_of_the_younger_kinds(place: str, block: dict[str, Any]) -> None:
    assert problems({"a": block}).keys() == {f"blocks.a.{place}"}


def test_everything_is_refused_at_once_when_much_is_wrong() -> None:
    found = load_flow(
        {
            "start": "a",
            "name": "Acme",
            "blocks": {
                "a": {"type": "message", "text": " ", "next": "gone", "colour": "red"},
                "no blanks": {"type": "close"},
                "b": {"type": "question", "kind": "choice", "field": "1", "retries": 99, "next": "c"},
                "c": "goto",
                "d": {"type": "dance", "next": "gone"},
                "e": {"type": "goto", "next": "e"},
                "f": {"type": "buttons", "text": "x", "options": [OPTION | {"next": "gone"}, OPTION | {"label": ""}]},
            },
        }
    )[1]
    assert found.keys() == {
        "name",
        "blocks.a.text",
        "blocks.a.colour",
        "blocks.a.next",
        "blocks.no blanks",
        "blocks.b.text",
        "blocks.b.field",
        "blocks.b.retries",
        "blocks.b.options",
        "blocks.b",
        "blocks.c",
        "blocks.d.type",
        "blocks.d",
        "blocks.e.next",
        "blocks.e",
        "blocks.f.options.1.label",
        "blocks.f.options",
        "blocks.f.options.0.next",
        "blocks.f",
    }
    order = [place.split(".")[1] for place in list(found)[1:]]
    assert order == sorted(order, key=["a", "no blanks", "b", "c", "d", "e", "f"].index)
    assert found["blocks.no blanks"] == [
        "A block's name has 1 to 64 letters, digits, _ or -.",
        "No way leads here from the start.",
    ]


def test_blocks_are_not_called_unreachable_when_a_reachable_one_may_yet_lead_to_them() -> None:
    lost = {"a": {"type": "goto", "next": "b"}, "c": SAID | {"next": None}}
    for unclear in ({"type": "dance"}, {}, SAID, SAID | {"next": 3}, ASKED | {"next": "no blanks"}, "b"):
        assert "blocks.c" not in problems(lost | {"b": unclear})
    for clear in (SAID | {"next": "gone"}, SAID | {"next": None, "text": ""}, {"type": "close", "next": "c"}):
        assert "blocks.c" in problems(lost | {"b": clear})
    assert "blocks.c" in problems(lost | {"b": SAID | {"next": None}, "d": {"type": "dance"}})


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({}, {"start", "blocks"}),
        ({"start": None, "blocks": None}, {"start", "blocks"}),
        ({"start": ["a"], "blocks": {"a": {"type": "close"}}}, {"start"}),
        ({"start": "a", "blocks": []}, {"blocks"}),
        ({"start": "a", "blocks": {}}, {"blocks"}),
        ({"start": "b", "blocks": {"a": {"type": "goto", "next": "a"}}}, {"start", "blocks.a.next"}),
        ({"start": "", "blocks": {f"a{n}": 3 for n in range(501)}}, {"start", "blocks"}),
        ({"start": "a!", "blocks": {f"a!{n}": {} for n in range(501)}}, {"start", "blocks"}),
    ],
)
def test_document_is_refused_when_it_is_no_flow_at_all(document: dict[str, Any], places: set[str]) -> None:
    assert load_flow(document)[1].keys() == places


def test_check_is_quick_when_a_flow_is_as_large_and_as_tangled_as_may_be() -> None:
    names = [f"b{number}" for number in range(500)]
    cases = {
        name: [{"if": KNOWN, "next": names[(place * step) % 500]} for step in range(1, 21)] for place, name in enumerate(names)
    }
    tangle = {name: {"type": "condition", "cases": cases[name], "else": names[0]} for name in names}
    begun = perf_counter()
    found = problems(tangle, start="b0")
    assert perf_counter() - begun < 10
    assert "blocks.b0.else" in found


def test_document_is_left_alone_when_it_is_loaded() -> None:
    before = deepcopy(ACME)
    load_flow(ACME)
    assert before == ACME


def filling(count: int) -> dict[str, Any]:
    ways = [f"b{number}" for number in range(1, count)] + ["cleared"]
    filled = {
        f"b{number}": {"type": "set", "field": f"f{number}", "value": 1, "next": following}
        for number, following in enumerate(ways)
    }
    return filled | {"cleared": {"type": "set", "field": "gone", "value": None, "next": None}}


def test_flow_is_refused_when_it_fills_more_custom_fields_than_a_contact_keeps() -> None:
    assert problems(filling(100), start="b0") == {}
    assert problems(filling(103), start="b0").keys() == {"blocks.b100.field"}
    named = {"asked": {"type": "question", "kind": "name", "text": "x", "field": "name", "next": "b0"}}
    assert problems(named | filling(100), start="asked") == {}


NONSENSE: dict[str, Any] = {
    "empty tests": {"type": "condition", "cases": [{"if": {"all": [{}] * 50}, "next": None}] * 20, "else": None},
    "empty combinations": {"type": "condition", "cases": [{"if": {"any": [{"all": []}] * 50}}] * 20, "else": None},
    "wrong values": {
        "type": "condition",
        "cases": [{"if": {"any": [{"on": "country", "is": "one_of", "value": [0] * 100}] * 50}, "next": None}],
        "else": None,
    },
    "cases": {"type": "condition", "cases": [{"next": "x"}] * 1_000},
    "options": {"type": "buttons", "options": [{}] * 2_000},
    "agents": {"type": "assign", "agents": [1] * 2_000},
    "names": {"type": "close"} | {f"u{number}": 1 for number in range(2_000)},
    "a list": {"type": "set", "field": "f", "value": [[[]] * 9_000], "next": None},
    "no type": {},
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_check_stops_at_the_first_problems_in_short_steps_when_a_document_is_nonsense(kind: str) -> None:
    document = {"start": "b0", "blocks": {f"b{number}": NONSENSE[kind] for number in range(499)}}
    steps, longest = load_in_steps(document), 0.0
    while True:
        begun = process_time()
        try:
            next(steps)
        except StopIteration as end:
            found = end.value[1]
            break
        finally:
            longest = max(longest, process_time() - begun)
    told = [text for texts in found.values() for text in texts]
    assert len(told) <= MAX_PROBLEMS + 1
    assert (len(told) > MAX_PROBLEMS) == (MORE in found.get("blocks", []))
    assert longest < 0.5  # of some 0.02


def test_tests_are_not_looked_at_one_by_one_when_they_are_too_many() -> None:
    assert problems({"a": NONSENSE["empty tests"]}) == {"blocks.a.cases": ["A condition has at most 50 tests."]}
    assert problems({"a": NONSENSE["empty combinations"]}).keys() == {"blocks.a.cases"}


def test_block_is_not_looked_into_when_it_is_larger_than_any_that_is_accepted() -> None:
    large = {"type": "condition", "cases": [{"next": "gone"}] * MAX_MEMBERS}
    assert problems({"a": large, "b": {"type": "close"}}) == {"blocks.a": ["A block has at most 6,000 names and values."]}


def test_place_is_cut_when_the_document_has_endless_names() -> None:
    (place, *_) = problems({"a": {"type": "close", "x" * 100_000: 1}})
    assert len(place) == MAX_PLACE + 1
