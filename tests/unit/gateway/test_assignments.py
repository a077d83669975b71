from typing import Any

import pytest

from services.common.errors import RemoteError
from tests.unit.gateway.kit import ADMIN, AGENT, ASSIGNMENT, CONVERSATION, World

PATH = "/v1/conversations/v1/assignee"
BEN = {"id": "ben", "name": "Ben"}
NEVER_ASKED = RemoteError("Nobody was asked for.", code="CONVERSATION_NOT_FOUND")
API_TOKEN = "foyer_0123456789abcdef0123456789"


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "messaging.get_conversation": CONVERSATION,
        "presence.get_agent": AGENT,
        "assignment.get_assignment": ASSIGNMENT | {"assignee": BEN},
        "assignment.assign_conversation": ASSIGNMENT,
        "assignment.unassign_conversation": ASSIGNMENT | {"state": "unassigned", "assignee": None},
        "presence.find_unknown": {"agent_ids": [], "team_ids": []},
        "presence.verify_api_token": {"id": "t1", "name": "CRM", "scopes": ["bot"]},
    }
    return world


def give(world: World, **body: Any) -> Any:
    return world.send("PUT", PATH, {"agent_id": "ada"} | body, token=world.agent_token())


def test_assigning_tells_assignment_about_conversation_and_agent(world: World) -> None:
    response = give(world, remark="Knows the customer.")
    assert (response.status_code, response.json) == (200, ASSIGNMENT)
    told = world.rpc.asked("assignment.assign_conversation")
    assert (told["conversation_id"], told["channel_id"], told["contact_id"]) == ("v1", "shop", "c1")
    assert told["agent"] == {
        name: AGENT[name] for name in ("id", "name", "role", "connected", "availability", "capacity", "active", "version")
    }
    assert told["actor"] == {"kind": "agent", "id": "ada", "name": "Ada", "role": "agent"}
    assert told["remark"] == "Knows the customer."


@pytest.mark.parametrize(
    ("known", "expected"),
    [(ASSIGNMENT | {"assignee": BEN}, "ben"), (ASSIGNMENT | {"assignee": None, "state": "queued"}, None), (NEVER_ASKED, None)],
    ids=["somebody", "nobody", "nobody was ever asked for"],
)
def test_who_has_it_as_the_request_arrives_is_expected_when_nothing_else_is(
    world: World, known: object, expected: str | None
) -> None:
    world.rpc.answers["assignment.get_assignment"] = known
    assert give(world).status_code == 200
    assert world.rpc.asked("assignment.assign_conversation")["expected_assignee_id"] == expected
    assert world.rpc.calls[1][0] == "assignment.get_assignment"  # before anything that takes time, but for the sign-in

    world.rpc.calls.clear()
    assert world.send("DELETE", PATH, token=world.agent_token()).status_code == 200
    assert world.rpc.asked("assignment.unassign_conversation")["expected_assignee_id"] == expected
    assert world.rpc.calls[0][0] == "assignment.get_assignment"


@pytest.mark.parametrize("expected", ["ben", None])
def test_nobody_is_asked_who_has_it_when_the_caller_says(world: World, expected: str | None) -> None:
    assert give(world, expected_assignee_id=expected).status_code == 200
    assert world.rpc.asked("assignment.assign_conversation")["expected_assignee_id"] == expected
    assert "assignment.get_assignment" not in [name for name, _ in world.rpc.calls]


@pytest.mark.parametrize(("query", "expected"), [("ben", "ben"), ("none", None)])
def test_unassigning_takes_the_expectation_and_the_remark_from_the_query(world: World, query: str, expected: str | None) -> None:
    response = world.send("DELETE", f"{PATH}?expected_assignee_id={query}&remark=Went%20home.", token=world.agent_token())
    assert (response.status_code, response.json["state"]) == (200, "unassigned")  # type: ignore[index]
    told = world.rpc.asked("assignment.unassign_conversation")
    assert (told["expected_assignee_id"], told["remark"]) == (expected, "Went home.")
    assert "assignment.get_assignment" not in [name for name, _ in world.rpc.calls]


def test_parameters_count_as_not_given_when_they_are_empty(world: World) -> None:
    assert world.send("DELETE", f"{PATH}?expected_assignee_id=&remark=", token=world.agent_token()).status_code == 200
    told = world.rpc.asked("assignment.unassign_conversation")
    assert (told["expected_assignee_id"], told["remark"]) == ("ben", None)


@pytest.mark.parametrize("assignee", [BEN, None])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_loser_of_two_hands_is_told_who_has_it(world: World, method: str, assignee: dict[str, str] | None) -> None:
    refusal = RemoteError("Ben has it now.", code="ALREADY_ASSIGNED", data={"assignee": assignee})
    world.rpc.answers |= {"assignment.assign_conversation": refusal, "assignment.unassign_conversation": refusal}
    body = {"agent_id": "ada"} if method == "PUT" else None
    problem = world.problem(409, "ALREADY_ASSIGNED", world.send(method, PATH, body, token=world.agent_token()))
    assert problem["assignee"] == assignee


