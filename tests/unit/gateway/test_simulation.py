from typing import Any

import pytest

from services.common.errors import RemoteError
from tests.unit.gateway.kit import World

PREVIEW = {
    "open": True,
    "opens_at": None,
    "block": "handover",
    "strategy": "round_robin",
    "agents": ["ada", "ben"],
    "team": None,
    "priority": "normal",
    "unavailable": "wait",
}
SIMULATED = {
    "outcome": "assigned",
    "assignee": {"id": "ada", "name": "Ada"},
    "rule": "round_robin",
    "reason": "Ada has had none for the longest time.",
    "candidates": [{"agent_id": "ada", "name": "Ada", "eligible": True}],
    "ordering": ["last_assigned_at", "agent_id"],
    "seed": None,
    "queue_position": None,
    "estimated_wait_seconds": None,
    "at": "2026-11-24T07:31:47.120Z",
}


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "messaging.preview_assignment": PREVIEW,
        "assignment.simulate_assignment": SIMULATED,
        "presence.find_unknown": {"agent_ids": [], "team_ids": []},
    }
    return world


def simulate(world: World, **body: Any) -> Any:
    return world.send("POST", "/v1/assignment/simulate", {"channel_id": "shop"} | body, token=world.agent_token())


def test_simulation_asks_what_the_channels_flow_would_ask(world: World) -> None:
    response = simulate(world)
    assert response.status_code == 200
    assert response.json == SIMULATED | {"channel_id": "shop", "block": "handover", "open": True, "opens_at": None}
    assert world.rpc.asked("messaging.preview_assignment") == {"channel_id": "shop"}
    assert world.rpc.asked("assignment.simulate_assignment") == {
        "channel_id": "shop",
        "strategy": "round_robin",
        "agents": ["ada", "ben"],
        "team_id": None,
        "priority": "normal",
        "unavailable": "wait",
    }


def test_simulation_of_a_named_block_is_of_that_block(world: World) -> None:
    simulate(world, block="sales")
    assert world.rpc.asked("messaging.preview_assignment") == {"channel_id": "shop", "block": "sales"}


@pytest.mark.parametrize(
    ("wishes", "asked"),
    [
        ({"strategy": "random"}, {"strategy": "random"}),
        ({"strategy": None}, {}),
        ({"priority": "high"}, {"priority": "high"}),
        ({"agents": ["cleo"]}, {"agents": ["cleo"]}),
        ({"team": "sales"}, {"agents": None, "team_id": "sales"}),
        ({"team": None}, {"agents": None}),
        ({"agents": None}, {"agents": None}),
    ],
)
def test_wish_takes_the_place_of_the_flows(world: World, wishes: dict[str, Any], asked: dict[str, Any]) -> None:
    simulate(world, **wishes)
    told = world.rpc.asked("assignment.simulate_assignment")
    assert told == told | {"strategy": "round_robin", "agents": ["ada", "ben"], "team_id": None, "priority": "normal"} | asked


def test_named_agents_take_the_place_of_the_flows_team(world: World) -> None:
    world.rpc.answers["messaging.preview_assignment"] = PREVIEW | {"agents": None, "team": "sales"}
    simulate(world, agents=["cleo"])
    told = world.rpc.asked("assignment.simulate_assignment")
    assert (told["agents"], told["team_id"]) == (["cleo"], None)


@pytest.mark.parametrize("opens_at", ["2026-11-25T08:00:00.000Z", None])
def test_outcome_is_unavailable_and_candidates_are_shown_when_the_channel_is_closed_and_the_flow_has_another_way(
    world: World, opens_at: str | None
) -> None:
    world.rpc.answers["messaging.preview_assignment"] = PREVIEW | {"open": False, "opens_at": opens_at, "unavailable": "sorry"}
    answered = simulate(world).get_json()
    assert (answered["outcome"], answered["assignee"], answered["rule"]) == ("unavailable", None, "business_hours")
    assert (answered["open"], answered["opens_at"]) == (False, opens_at)
    assert "sorry" in answered["reason"]
    assert opens_at is None or opens_at in answered["reason"]
    assert answered["candidates"] == SIMULATED["candidates"]


def test_outcome_is_the_choices_when_the_channel_is_closed_and_the_flow_waits_whatever_the_hour(world: World) -> None:
    world.rpc.answers["messaging.preview_assignment"] = PREVIEW | {"open": False, "opens_at": "2026-11-25T08:00:00.000Z"}
    answered = simulate(world).get_json()
    assert (answered["outcome"], answered["assignee"], answered["open"]) == ("assigned", {"id": "ada", "name": "Ada"}, False)


@pytest.mark.parametrize(
    ("code", "status", "data"),
    [("CHANNEL_NOT_FOUND", 404, {}), ("VALIDATION_FAILED", 422, {"errors": {"block": ["Not an assign block."]}})],
)
def test_simulation_is_refused_when_messaging_has_no_such_channel_or_block(
    world: World, code: str, status: int, data: dict[str, Any]
) -> None:
    world.rpc.answers["messaging.preview_assignment"] = RemoteError("No.", code=code, data=data)
    problem = world.problem(status, code, simulate(world, block="hello"))
    assert problem == problem | data
    assert "assignment.simulate_assignment" not in [name for name, _ in world.rpc.calls]
