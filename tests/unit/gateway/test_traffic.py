import pytest

from services.common.logs import request_id
from tests.unit.gateway.kit import AGENT, World


def test_request_id_is_kept_when_it_is_sane(world: World) -> None:
    assert world.send("GET", "/healthz", headers={"X-Request-ID": "abc-1.2:3_4"}).headers["X-Request-ID"] == "abc-1.2:3_4"


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "<script>", "a\tb"])
def test_request_id_is_made_anew_when_it_is_not_sane(world: World, given: str) -> None:
    answered = world.send("GET", "/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert answered != given
    assert len(answered) == 32


def test_calls_carry_the_request_id(world: World) -> None:
    seen: list[str | None] = []

    def get_agent(**_: str) -> dict[str, object]:
        seen.append(request_id.get())
        return AGENT

    world.rpc.answers["presence.get_agent"] = get_agent
    world.send("GET", "/v1/agents/me", token=world.agent_token(), headers={"X-Request-ID": "abc"})
    assert seen == ["abc"]


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/v1/agents", "/docs", "/v1/openapi.json", "/metrics"])
def test_every_answer_has_the_security_headers(world: World, path: str) -> None:
    headers = world.send("GET", path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_agents_routes_have_no_cors_headers(world: World) -> None:
    headers = world.send("GET", "/v1/agents", headers={"Origin": "https://evil.example"}).headers
    assert not [name for name in headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118


@pytest.mark.parametrize("path", ["/v1/agents?limt=3", "/v1/agents/me?x=1", "/v1/agents?limit=3&cursor=&y="])
def test_query_is_refused_when_it_names_something_unknown(world: World, path: str) -> None:
    problem = world.problem(422, "VALIDATION_FAILED", world.send("GET", path, token=world.agent_token()))
    assert list(problem["errors"].values()) == [["Unknown field."]]


@pytest.mark.parametrize("limit", ["0", "101", "x", "1.5", "", "\u0661", "1e1", "9" * 30])
def test_page_size_is_refused_when_it_is_not_a_number_from_1_to_100(world: World, limit: str) -> None:
    response = world.send("GET", "/v1/agents", token=world.agent_token(), query_string={"limit": limit})
    assert set(world.problem(422, "VALIDATION_FAILED", response)["errors"]) == {"limit"}


def test_page_arguments_are_passed_on(world: World) -> None:
    world.rpc.answers["presence.list_agents"] = {"items": [], "next_cursor": None}
    assert world.send("GET", "/v1/agents?limit=7&cursor=abc", token=world.agent_token()).json == {
        "items": [],
        "next_cursor": None,
    }
    assert world.rpc.asked("presence.list_agents") == {"limit": 7, "cursor": "abc"}


def test_requests_are_counted_by_route(world: World) -> None:
    world.send("GET", "/v1/agents/somebody")
    assert (
        b'foyer_http_requests_total{method="GET",route="/v1/agents/<id:agent_id>",status="401"}'
        in world.send("GET", "/metrics").data
    )


def test_nothing_is_under_way_when_all_is_answered(world: World) -> None:
    in_flight = world.app.extensions["foyer_in_flight"]
    before = in_flight.count
    for path in ("/healthz", "/nothing", "/v1/agents"):
        response = world.send("GET", path)
        assert in_flight.count == before + 1
        response.close()
        assert in_flight.count == before
