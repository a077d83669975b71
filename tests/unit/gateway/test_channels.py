from typing import Any

import pytest

from gateway.people import MAX_ASKED
from services.common.errors import RemoteError, Unavailable
from tests.unit.gateway.kit import ADMIN, CHANNEL, World

HOURS = {"time_zone": "Europe/Berlin", "weekly": {"monday": [["09:00", "12:30"], ["13:00", "24:00"]], "sunday": []}}
KNOWN: dict[str, list[str]] = {"agent_ids": [], "team_ids": []}


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "messaging.create_channel": CHANNEL,
        "messaging.update_channel": CHANNEL,
        "messaging.put_flow": CHANNEL,
        "presence.find_unknown": KNOWN,
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


def put_flow(world: World, **blocks: Any) -> Any:
    flow = {"start": "a", "blocks": {"a": {"type": "message", "text": "Hi", "next": "b"}} | blocks}
    return world.send("PUT", "/v1/channels/shop/flow", flow, token=world.agent_token(ADMIN))


def test_flow_is_stored_when_all_whom_it_names_exist(world: World) -> None:
    response = put_flow(
        world,
        b={"type": "assign", "agents": ["ada", "ben"], "unavailable": "c"},
        c={"type": "assign", "team": "sales"},
        d={"type": "assign", "agents": ["ben"]},
    )
    assert response.status_code == 200
    assert world.rpc.asked("presence.find_unknown") == {"agent_ids": ["ada", "ben"], "team_ids": ["sales"]}
    assert world.rpc.asked("messaging.put_flow")["flow"]["blocks"].keys() == {"a", "b", "c", "d"}


def test_flow_is_refused_naming_each_block_when_it_names_agents_or_teams_that_do_not_exist(world: World) -> None:
    world.rpc.answers["presence.find_unknown"] = {"agent_ids": ["ben", "cleo"], "team_ids": ["ghosts"]}
    response = put_flow(
        world,
        b={"type": "assign", "agents": ["ada", "ben", "cleo", "ben"]},
        c={"type": "assign", "team": "ghosts"},
        d={"type": "assign", "agents": ["ada"]},
    )
    assert world.problem(422, "INVALID_FLOW", response)["errors"] == {
        "blocks.b.agents": ["There is no active agent ben.", "There is no active agent cleo."],
        "blocks.c.team": ["There is no team ghosts."],
    }
    assert "messaging.put_flow" not in [name for name, _ in world.rpc.calls]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "assign"},
        {"type": "assign", "agents": None, "team": None},
        {"type": "assign", "agents": "ada", "team": ["sales"]},
        {"type": "assign", "agents": [1, None, {"id": "ada"}, "a b", ""], "team": 7},
        {"type": ["assign"], "agents": ["ada"]},
        {"type": "message", "agents": ["ada"]},
        {},
    ],
)
def test_nobody_is_asked_for_and_messaging_checks_the_flow_when_no_agent_or_team_is_properly_named(
    world: World, block: dict[str, Any]
) -> None:
    assert put_flow(world, b=block).status_code == 200
    assert [name for name, _ in world.rpc.calls if name != "presence.list_revoked_sessions"] == ["messaging.put_flow"]


def test_agents_are_looked_up_in_parts_when_a_flow_names_more_than_presence_takes(world: World) -> None:
    ids = [f"agent-{number}" for number in range(MAX_ASKED + 5)]
    world.rpc.answers["presence.find_unknown"] = lambda agent_ids, team_ids: {
        "agent_ids": [one for one in agent_ids if one == ids[-1]],
        "team_ids": [],
    }
    problem = world.problem(422, "INVALID_FLOW", put_flow(world, b={"type": "assign", "agents": ids, "team": "sales"}))
    assert problem["errors"] == {"blocks.b.agents": [f"There is no active agent {ids[-1]}."]}
    asked = [(len(call["agent_ids"]), call["team_ids"]) for name, call in world.rpc.calls if name == "presence.find_unknown"]
    assert asked == [(MAX_ASKED, ["sales"]), (5, [])]


def test_flow_is_not_stored_when_presence_can_not_be_asked(world: World) -> None:
    world.rpc.answers["presence.find_unknown"] = Unavailable("Down.")
    world.problem(503, "SERVICE_UNAVAILABLE", put_flow(world, b={"type": "assign", "team": "sales"}))
    assert "messaging.put_flow" not in [name for name, _ in world.rpc.calls]
