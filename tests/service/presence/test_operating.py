"""What an operator asks: sessions ended at once, API tokens revoked, agents and teams told again."""

import pytest

from services.common.errors import DomainError
from tests.service.presence.people import Agent, Presence, acting
from tests.service.presence.test_sessions import revoked
from tests.support.events import Collector


def live(presence: Presence, session: dict[str, str]) -> bool:
    """Whether the session can still be refreshed; the token is spent by that."""
    try:
        presence.call("refresh_session", refresh_token=session["refresh_token"])
    except DomainError:
        return False
    return True


def test_agent_is_found_by_email_whatever_the_case(presence: Presence) -> None:
    agent = presence.make_agent()
    assert presence.call("find_agent", email=agent["email"].upper())["id"] == agent["id"]
    presence.refusal("AGENT_NOT_FOUND", "find_agent", email="nobody@example.com")


def test_sessions_of_an_agent_end_and_no_others(presence: Presence, collector: Collector) -> None:
    agent, other = presence.make_agent(), presence.make_agent()
    sessions = [presence.sign_in(agent) for _ in range(3)]
    others = presence.sign_in(other)
    answer = presence.call("revoke_sessions", agent_id=agent["id"], actor=presence.admin)
    assert answer == {"revoked": 3, "more": False}
    for session in sessions:
        revoked(collector, session["session_id"])
        assert not live(presence, session)
    assert live(presence, others)
    assert presence.call("revoke_sessions", agent_id=agent["id"], actor=presence.admin)["revoked"] == 0


def test_api_tokens_of_their_maker_are_revoked_and_no_others(presence: Presence) -> None:
    maker = acting(presence.make_agent(role="admin"))
    mine = presence.call("create_api_token", name="mine", scopes=["bot"], actor=maker)
    others = presence.call("create_api_token", name="others", scopes=["bot"], actor=presence.admin)
    assert presence.call("revoke_api_tokens", created_by=maker["id"], actor=presence.admin) == {"revoked": 1}
    presence.refusal("TOKEN_INVALID", "verify_api_token", token=mine["token"])
    assert presence.call("verify_api_token", token=others["token"])["id"] == others["id"]


def test_everything_is_told_again_with_the_version_it_has(presence: Presence, collector: Collector) -> None:
    agent, team, gone = presence.make_agent(), presence.make_team(), presence.make_team()
    presence.call("delete_team", team_id=gone["id"], actor=presence.admin)
    collector.wait_for("team_deleted", lambda event: event["entity"]["id"] == gone["id"])
    for kind in ("agents", "teams"):
        cursor, announced = None, 0
        while True:
            page = presence.call(f"announce_{kind}", cursor=cursor, limit=2, actor=presence.admin)
            announced += page["announced"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert announced >= 2
    told = collector.wait_for(
        "agent_updated", lambda event: event["entity"] == {"kind": "agent", "id": agent["id"], "version": 1}
    )
    assert told["data"] == agent
    collector.wait_for("agent_reachability_changed", lambda event: event["data"] == {"agent_id": agent["id"], "reachable": False})
    assert collector.wait_for("team_updated", lambda event: event["entity"]["id"] == team["id"])["data"] == team
    collector.wait_for("team_deleted", lambda event: event["entity"]["id"] == gone["id"], count=2)
    assert presence.get(agent) == agent


@pytest.mark.parametrize("method", ["revoke_sessions", "revoke_api_tokens", "announce_agents", "announce_teams"])
def test_agents_who_are_no_admins_are_refused(presence: Presence, method: str) -> None:
    agent: Agent = presence.make_agent()
    presence.refusal("FORBIDDEN", method, actor=acting(agent))
