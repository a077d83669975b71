from typing import Any

import pytest

from services.common.errors import Invalid
from services.common.times import now
from services.common.validation import load
from services.messaging import channel_schemas, schemas, views

ADMIN = {"kind": "agent", "id": "ada", "name": "Ada", "role": "admin"}
CREATION: dict[str, Any] = {"kind": "web", "name": "Shop", "actor": ADMIN}
OFFICE = {"time_zone": "Europe/Berlin", "weekly": {"monday": [["09:00", "12:30"], ["13:00", "24:00"]], "friday": []}}


def problems(**values: Any) -> set[str]:
    with pytest.raises(Invalid) as refused:
        load(channel_schemas.CreateChannel(), CREATION | values)
    with pytest.raises(Invalid) as changing:
        load(channel_schemas.UpdateChannel(), {"channel_id": "c", "changes": values, "actor": ADMIN})
    places = set(refused.value.data["errors"])
    assert set(changing.value.data["errors"]) == {f"changes.{place}" for place in places}
    return places


def test_schedule_and_times_are_taken_as_they_are_when_they_are_right() -> None:
    loaded = load(
        channel_schemas.CreateChannel(), CREATION | {"business_hours": OFFICE, "reassignment": {"unanswered_after_seconds": None}}
    )
    assert loaded["business_hours"] == OFFICE
    assert loaded["reassignment"] == {"unanswered_after_seconds": None}


def test_channel_is_always_open_when_nothing_is_said() -> None:
    loaded = load(channel_schemas.CreateChannel(), CREATION)
    assert (loaded["business_hours"], loaded["reassignment"]) == (None, {})
    change = {"business_hours": None}
    assert load(channel_schemas.UpdateChannel(), {"channel_id": "c", "changes": change, "actor": ADMIN})["changes"] == change


@pytest.mark.parametrize(
    ("place", "business_hours"),
    [
        ("business_hours.weekly.monday", {"time_zone": "UTC", "weekly": {"monday": [["9", "17:00"]]}}),
        ("business_hours.weekly.sunday", {"time_zone": "UTC", "weekly": {"monday": [], "sunday": [["17:00", "09:00"]]}}),
        ("business_hours.weekly.monday", {"time_zone": "UTC", "weekly": {"monday": None}}),
        ("business_hours.weekly.funday", {"time_zone": "UTC", "weekly": {"funday": [["09:00", "17:00"]]}}),
        ("business_hours.weekly", {"time_zone": "UTC"}),
        ("business_hours.weekly", {"time_zone": "UTC", "weekly": []}),
        ("business_hours.time_zone", {"time_zone": "Mars/Olympus", "weekly": {}}),
        ("business_hours.time_zone", {"time_zone": 1, "weekly": {}}),
        ("business_hours.time_zone", {"weekly": {}}),
        ("business_hours.holidays", {"time_zone": "UTC", "weekly": {}, "holidays": []}),
        ("business_hours", "always"),
    ],
)
def test_schedule_is_refused_at_the_place_when_it_is_wrong(place: str, business_hours: Any) -> None:
    assert problems(business_hours=business_hours) == {place}


@pytest.mark.parametrize("seconds", [9, 86_401, 0, -1, "60", 60.5, True])
def test_reassignment_is_refused_at_the_place_when_it_is_wrong(seconds: Any) -> None:
    for name in views.REASSIGNMENT:
        assert problems(reassignment={name: seconds}) == {f"reassignment.{name}"}


def test_reassignment_is_refused_when_it_is_no_pair_of_times() -> None:
    assert problems(reassignment=None) == {"reassignment"}
    assert problems(reassignment={"after": 60}) == {"reassignment.after"}


def test_agents_and_a_team_are_refused_when_both_are_asked_for() -> None:
    wanted = {"conversation_id": "c", "actor": ADMIN, "agents": ["ann"]}
    assert load(schemas.RequestAssignment(), wanted)["priority"] == "normal"
    with pytest.raises(Invalid) as refused:
        load(schemas.RequestAssignment(), wanted | {"team": "sales"})
    assert set(refused.value.data["errors"]) == {"team"}


def test_defaults_show_when_a_channel_was_stored_without_them() -> None:
    stored: dict[str, Any] = {"_id": "c", "kind": "web", "name": "Shop", "visitor_count": 0, "allowed_origins": [], "version": 3}
    shown = views.channel(stored | {"flow_id": None, "created_at": now()})
    assert shown["business_hours"] is None
    assert shown["reassignment"] == {"disconnected_after_seconds": 60, "unanswered_after_seconds": 300}
