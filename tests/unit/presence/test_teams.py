"""What a team is made of and what a change of it entails."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.presence.errors import TooMany, UnknownAgents
from services.presence.teams import (
    MAX_MEMBERS,
    check_known,
    decide_change,
    decide_joining,
    decide_leaving,
    name_key,
    new_team,
)
from services.presence.views import team_view


def make(*agent_ids: str) -> dict[str, Any]:
    return new_team("t1", name=" Sales ", agent_ids=agent_ids, now=datetime(2026, 11, 24, 8, tzinfo=UTC), mark="mark")


def test_new_team_has_each_agent_once_in_the_order_given() -> None:
    assert team_view(make("a2", "a1", "a2")) == {
        "id": "t1",
        "name": "Sales",
        "agent_ids": ["a2", "a1"],
        "created_at": "2026-11-24T08:00:00.000Z",
        "version": 1,
    }


@pytest.mark.parametrize("other", ["SALES", " sales ", "\uff33ales"])
def test_names_are_the_same_when_only_case_or_spelling_differs(other: str) -> None:
    assert name_key(other) == make()["name_key"]


def test_unknown_agents_are_named_each_once() -> None:
    check_known(["a1", "a2"], {"a1", "a2", "a3"})
    with pytest.raises(UnknownAgents) as refused:
        check_known(["a1", "a9", "a8", "a9"], {"a1"})
    assert refused.value.error_code == "VALIDATION_FAILED"
    assert refused.value.data == {"errors": {"agent_ids": ["There is no agent a9.", "There is no agent a8."]}}


def test_nothing_is_written_when_all_is_as_wanted() -> None:
    assert decide_change(make("a1", "a2"), {"name": "Sales ", "agent_ids": ["a1", "a2", "a1"]}) == {}


def test_change_keeps_the_order_given() -> None:
    assert decide_change(make("a1", "a2"), {"agent_ids": ["a2", "a1"]}) == {"agent_ids": ["a2", "a1"]}


def test_change_of_case_changes_the_name_alone() -> None:
    assert decide_change(make(), {"name": "SALES"}) == {"name": "SALES"}
    assert decide_change(make(), {"name": "Care"}) == {"name": "Care", "name_key": "care"}


def test_joining_and_leaving_change_nothing_when_repeated() -> None:
    assert decide_joining(make("a1"), "a2") == {"agent_ids": ["a1", "a2"]}
    assert decide_joining(make("a1"), "a1") == {}
    assert decide_leaving(make("a1", "a2"), "a1") == {"agent_ids": ["a2"]}
    assert decide_leaving(make("a2"), "a1") == {}


def test_joining_is_refused_when_the_team_is_full() -> None:
    full = make(*[f"a{number}" for number in range(MAX_MEMBERS)])
    assert decide_joining(full, "a7") == {}
    with pytest.raises(TooMany) as refused:
        decide_joining(full, "b1")
    assert refused.value.error_code == "CONFLICT"
