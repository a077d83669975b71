from typing import Any

import pytest

from gateway.schemas.channels import ChannelSchema
from services.common.errors import RemoteError
from tests.unit.gateway.kit import ADMIN, CHANNEL, World

HOURS = {"time_zone": "Europe/Berlin", "weekly": {"monday": [["09:00", "12:30"], ["13:00", "24:00"]], "sunday": []}}


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "messaging.create_channel": CHANNEL,
        "messaging.update_channel": CHANNEL,
    }
    return world


def change(world: World, **changes: Any) -> Any:
    return world.send("PATCH", "/v1/channels/shop", changes, token=world.agent_token(ADMIN))


@pytest.mark.parametrize(
    "changes",
    [
        {"business_hours": HOURS},
        {"business_hours": {"time_zone": "America/Argentina/Buenos_Aires", "weekly": {}}},
        {"business_hours": None},
        {"reassignment": {"disconnected_after_seconds": None, "unanswered_after_seconds": 86_400}},
        {"reassignment": {"unanswered_after_seconds": 10}},
        {"reassignment": {}},
    ],
)
def test_hours_and_reassignment_are_passed_on_as_given(world: World, changes: dict[str, Any]) -> None:
    assert change(world, **changes).status_code == 200
    assert world.rpc.asked("messaging.update_channel")["changes"] == changes
    body = {"kind": "web", "name": "Shop"} | changes
    assert world.send("POST", "/v1/channels", body, token=world.agent_token(ADMIN)).status_code == 201
    told = world.rpc.asked("messaging.create_channel")
    assert told == told | changes


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"business_hours": {"weekly": {}}}, "business_hours.time_zone"),
        ({"business_hours": {"time_zone": "Not a zone", "weekly": {}}}, "business_hours.time_zone"),
        ({"business_hours": {"time_zone": "UTC"}}, "business_hours.weekly"),
        ({"business_hours": {"time_zone": "UTC", "weekly": {"someday": []}}}, "business_hours.weekly.someday"),
        ({"business_hours": {"time_zone": "UTC", "weekly": {"monday": None}}}, "business_hours.weekly.monday"),
        ({"business_hours": {"time_zone": "UTC", "weekly": {"monday": [["09:00"]]}}}, "business_hours.weekly.monday.0"),
        ({"business_hours": {"time_zone": "UTC", "weekly": {"monday": [["9:00", "17:00"]]}}}, "business_hours.weekly.monday.0.0"),
        (
            {"business_hours": {"time_zone": "UTC", "weekly": {"monday": [["09:00", "24:01"]]}}},
            "business_hours.weekly.monday.0.1",
        ),
        (
            {"business_hours": {"time_zone": "UTC", "weekly": {"monday": [["09:00", "10:00"]] * 25}}},
            "business_hours.weekly.monday",
        ),
        ({"reassignment": {"disconnected_after_seconds": 9}}, "reassignment.disconnected_after_seconds"),
        ({"reassignment": {"unanswered_after_seconds": 86_401}}, "reassignment.unanswered_after_seconds"),
        ({"reassignment": {"unanswered_after_seconds": True}}, "reassignment.unanswered_after_seconds"),
        ({"reassignment": None}, "reassignment"),
    ],
)
def test_channel_is_refused_when_hours_or_reassignment_are_malformed(world: World, changes: dict[str, Any], place: str) -> None:
    assert set(world.problem(422, "VALIDATION_FAILED", change(world, **changes))["errors"]) == {place}


def test_overlap_is_left_for_messaging_to_refuse_and_named_as_in_the_body(world: World) -> None:
    errors = {"changes.business_hours.weekly.monday": ["Span 2 begins before the one before it has ended."]}
    world.rpc.answers["messaging.update_channel"] = RemoteError("No.", code="VALIDATION_FAILED", data={"errors": errors})
    overlapping = HOURS | {"weekly": {"monday": [["09:00", "12:00"], ["11:00", "13:00"]]}}
    problem = world.problem(422, "VALIDATION_FAILED", change(world, business_hours=overlapping))
    assert set(problem["errors"]) == {"business_hours.weekly.monday"}


MESSENGER = {
    "page_id": "104857600000000",
    "page_access_token": "EAAG-token",
    "app_secret": "0123456789abcdef",
    "verify_token": "mine",
    "human_agent_tag": True,
}


@pytest.mark.parametrize("settings", [MESSENGER, {"page_access_token": "EAAG-other"}, {}])
def test_messenger_settings_are_passed_on_as_given_and_answered_without_secrets(world: World, settings: dict[str, Any]) -> None:
    shown = {
        "page_id": "104857600000000",
        "has_page_access_token": True,
        "has_app_secret": True,
        "has_verify_token": True,
        "human_agent_tag": True,
        "fault": {"code": "190", "message": "Expired.", "since": "2026-11-24T07:31:47.120Z"},
    }
    world.rpc.answers["messaging.update_channel"] = CHANNEL | {"kind": "messenger", "messenger": shown}
    response = change(world, messenger=settings)
    assert (response.status_code, response.get_json()["messenger"]) == (200, shown)
    assert world.rpc.asked("messaging.update_channel")["changes"] == {"messenger": settings}
    assert ChannelSchema().validate(response.get_json() | {"created_at": "2026-11-24T07:31:47.120Z"}) == {}


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"page_id": "shop"}, "messenger.page_id"),
        ({"page_id": 104857600000000}, "messenger.page_id"),
        ({"app_secret": ""}, "messenger.app_secret"),
        ({"page_access_token": "a b"}, "messenger.page_access_token"),
        ({"verify_token": "x" * 1_001}, "messenger.verify_token"),
        ({"human_agent_tag": "yes"}, "messenger.human_agent_tag"),
        ({"fault": None}, "messenger.fault"),
        (None, "messenger"),
    ],
)
def test_channel_is_refused_when_messenger_settings_are_malformed(world: World, settings: Any, place: str) -> None:
    assert set(world.problem(422, "VALIDATION_FAILED", change(world, messenger=settings))["errors"]) == {place}