def test_assigning_is_refused_when_the_conversation_is_archived(world: World) -> None:
    world.rpc.answers["messaging.get_conversation"] = CONVERSATION | {"status": "archived"}
    world.problem(409, "CONVERSATION_ARCHIVED", give(world))


def test_assigning_is_refused_when_the_account_is_closed(world: World) -> None:
    errors = {"agent_id": ["This account is not active."]}
    world.rpc.answers["assignment.assign_conversation"] = RemoteError("No.", code="VALIDATION_FAILED", data={"errors": errors})
    assert world.problem(422, "VALIDATION_FAILED", give(world))["errors"] == errors


@pytest.mark.parametrize(
    ("method", "code"), [("messaging.get_conversation", "CONVERSATION_NOT_FOUND"), ("presence.get_agent", "AGENT_NOT_FOUND")]
)
def test_assigning_is_refused_when_something_is_not_there(world: World, method: str, code: str) -> None:
    world.rpc.answers[method] = RemoteError("No such thing.", code=code)
    world.problem(404, code, give(world))
    assert "assignment.assign_conversation" not in [name for name, _ in world.rpc.calls]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"remark": "x" * 501}, "remark"),
        ({"remark": " "}, "remark"),
        ({"remark": "a\u0000"}, "remark"),
        ({"expected_assignee_id": ""}, "expected_assignee_id"),
        ({"expected_assignee_id": "a b"}, "expected_assignee_id"),
        ({"agent_id": None}, "agent_id"),
    ],
)
def test_assigning_is_refused_when_a_value_is_unusable(world: World, body: dict[str, Any], place: str) -> None:
    assert set(world.problem(422, "VALIDATION_FAILED", give(world, **body))["errors"]) == {place}


@pytest.mark.parametrize(
    "query", [{"remark": "x" * 501}, {"remark": "a\u0000"}, {"expected_assignee_id": "a b"}, {"expected_assignee_id": "x" * 65}]
)
def test_unassigning_is_refused_when_a_value_is_unusable(world: World, query: dict[str, str]) -> None:
    response = world.send("DELETE", PATH, token=world.agent_token(), query_string=query)
    assert set(world.problem(422, "VALIDATION_FAILED", response)["errors"]) == set(query)


def test_assignment_is_shown_as_never_asked_for_when_assignment_does_not_know_the_conversation(world: World) -> None:
    world.rpc.answers["assignment.get_assignment"] = NEVER_ASKED
    shown = world.send("GET", PATH, token=world.agent_token()).get_json()
    assert shown.keys() == ASSIGNMENT.keys()
    assert (shown["state"], shown["version"], shown["changed_at"]) == ("unassigned", 0, CONVERSATION["created_at"])


@pytest.mark.parametrize("path", ["/v1/conversations/v1/assign", "/v1/bot/conversations/v1/assign"])
def test_asking_for_an_agent_passes_the_wishes_that_were_given(world: World, path: str) -> None:
    world.rpc.answers["messaging.request_assignment"] = CONVERSATION
    token = API_TOKEN if "bot" in path else world.agent_token(ADMIN)
    body = {"team": "sales", "priority": "high", "agents": None}
    assert world.send("POST", path, body, token=token).status_code == 200
    assert world.send("POST", path, token=token).status_code == 200
    (_, first), (_, second) = [call for call in world.rpc.calls if call[0] == "messaging.request_assignment"]
    assert {name: first[name] for name in body} == body
    assert second.keys() == {"conversation_id", "actor"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"agents": ["ada"], "team": "sales"}, "team"),
        ({"agents": []}, "agents"),
        ({"agents": ["ada"] * 201}, "agents"),
        ({"agents": ["a b"]}, "agents.0"),
        ({"team": ""}, "team"),
        ({"priority": "urgent"}, "priority"),
        ({"priority": None}, "priority"),
        ({"strategy": "best"}, "strategy"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/conversations/v1/assign", "/v1/bot/conversations/v1/assign", "/v1/assignment/simulate"])
def test_wishes_are_refused_when_they_are_unusable(world: World, path: str, body: dict[str, Any], place: str) -> None:
    token = API_TOKEN if "bot" in path else world.agent_token()
    body = body | ({"channel_id": "shop"} if "simulate" in path else {})
    assert set(world.problem(422, "VALIDATION_FAILED", world.send("POST", path, body, token=token))["errors"]) == {place}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/conversations/v1/assign", {}),
        ("/v1/bot/conversations/v1/assign", {}),
        ("/v1/assignment/simulate", {"channel_id": "shop"}),
    ],
)
def test_request_is_refused_when_it_names_who_does_not_exist(world: World, path: str, body: dict[str, Any]) -> None:
    token = API_TOKEN if "/bot/" in path else world.agent_token()
    world.rpc.answers["presence.find_unknown"] = {"agent_ids": ["cleo"], "team_ids": ["sales"]}
    for wish, place in (({"agents": ["ada", "cleo"]}, "agents"), ({"team": "sales"}, "team")):
        problem = world.problem(422, "VALIDATION_FAILED", world.send("POST", path, body | wish, token=token))
        assert list(problem["errors"]) == [place]
