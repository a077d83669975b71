import re
from http import HTTPStatus
from pathlib import Path

import pytest

from gateway.errors import CODES
from services.common.errors import DomainError, RemoteError, Unavailable
from tests.unit.gateway.kit import World

ROOT = Path(__file__).parents[3]
CODE_IN_SOURCE = re.compile(r"""\bcode(?::\s*ClassVar\[str\])?\s*=\s*"([A-Z][A-Z_]+)\"""")


def test_every_code_that_the_source_raises_has_a_status() -> None:
    raised = {
        code
        for folder in ("services", "gateway")
        for path in (ROOT / folder).rglob("*.py")
        for code in CODE_IN_SOURCE.findall(path.read_text(encoding="utf-8"))
    }
    assert len(raised) > 20
    assert raised - set(CODES) == set()


def test_every_code_has_a_known_failure_status_and_a_meaning() -> None:
    for code in CODES.values():
        assert HTTPStatus(code.status) >= HTTPStatus.BAD_REQUEST
        assert code.meaning.endswith(".")


@pytest.mark.parametrize("code", sorted(CODES.keys() - {"MALFORMED_REQUEST"}))
def test_problem_carries_the_code_when_a_service_refuses(world: World, code: str) -> None:
    world.rpc.answers["presence.get_agent"] = RemoteError("No.", code=code)
    response = world.send("GET", "/v1/agents/ada", token=world.agent_token())
    problem = world.problem(CODES[code].status, code, response)
    assert problem["title"] == HTTPStatus(CODES[code].status).phrase
    assert problem["detail"] == "No."
    assert problem["instance"] == "/v1/agents/ada"
    assert problem["type"] == "about:blank"
    assert ("Retry-After" in response.headers) == (response.status_code in (429, 503))
    assert ("WWW-Authenticate" in response.headers) == (response.status_code == 401)


def test_problem_carries_the_errors_data_beside_its_own_members(world: World) -> None:
    world.rpc.answers["presence.get_agent"] = RemoteError(
        "Taken.", code="ALREADY_ASSIGNED", data={"assignee": {"id": "ben", "name": "Ben"}, "status": 200}
    )
    problem = world.problem(409, "ALREADY_ASSIGNED", world.send("GET", "/v1/agents/ada", token=world.agent_token()))
    assert problem["assignee"] == {"id": "ben", "name": "Ben"}


def test_problem_says_that_nobody_has_it_when_the_conversation_was_given_up_meanwhile(world: World) -> None:
    world.rpc.answers["presence.get_agent"] = RemoteError("Given up.", code="ALREADY_ASSIGNED", data={"assignee": None})
    problem = world.problem(409, "ALREADY_ASSIGNED", world.send("GET", "/v1/agents/ada", token=world.agent_token()))
    assert problem["assignee"] is None


def test_problem_names_places_as_in_the_body_when_the_services_argument_is_called_changes(world: World) -> None:
    errors = {"changes.business_hours.time_zone": ["Unknown."], "changes": ["Empty."], "actor.kind": ["?"]}
    world.rpc.answers["presence.get_agent"] = RemoteError("No.", code="VALIDATION_FAILED", data={"errors": errors})
    problem = world.problem(422, "VALIDATION_FAILED", world.send("GET", "/v1/agents/ada", token=world.agent_token()))
    assert problem["errors"] == {"business_hours.time_zone": ["Unknown."], "changes": ["Empty."], "actor.kind": ["?"]}


def test_retry_after_is_what_the_error_says(world: World) -> None:
    world.rpc.answers["presence.get_agent"] = Unavailable("Down.", retry_after=7)
    response = world.send("GET", "/v1/agents/ada", token=world.agent_token())
    assert "retry_after" not in world.problem(503, "SERVICE_UNAVAILABLE", response)
    assert response.headers["Retry-After"] == "7"


def test_problem_says_what_the_family_says_when_a_later_service_has_a_code_of_its_own(world: World) -> None:
    error = RemoteError("Somebody else edits it.", code="AGENT_LOCKED", data={"by": "ada"}, general="CONFLICT")
    world.rpc.answers["presence.get_agent"] = error
    problem = world.problem(409, "CONFLICT", world.send("GET", "/v1/agents/ada", token=world.agent_token()))
    assert (problem["detail"], problem["by"]) == ("Somebody else edits it.", "ada")


@pytest.mark.parametrize(
    "failure", [DomainError("secret", code="NEW_CODE"), RemoteError("secret", code="MALFORMED_REQUEST"), lambda **_: 1 / 0]
)
def test_nothing_is_leaked_when_something_unexpected_happens(world: World, failure: object) -> None:
    world.rpc.answers["presence.get_agent"] = failure
    response = world.send("GET", "/v1/agents/ada", token=world.agent_token())
    world.problem(500, "INTERNAL", response)
    assert b"secret" not in response.data
    assert b"zero" not in response.data


def test_routes_that_are_not_there_are_problems(world: World) -> None:
    world.problem(404, "NOT_FOUND", world.send("GET", "/v1/nothing"))
    world.problem(404, "NOT_FOUND", world.send("GET", "/v1/agents/a%20b"))
    response = world.send("PUT", "/v1/agents")
    world.problem(405, "METHOD_NOT_ALLOWED", response)
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "MALFORMED_REQUEST"),
        (b"", "application/json", 400, "MALFORMED_REQUEST"),
        (b'{"email": NaN}', "application/json", 400, "MALFORMED_REQUEST"),
        (b'{"email": "\\ud800"}', "application/json", 400, "MALFORMED_REQUEST"),
        (b"\xff", "application/json", 400, "MALFORMED_REQUEST"),
        (b"[" * 100_000, "application/json", 400, "MALFORMED_REQUEST"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400, "MALFORMED_REQUEST"),
        (b"email=a", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * 300_000, "application/json", 413, "BODY_TOO_LARGE"),
        (b"[]", "application/json", 422, "VALIDATION_FAILED"),
        (b"1", "application/json", 422, "VALIDATION_FAILED"),
        (b'{"email": 1, "password": "x"}', "application/json", 422, "VALIDATION_FAILED"),
        (b'{"email": "a", "password": "x", "more": 1}', "application/json", 422, "VALIDATION_FAILED"),
    ],
)
def test_bad_bodies_are_refused_precisely(world: World, body: bytes, content_type: str, status: int, code: str) -> None:
    response = world.send("POST", "/v1/auth/token", body, headers={"Content-Type": content_type})
    world.problem(status, code, response)
    assert world.rpc.calls == []


def test_errors_name_each_field(world: World) -> None:
    response = world.send("POST", "/v1/auth/token", {"email": 1, "more": 2})
    errors = world.problem(422, "VALIDATION_FAILED", response)["errors"]
    assert set(errors) == {"email", "password", "more"}
    assert errors["more"] == ["Unknown field."]
