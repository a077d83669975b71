"""Who may create and change agents, and what a change entails."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.errors import Forbidden
from services.presence.domain import (
    Change,
    check_is_admin,
    check_may_change,
    check_may_end_session,
    decide_change,
    decide_load,
    email_key,
    new_agent,
)
from services.presence.views import agent_view

ADMIN = {"kind": "agent", "id": "a1", "name": "Ada", "role": "admin"}
AGENT = {"kind": "agent", "id": "a2", "name": "Ben", "role": "agent"}
SYSTEM = {"kind": "system", "id": None, "name": None, "role": None}
BOT = {"kind": "bot", "id": "a2", "name": "Bot", "role": None}
CREATED = datetime(2026, 11, 24, 8, tzinfo=UTC)
NOW = CREATED + timedelta(hours=1)
VISITOR = {"kind": "visitor", "id": "a2", "name": None, "role": "admin"}


def make(**values: Any) -> dict[str, Any]:
    agent = new_agent(
        "a2",
        name=" Ben ",
        email="Ben@Example.com ",
        role="agent",
        capacity=4,
        password_hash="hash",
        now=CREATED,
    )
    return agent | values


def decide(agent: dict[str, Any], wanted: dict[str, Any], actor: dict[str, Any] = ADMIN) -> Change:
    return decide_change(agent, wanted, actor, NOW)


def test_new_agent_is_available_and_not_connected() -> None:
    view = agent_view(make())
    assert view == {
        "id": "a2",
        "name": "Ben",
        "email": "Ben@Example.com",
        "role": "agent",
        "connected": False,
        "availability": "available",
        "capacity": 4,
        "active_conversations": 0,
        "active": True,
        "created_at": "2026-11-24T08:00:00.000Z",
        "version": 1,
    }


@pytest.mark.parametrize("other", ["ben@example.com", " BEN@EXAMPLE.COM", "Ben@example.com"])
def test_emails_are_the_same_when_only_case_or_blanks_differ(other: str) -> None:
    assert email_key(other) == email_key("ben@Example.com")


@pytest.mark.parametrize("actor", [ADMIN, SYSTEM])
def test_admins_may_do_everything(actor: dict[str, Any]) -> None:
    check_is_admin(actor, "create agents")
    check_may_change("a9", ["role", "email", "capacity", "active"], actor)
    check_may_end_session("a9", actor)


@pytest.mark.parametrize("actor", [AGENT, BOT, VISITOR])
def test_only_admins_may_create_and_change_others(actor: dict[str, Any]) -> None:
    with pytest.raises(Forbidden, match="Only admins may create agents"):
        check_is_admin(actor, "create agents")
    with pytest.raises(Forbidden, match="Only admins may change other agents"):
        check_may_change("a9", ["availability"], actor)
    with pytest.raises(Forbidden, match="another agent's session"):
        check_may_end_session("a9", actor)


def test_agents_may_change_their_own_availability_name_and_password() -> None:
    check_may_change("a2", ["availability", "name", "password"], AGENT)
    check_may_end_session("a2", AGENT)


def test_agents_are_told_which_of_their_own_fields_are_not_theirs() -> None:
    with pytest.raises(Forbidden, match="Only admins may change capacity, role"):
        check_may_change("a2", ["name", "role", "capacity"], AGENT)


def test_bot_is_not_the_agent_when_ids_are_equal() -> None:
    with pytest.raises(Forbidden):
        check_may_change("a2", ["availability"], BOT)


def test_nothing_is_written_when_all_is_as_wanted() -> None:
    assert decide(make(), {"availability": "available", "name": "Ben ", "capacity": 4}).fields == {}


def test_change_of_email_changes_its_key() -> None:
    assert decide(make(), {"email": "B@X.org"}).fields == {"email": "B@X.org", "email_key": "b@x.org"}


def test_new_password_ends_sessions() -> None:
    change = decide(make(), {"password_hash": "other"})
    assert change.ends_sessions
    assert change.fields["credentials_version"] == 2
    assert "connections" not in change.fields


def test_deactivation_ends_sessions_and_connections() -> None:
    change = decide(make(connected=True, connections=[{"id": "c1"}]), {"active": False})
    assert change.ends_sessions
    assert (change.fields["connected"], change.fields["connections"], change.fields["connections_version"]) == (False, [], 1)


def test_deactivation_tells_why_the_connected_agent_is_connected_no_more() -> None:
    past = [{"at": CREATED, "connected": True, "cause": "stream_opened", "connection_id": "c1"}]
    change = decide(make(connected=True, reachable=True, connections=[{"id": "c1"}], connection_changes=past), {"active": False})
    assert not change.fields["reachable"]
    assert change.fields["connection_changes"] == [
        {"at": NOW, "connected": False, "cause": "deactivated", "connection_id": None},
        *past,
    ]
    assert "connection_changes" not in decide(make(), {"active": False}).fields


def test_change_of_availability_keeps_who_set_it_and_since_when() -> None:
    assert (make()["availability_since"], make()["availability_set_by"]) == (CREATED, None)
    assert decide(make(), {"availability": "busy"}, AGENT).fields == {
        "availability": "busy",
        "availability_since": NOW,
        "availability_set_by": {"kind": "agent", "id": "a2", "name": "Ben"},
    }
    assert decide(make(), {"availability": "available", "capacity": 9}, AGENT).fields == {"capacity": 9}


def test_activation_ends_nothing() -> None:
    change = decide(make(active=False), {"active": True})
    assert change.fields == {"active": True}
    assert not change.ends_sessions


@pytest.mark.parametrize("wanted", [{"role": "agent"}, {"active": False}])
def test_admin_is_lost_when_demoted_or_deactivated(wanted: dict[str, Any]) -> None:
    assert decide(make(role="admin"), wanted).loses_admin
    assert not decide(make(role="admin", active=False), wanted).loses_admin
    assert not decide(make(), wanted).loses_admin


def test_load_is_applied_once_and_older_ones_never() -> None:
    agent = make(load_version=3, active_conversations=2)
    assert decide_load(agent, 1, 2) == {}
    assert decide_load(agent, 2, 3) == {}
    assert decide_load(agent, 5, 4) == {"active_conversations": 5, "load_version": 4}
