"""The comparer of contracts finds every kind of breakage, lets additions pass, and finds none between the code and the last release."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from deploy.compatibility.compare import Clause, Comparison, compare
from deploy.compatibility.snapshot import Snapshot, last_release, render, take

UPGRADES = Path(__file__).parents[3] / "docs" / "upgrades.md"

ARGUMENTS = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z]+$"},
        "text": {"type": "string", "minLength": 1, "maxLength": 100},
        "kind": {"type": "string", "enum": ["sse", "ws"]},
        "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
        "names": {"type": "array", "items": {"type": "string", "maxLength": 10}, "maxItems": 5},
        "actor": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        "wish": {"anyOf": [{"$ref": "Wish"}, {"type": "null"}]},
    },
    "required": ["id"],
}
DATA = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "seq": {"type": "integer"},
        "state": {"type": "string", "enum": ["open", "archived"]},
        "author": {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]},
    },
    "required": ["author", "id", "seq", "state"],
}
CONTRACT: Snapshot = {
    "version": "1.0.0",
    "calls": {"messaging.post": ARGUMENTS, "messaging.read": {"type": "object", "properties": {}}},
    "events": {
        "messaging.posted": {"stream": "message.created", "data": DATA},
        "messaging.told": {"stream": None, "data": {"type": "object", "properties": {}}},
    },
    "subscriptions": {"assignment": ["messaging.posted", "messaging.told"]},
    "retired": [],
    "operations": {
        "POST /v1/things": {
            "parameters": {"query limit": {"required": False, "shape": {"type": "integer", "maximum": 100}}},
            "body": {"$ref": "Wish"},
            "body_required": False,
            "answers": {"200": {"$ref": "Thing"}, "204": None},
        },
        "GET /v1/things": {"parameters": {}, "body": None, "body_required": False, "answers": {"200": None}},
    },
    "components": {
        "Wish": {"type": "object", "properties": {"for": {"$ref": "Wish"}, "team": {"type": "string"}}, "required": []},
        "Thing": {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string"}}, "required": ["id"]},
    },
    "problems": {"NOT_FOUND": 404, "CONFLICT": 409},
}

Change = Callable[[Snapshot], Any]


def after(change: Change) -> Comparison:
    later = deepcopy(CONTRACT)
    change(later)
    return compare(CONTRACT, later)


def arguments(contract: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = contract["calls"]["messaging.post"]
    return found


def data(contract: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = contract["events"]["messaging.posted"]["data"]
    return found


def operation(contract: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = contract["operations"]["POST /v1/things"]
    return found


def component(contract: Snapshot, name: str) -> dict[str, Any]:
    found: dict[str, Any] = contract["components"][name]
    return found


BREAKS: dict[str, tuple[Clause, str, Change]] = {
    "a method is gone": (Clause.CALLS, "messaging.read is gone", lambda c: c["calls"].pop("messaging.read")),
    "an argument is gone": (Clause.CALLS, "text is gone", lambda c: arguments(c)["properties"].pop("text")),
    "an argument is required now": (Clause.CALLS, "text is now required", lambda c: arguments(c)["required"].append("text")),
    "a new argument is required": (
        Clause.CALLS,
        "mood is new and required",
        lambda c: (arguments(c)["properties"].update(mood={"type": "string"}), arguments(c)["required"].append("mood")),
    ),
    "an argument within another is gone": (
        Clause.CALLS,
        "actor.id is gone",
        lambda c: arguments(c)["properties"]["actor"]["properties"].pop("id"),
    ),
    "an argument is of another type": (
        Clause.CALLS,
        "id is integer, and was string",
        lambda c: arguments(c)["properties"]["id"].update(type="integer"),
    ),
    "an argument may not be null any more": (
        Clause.CALLS,
        "limit is integer, and was integer or null",
        lambda c: arguments(c)["properties"]["limit"].update(type="integer"),
    ),
    "an argument takes fewer words": (
        Clause.CALLS,
        "kind no longer takes ws",
        lambda c: arguments(c)["properties"]["kind"].update(enum=["sse"]),
    ),
    "an argument takes certain words alone": (
        Clause.CALLS,
        "text now takes only a or b",
        lambda c: arguments(c)["properties"]["text"].update(enum=["a", "b"]),
    ),
    "an upper limit is lower": (
        Clause.CALLS,
        "text has maxLength 50, and had 100",
        lambda c: arguments(c)["properties"]["text"].update(maxLength=50),
    ),
    "a lower limit is higher": (
        Clause.CALLS,
        "limit has minimum 2, and had 1",
        lambda c: arguments(c)["properties"]["limit"].update(minimum=2),
    ),
    "a limit is new": (
        Clause.CALLS,
        "id has maxLength 8, and had none",
        lambda c: arguments(c)["properties"]["id"].update(maxLength=8),
    ),
    "a pattern is another": (
        Clause.CALLS,
        "id has the pattern ^x$",
        lambda c: arguments(c)["properties"]["id"].update(pattern="^x$"),
    ),
    "a list's members are bounded": (
        Clause.CALLS,
        "names[] has maxLength 9",
        lambda c: arguments(c)["properties"]["names"]["items"].update(maxLength=9),
    ),
    "unknown names are refused": (
        Clause.CALLS,
        "refuses names that it does not know",
        lambda c: arguments(c).update(additionalProperties=False),
    ),
    "one of an argument's forms is gone": (
        Clause.CALLS,
        "wish is object, and was null",
        lambda c: arguments(c)["properties"]["wish"]["anyOf"].pop(),
    ),
    "a nested component lost a field": (
        Clause.CALLS,
        "wish.team is gone",
        lambda c: component(c, "Wish")["properties"].pop("team"),
    ),
    "an event is gone": (Clause.EVENTS, "messaging.posted is gone", lambda c: c["events"].pop("messaging.posted")),
    "an event has another name on the streams": (
        Clause.EVENTS,
        "is message.posted on the streams",
        lambda c: c["events"]["messaging.posted"].update(stream="message.posted"),
    ),
    "an event lost a field": (Clause.EVENTS, "seq is gone", lambda c: data(c)["properties"].pop("seq")),
    "an event's field may be missing": (Clause.EVENTS, "seq may now be missing", lambda c: data(c)["required"].remove("seq")),
    "an event's field may be null": (
        Clause.EVENTS,
        "seq is integer or null, and was integer",
        lambda c: data(c)["properties"]["seq"].update(type=["integer", "null"]),
    ),
    "an event's nested field is gone": (
        Clause.EVENTS,
        "author.kind is gone",
        lambda c: data(c)["properties"]["author"]["properties"].pop("kind"),
    ),
    "a subscription is gone": (
        Clause.SUBSCRIPTIONS,
        "no longer subscribes to messaging.told",
        lambda c: c["subscriptions"]["assignment"].remove("messaging.told"),
    ),
    "an operation is gone": (Clause.HTTP, "GET /v1/things is gone", lambda c: c["operations"].pop("GET /v1/things")),
    "a parameter is gone": (Clause.HTTP, "no longer takes query limit", lambda c: operation(c)["parameters"].clear()),
    "a parameter is required": (
        Clause.HTTP,
        "now requires query limit",
        lambda c: operation(c)["parameters"]["query limit"].update(required=True),
    ),
    "a new parameter is required": (
        Clause.HTTP,
        "now requires query q",
        lambda c: operation(c)["parameters"].update({"query q": {"required": True, "shape": {}}}),
    ),
    "a parameter's limit is lower": (
        Clause.HTTP,
        "has maximum 50, and had 100",
        lambda c: operation(c)["parameters"]["query limit"]["shape"].update(maximum=50),
    ),
    "a body is required": (Clause.HTTP, "now requires a body", lambda c: operation(c).update(body_required=True)),
    "no body is taken any more": (Clause.HTTP, "no longer takes a body", lambda c: operation(c).update(body=None)),
    "a body's field is required": (
        Clause.HTTP,
        "team is now required",
        lambda c: component(c, "Wish")["required"].append("team"),
    ),
    "an answer is gone": (Clause.HTTP, "no longer answers 204", lambda c: operation(c)["answers"].pop("204")),
    "an answer lost a field": (Clause.HTTP, "note is gone", lambda c: component(c, "Thing")["properties"].pop("note")),
    "an answer's field may be missing": (
        Clause.HTTP,
        "id may now be missing",
        lambda c: component(c, "Thing")["required"].remove("id"),
    ),
    "a code is gone": (Clause.PROBLEMS, "CONFLICT is gone", lambda c: c["problems"].pop("CONFLICT")),
    "a code has another status": (
        Clause.PROBLEMS,
        "NOT_FOUND is answered as 410",
        lambda c: c["problems"].update(NOT_FOUND=410),
    ),
}

ADDITIONS: dict[str, Change] = {
    "a method": lambda c: c["calls"].update({"messaging.new": {"type": "object", "properties": {}}}),
    "an optional argument": lambda c: arguments(c)["properties"].update(mood={"type": "string"}),
    "an argument that may be left out": lambda c: arguments(c)["required"].clear(),
    "an argument's further type": lambda c: arguments(c)["properties"]["text"].update(type=["string", "null"]),
    "an argument's further word": lambda c: arguments(c)["properties"]["kind"].update(enum=["sse", "ws", "poll"]),
    "a wider limit": lambda c: arguments(c)["properties"]["text"].update(maxLength=200),
    "an event": lambda c: c["events"].update({"messaging.new": {"stream": None, "data": {}}}),
    "an event on the streams": lambda c: c["events"]["messaging.told"].update(stream="message.told"),
    "an event's field": lambda c: data(c)["properties"].update(mood={"type": "string"}),
    "an event's word": lambda c: data(c)["properties"]["state"].update(enum=["open", "archived", "snoozed"]),
    "a subscription": lambda c: c["subscriptions"]["assignment"].append("messaging.new"),
    "an operation": lambda c: c["operations"].update({"GET /v1/new": operation(c)}),
    "a parameter": lambda c: operation(c)["parameters"].update({"query q": {"required": False, "shape": {}}}),
    "an answer's field": lambda c: component(c, "Thing")["properties"].update(mood={"type": "string"}),
    "an answer that is always there": lambda c: component(c, "Thing")["required"].append("note"),
    "a code": lambda c: c["problems"].update(LOCKED=423),
}


@pytest.mark.parametrize("name", BREAKS)
def test_breakage_is_found_and_named_with_its_clause(name: str) -> None:
    clause, sentence, change = BREAKS[name]
    found = after(change).breaks
    assert any(sentence in each and f"“{clause}”" in each for each in found), found


@pytest.mark.parametrize("name", ADDITIONS)
def test_addition_passes(name: str) -> None:
    assert after(ADDITIONS[name]).breaks == []


def test_nothing_is_said_of_equal_contracts() -> None:
    assert after(lambda _: None) == Comparison()


def test_additions_are_listed() -> None:
    found = after(lambda c: (ADDITIONS["a method"](c), ADDITIONS["an event's field"](c), ADDITIONS["a parameter"](c)))
    assert found.additions == [
        "the method messaging.new",
        "the data of messaging.posted: mood is new",
        "query q of POST /v1/things",
    ]


def test_subscription_may_go_when_it_is_retired() -> None:
    def retire(contract: Snapshot) -> None:
        contract["subscriptions"]["assignment"].remove("messaging.told")
        contract["retired"].append("assignment.messaging.told")

    assert after(retire).breaks == []


def test_documents_have_every_clause_that_a_breakage_names() -> None:
    headings = {line.lstrip("# ") for line in UPGRADES.read_text().splitlines() if line.startswith("###")}
    assert set(Clause) <= headings


@pytest.fixture(scope="module")
def present() -> Snapshot:
    return take()


def test_code_keeps_what_the_last_release_promised(present: Snapshot) -> None:
    name, released = last_release()
    found = compare(released, present).breaks
    assert not found, f"This breaks version {name}:\n" + "\n".join(found)


def test_contract_of_the_code_is_whole(present: Snapshot) -> None:
    assert present["calls"].keys() >= {"messaging.post_agent_message", "presence.get_agent", "assignment.list_queue"}
    assert present["calls"]["messaging.post_agent_message"]["additionalProperties"] is False
    assert present["calls"]["messaging.post_agent_message"]["properties"]["text"]["maxLength"] == 10_000
    assert present["events"]["messaging.message_posted"]["data"]["required"]
    assert present["operations"]["GET /v1/conversations"]["answers"]["200"] == {"$ref": "ConversationPage"}
    assert all(event in present["events"] for events in present["subscriptions"].values() for event in events)
    assert all(event["data"]["required"] for event in present["events"].values())
    assert render(present) == render(take())
