"""Which arguments presence takes, and how it says what is wrong with others."""

from typing import Any

import pytest
from marshmallow import Schema

from services.common.errors import Invalid
from services.common.validation import load
from services.presence import schemas, team_schemas

ACTOR = {"kind": "agent", "id": "a1", "name": "Ada", "role": "admin"}
AGENT = {"name": "Ben", "email": "ben@example.com", "password": "long enough", "role": "agent", "actor": ACTOR}


def refused(schema: Schema, values: dict[str, Any]) -> set[str]:
    with pytest.raises(Invalid) as error:
        load(schema, values)
    return set(error.value.data["errors"])


def test_capacity_is_four_when_unsaid() -> None:
    assert load(schemas.CreateAgent(), AGENT)["capacity"] == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "x" * 101),
        ("name", None),
        ("email", "ben"),
        ("email", f"{'b' * 250}@example.com"),
        ("password", "too short"),
        ("password", "x" * 201),
        ("password", 1234567890),
        ("role", "owner"),
        ("capacity", -1),
        ("capacity", 1001),
        ("capacity", 1.5),
        ("capacity", "4"),
        ("idempotency_key", ""),
        ("other", 1),
    ],
)
def test_field_is_named_when_new_agent_is_invalid(field: str, value: object) -> None:
    assert refused(schemas.CreateAgent(), AGENT | {field: value}) == {field}


@pytest.mark.parametrize(
    ("field", "value"), [("availability", "away"), ("active", "yes"), ("active", None), ("connected", True), ("id", "x")]
)
def test_field_is_named_when_change_is_invalid(field: str, value: object) -> None:
    values = {"agent_id": "a1", "changes": {field: value}, "actor": ACTOR}
    assert refused(schemas.UpdateAgent(), values) == {f"changes.{field}"}


def test_renewals_are_bounded() -> None:
    one = {"agent_id": "a1", "connection_id": "c1", "kind": "sse"}
    load(schemas.RenewConnections(), {"gateway_id": "g1", "connections": [one] * 5000})
    assert refused(schemas.RenewConnections(), {"gateway_id": "g1", "connections": [one] * 5001}) == {"connections"}


def test_connection_ids_are_refused_when_odd() -> None:
    values = {"agent_id": "a1", "connection_id": "$c", "gateway_id": "g 1", "kind": "poll"}
    assert refused(schemas.OpenConnection(), values) == {"connection_id", "gateway_id", "kind"}


def test_ticket_subject_is_bounded() -> None:
    assert refused(schemas.CreateStreamTicket(), {"subject": {"x": "y" * 4000}}) == {"subject"}
    assert refused(schemas.CreateStreamTicket(), {"subject": "me"}) == {"subject"}


@pytest.mark.parametrize("since", ["yesterday", "2026-11-24T08:00:00", ""])
def test_since_is_refused_when_no_moment(since: str) -> None:
    assert refused(schemas.ListRevokedSessions(), {"since": since}) == {"since"}


@pytest.mark.parametrize("scopes", [[], ["admin"], "bot"])
def test_scopes_are_refused_when_unknown(scopes: object) -> None:
    assert {
        name.split(".")[0] for name in refused(schemas.CreateApiToken(), {"name": "n", "scopes": scopes, "actor": ACTOR})
    } == {"scopes"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 101),
        ("agent_ids", None),
        ("agent_ids", ["a1"] * 1001),
        ("idempotency_key", ""),
        ("id", "t1"),
    ],
)
def test_field_is_named_when_new_team_is_invalid(field: str, value: object) -> None:
    assert refused(team_schemas.CreateTeam(), {"name": "Sales", "actor": ACTOR} | {field: value}) == {field}


def test_place_is_named_when_a_team_is_changed_to_something_odd() -> None:
    values = {"team_id": "t1", "changes": {"name": "", "agent_ids": ["a1", "a 2"], "version": 3}, "actor": ACTOR}
    assert refused(team_schemas.UpdateTeam(), values) == {"changes.name", "changes.agent_ids.1", "changes.version"}


def test_new_team_has_nobody_when_unsaid() -> None:
    assert load(team_schemas.CreateTeam(), {"name": "Sales", "actor": ACTOR})["agent_ids"] == []


def test_what_is_looked_for_is_bounded() -> None:
    assert load(team_schemas.FindUnknown(), {}) == {"agent_ids": [], "team_ids": []}
    load(team_schemas.FindUnknown(), {"agent_ids": ["a1"] * 2000, "team_ids": ["t1"] * 2000})
    assert refused(team_schemas.FindUnknown(), {"agent_ids": ["a1"] * 2001, "team_ids": ["t1"] * 2001}) == {
        "agent_ids",
        "team_ids",
    }
