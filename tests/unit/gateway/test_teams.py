from typing import Any

import pytest

from services.common.errors import RemoteError
from tests.unit.gateway.kit import ADMIN, TEAM, World

ACTOR = {"kind": "agent", "id": "root", "name": "Root", "role": "admin"}


@pytest.mark.parametrize(
    ("method", "path", "body", "call", "arguments"),
    [
        ("POST", "/v1/teams", {"name": "Sales"}, "create_team", {"name": "Sales", "agent_ids": []}),
        ("PATCH", "/v1/teams/sales", {"agent_ids": []}, "update_team", {"team_id": "sales", "changes": {"agent_ids": []}}),
        ("PUT", "/v1/teams/sales/agents/ada", None, "add_agent_to_team", {"team_id": "sales", "agent_id": "ada"}),
        ("DELETE", "/v1/teams/sales/agents/ada", None, "remove_agent_from_team", {"team_id": "sales", "agent_id": "ada"}),
    ],
)
def test_change_of_a_team_answers_the_team(
    world: World, method: str, path: str, body: Any, call: str, arguments: dict[str, Any]
) -> None:
    world.rpc.answers[f"presence.{call}"] = TEAM
    response = world.send(method, path, body, token=world.agent_token(ADMIN))
    assert (response.status_code, response.json) == (201 if method == "POST" else 200, TEAM)
    assert response.headers.get("Location") == ("/v1/teams/sales" if method == "POST" else None)
    assert world.rpc.asked(f"presence.{call}") == arguments | {"actor": ACTOR}


def test_deleted_team_is_answered_by_nothing(world: World) -> None:
    world.rpc.answers["presence.delete_team"] = {"id": "sales"}
    response = world.send("DELETE", "/v1/teams/sales", token=world.agent_token(ADMIN))
    assert (response.status_code, response.data) == (204, b"")


def test_teams_are_read_by_any_agent(world: World) -> None:
    page = {"items": [TEAM], "next_cursor": None}
    world.rpc.answers |= {"presence.list_teams": page, "presence.get_team": TEAM}
    assert world.send("GET", "/v1/teams?limit=7", token=world.agent_token()).json == page
    assert world.rpc.asked("presence.list_teams") == {"limit": 7}
    assert world.send("GET", "/v1/teams/sales", token=world.agent_token()).json == TEAM


@pytest.mark.parametrize(("code", "status"), [("TEAM_NOT_FOUND", 404), ("TEAM_NAME_TAKEN", 409), ("VALIDATION_FAILED", 422)])
def test_change_of_a_team_is_refused_as_presence_says(world: World, code: str, status: int) -> None:
    world.rpc.answers["presence.update_team"] = RemoteError("No.", code=code)
    world.problem(status, code, world.send("PATCH", "/v1/teams/sales", {"name": "A"}, token=world.agent_token(ADMIN)))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "A", "agent_ids": ["a b"]}, "agent_ids.0"),
        ({"name": "A", "agent_ids": ["a"] * 1_001}, "agent_ids"),
        ({"name": "A", "agent_ids": None}, "agent_ids"),
        ({"name": "A", "members": []}, "members"),
    ],
)
def test_team_is_refused_when_a_value_is_unusable(world: World, body: dict[str, Any], place: str) -> None:
    response = world.send("POST", "/v1/teams", body, token=world.agent_token(ADMIN))
    assert set(world.problem(422, "VALIDATION_FAILED", response)["errors"]) == {place}
