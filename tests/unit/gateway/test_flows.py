"""Flows over HTTP: given, checked with the people they name, versioned, played."""

from typing import Any

import pytest

from gateway.people import MAX_ASKED
from services.common.errors import Invalid, RemoteError, Unavailable
from tests.unit.gateway.kit import ADMIN, CHANNEL, World

KNOWN: dict[str, list[str]] = {"agent_ids": [], "team_ids": []}
FLOW = {"start": "a", "blocks": {"a": {"type": "message", "text": "Hi", "next": None}}}
PATH = "/v1/channels/shop/flow"


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "messaging.put_flow": CHANNEL,
        "messaging.delete_flow": CHANNEL | {"has_flow": False, "flow_version": None},
        "messaging.check_flow": {"valid": True, "problems": []},
        "presence.find_unknown": KNOWN,
    }
    return world


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


def test_flow_is_refused_with_messagings_problems_too_when_it_names_somebody_unknown(world: World) -> None:
    world.rpc.answers |= {
        "presence.find_unknown": {"agent_ids": ["ben"], "team_ids": []},
        "messaging.check_flow": {"valid": False, "problems": [{"place": "blocks.a.next", "message": "There is no block z."}]},
    }
    problem = world.problem(422, "INVALID_FLOW", put_flow(world, b={"type": "assign", "agents": ["ben"]}))
    assert problem["errors"] == {
        "blocks.a.next": ["There is no block z."],
        "blocks.b.agents": ["There is no active agent ben."],
    }


def test_flow_is_put_over_the_version_that_it_was_made_from(world: World) -> None:
    token = world.agent_token(ADMIN)
    assert world.send("PUT", f"{PATH}?expected_version=0", FLOW, token=token).status_code == 200
    assert world.rpc.asked("messaging.put_flow")["expected_version"] == 0
    world.rpc.answers["messaging.put_flow"] = RemoteError("Changed.", code="FLOW_CHANGED", data={"flow_version": 4})
    problem = world.problem(409, "FLOW_CHANGED", world.send("PUT", f"{PATH}?expected_version=3", FLOW, token=token))
    assert problem["flow_version"] == 4
    for wrong in ("-1", "x", "1.5"):
        world.problem(422, "VALIDATION_FAILED", world.send("PUT", f"{PATH}?expected_version={wrong}", FLOW, token=token))


def test_flow_is_taken_away_by_admins_alone(world: World) -> None:
    world.problem(403, "FORBIDDEN", world.send("DELETE", PATH, token=world.agent_token()))
    response = world.send("DELETE", PATH, token=world.agent_token(ADMIN))
    assert (response.status_code, response.get_json()["has_flow"]) == (200, False)


def test_versions_are_listed_and_read(world: World) -> None:
    page: dict[str, Any] = {"items": [], "next_cursor": None}
    world.rpc.answers |= {"messaging.list_flow_versions": page, "messaging.get_flow": {"flow": FLOW, "version": 2}}
    assert world.send("GET", f"{PATH}/versions?limit=5", token=world.agent_token()).get_json() == page
    assert world.rpc.asked("messaging.list_flow_versions") == {"channel_id": "shop", "limit": 5}
    assert world.send("GET", f"{PATH}?version=2", token=world.agent_token()).get_json()["version"] == 2
    assert world.rpc.asked("messaging.get_flow") == {"channel_id": "shop", "version": 2}


def check(world: World, flow: Any) -> Any:
    return world.send("POST", f"{PATH}/check", flow, token=world.agent_token())


def test_check_finds_nothing_when_the_flow_can_run(world: World) -> None:
    assert check(world, FLOW).get_json() == {"valid": True, "problems": []}
    assert world.rpc.asked("messaging.check_flow") == {"channel_id": "shop", "flow": FLOW}


@pytest.mark.parametrize("flow", [{}, {"start": 5}, {"blocks": []}, {"start": None, "blocks": None, "colour": "red"}])
def test_check_has_messaging_judge_whatever_is_no_flow(world: World, flow: dict[str, Any]) -> None:
    problems = [{"place": "start", "message": "Missing data for required field."}]
    world.rpc.answers["messaging.check_flow"] = {"valid": False, "problems": problems}
    assert check(world, flow).get_json() == {"valid": False, "problems": problems}
    assert world.rpc.asked("messaging.check_flow")["flow"] == flow


def test_check_names_every_unknown_agent_and_team_also_those_in_conditions(world: World) -> None:
    world.rpc.answers["presence.find_unknown"] = {"agent_ids": ["ben", "cleo"], "team_ids": ["ghosts"]}
    tests = [
        {"on": "agents", "is": "available", "agents": ["ada", "ben"]},
        {"all": [{"on": "business_hours", "is": "open"}, {"not": {"on": "agents", "is": "available", "team": "ghosts"}}]},
        {"any": [{"any": [{"on": "agents", "is": "unavailable", "agents": ["cleo"]}]}]},
    ]
    blocks = {
        "a": {"type": "condition", "cases": [{"if": test, "next": "b"} for test in tests], "else": "b"},
        "b": {"type": "assign", "team": "ghosts"},
    }
    assert check(world, {"start": "a", "blocks": blocks}).get_json() == {
        "valid": False,
        "problems": [
            {"place": "blocks.a.cases.0.if.agents", "message": "There is no active agent ben."},
            {"place": "blocks.a.cases.2.if.any.0.any.0.agents", "message": "There is no active agent cleo."},
            {"place": "blocks.a.cases.1.if.all.1.not.team", "message": "There is no team ghosts."},
            {"place": "blocks.b.team", "message": "There is no team ghosts."},
        ],
    }
    assert world.rpc.asked("presence.find_unknown") == {"agent_ids": ["ada", "ben", "cleo"], "team_ids": ["ghosts"]}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "condition"},
        {"type": "condition", "cases": "all"},
        {"type": "condition", "cases": [None, 5, {"next": "b"}, {"if": []}, {"if": {"all": {}, "any": 5, "not": [1]}}]},
        {"type": "condition", "cases": [{"if": {"on": ["agents"], "agents": ["ada"]}}]},
    ],
)
def test_malformed_conditions_are_left_for_messaging(world: World, block: dict[str, Any]) -> None:
    assert check(world, {"start": "a", "blocks": {"a": block}}).status_code == 200
    assert "presence.find_unknown" not in [name for name, _ in world.rpc.calls]


def simulate(world: World, **body: Any) -> Any:
    return world.send("POST", f"{PATH}/simulate", body, token=world.agent_token())


def test_simulation_is_asked_with_what_was_given_and_nothing_that_is_null(world: World) -> None:
    played = {"transcript": [], "fields": {}, "state": "waiting", "block": "a", "unused_inputs": 0}
    world.rpc.answers["messaging.simulate_flow"] = played
    contact = {"fields": {"name": "Mia", "topic": None}, "country": "PT", "first_url": None}
    response = simulate(
        world, flow=FLOW, inputs=[{"text": "Hi", "choice": None}, {"choice": "quote"}], contact=contact, open=None
    )
    assert response.get_json() == played
    assert world.rpc.asked("messaging.simulate_flow") == {
        "channel_id": "shop",
        "flow": FLOW,
        "inputs": [{"text": "Hi"}, {"choice": "quote"}],
        "contact": {"fields": {"name": "Mia"}, "country": "PT"},
    }


def test_simulation_without_anything_plays_the_channels_flow_to_its_first_question(world: World) -> None:
    world.rpc.answers["messaging.simulate_flow"] = RemoteError("None.", code="FLOW_NOT_FOUND")
    world.problem(404, "FLOW_NOT_FOUND", simulate(world, available=False))
    assert world.rpc.asked("messaging.simulate_flow") == {"channel_id": "shop", "inputs": [], "available": False}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"inputs": [{}]}, "inputs.0.text"),
        ({"inputs": [{"text": "a", "choice": "b"}]}, "inputs.0.text"),
        ({"inputs": [{"text": "a"}] * 101}, "inputs"),
        ({"flow": []}, "flow"),
        ({"contact": {"country": "Portugal"}}, "contact.country"),
        ({"contact": {"fields": {"1st": "x"}}}, "contact.fields.1st.key"),
        ({"open": "yes"}, "open"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_simulation_is_refused_when_its_inputs_are_malformed(world: World, body: dict[str, Any], place: str) -> None:
    assert set(world.problem(422, "VALIDATION_FAILED", simulate(world, **body))["errors"]) == {place}


@pytest.mark.parametrize("flow", [{}, {"start": 5}, {"start": "a", "blocks": []}, {"blocks": {"a b": 3}, "colour": "red"}])
def test_flow_is_put_whatever_it_is_as_messaging_tells_all_that_is_wrong(world: World, flow: dict[str, Any]) -> None:
    problems = {"start": ["Missing data for required field."], "blocks.a b": ["Not a valid mapping type."]}
    world.rpc.answers["messaging.put_flow"] = Invalid("The flow has problems.", code="INVALID_FLOW", errors=problems)
    response = world.send("PUT", PATH, flow, token=world.agent_token(ADMIN))
    assert world.problem(422, "INVALID_FLOW", response)["errors"] == problems
    assert world.rpc.asked("messaging.put_flow")["flow"] == flow


@pytest.mark.parametrize("flow", [[], "x", 5])
def test_flow_is_refused_when_it_is_no_object(world: World, flow: Any) -> None:
    world.problem(422, "VALIDATION_FAILED", world.send("PUT", PATH, flow, token=world.agent_token(ADMIN)))


def test_checks_and_simulations_are_limited_together() -> None:
    world = World(FOYER_RATE_LIMITS="on")
    world.rpc.answers["messaging.check_flow"] = {"valid": True, "problems": []}
    assert [check(world, FLOW).status_code for _ in range(60)] == [200] * 60
    world.problem(429, "RATE_LIMITED", simulate(world))


def test_people_are_not_looked_for_where_messaging_did_not_look_as_it_is_too_much(world: World) -> None:
    test = {"on": "agents", "is": "available", "team": "ghosts"}
    flow = {"blocks": {"a": {"type": "condition", "cases": [{"if": test}]}, "b": {"type": "assign", "team": "spirits"}}}
    world.rpc.answers["presence.find_unknown"] = lambda agent_ids, team_ids: {"agent_ids": [], "team_ids": team_ids}
    too_many = {"place": "blocks.a.cases", "message": "A condition has at most 50 tests."}
    world.rpc.answers["messaging.check_flow"] = {"valid": False, "problems": [too_many]}
    assert [problem["place"] for problem in check(world, flow).get_json()["problems"]] == ["blocks.a.cases", "blocks.b.team"]
    world.rpc.answers["messaging.check_flow"] = {"valid": False, "problems": [too_many] * 501}
    assert len(check(world, flow).get_json()["problems"]) == 501
