"""Signing in, staying in, and being put out."""

import time
from datetime import timedelta

import argon2

from services.common.times import now, to_wire
from tests.service.presence.people import PASSWORD, Agent, Presence, acting
from tests.support.events import Collector, Envelope
from tests.support.stack import Stack


def revoked(collector: Collector, session_id: str) -> Envelope:
    return collector.wait_for("session_revoked", lambda event: event["data"]["session_id"] == session_id)


def listed(presence: Presence) -> list[str]:
    items: list[str] = presence.call("list_revoked_sessions", since=to_wire(now() - timedelta(minutes=5)))["items"]
    return items


def test_session_begins_when_email_and_password_are_right(presence: Presence) -> None:
    agent = presence.make_agent()
    answer = presence.call(
        "authenticate", email=f" {agent['email'].upper()} ", password=PASSWORD, user_agent="Firefox", ip="192.0.2.1"
    )
    assert answer["agent"] == agent
    assert set(answer) == {"agent", "session_id", "refresh_token"}


def test_credentials_are_refused_alike_when_wrong_unknown_or_inactive(presence: Presence) -> None:
    agent, inactive = presence.make_agent(), presence.make_agent()
    presence.update(inactive, active=False)
    texts = {
        presence.refusal("INVALID_CREDENTIALS", "authenticate", email=email, password=password).text
        for email, password in [
            (agent["email"], "wrong password"),
            (agent["email"], ""),
            ("nobody@example.com", PASSWORD),
            ("", PASSWORD),
            (inactive["email"], PASSWORD),
        ]
    }
    assert len(texts) == 1


def test_refusal_takes_as_long_when_email_is_unknown(presence: Presence) -> None:
    agent = presence.make_agent()

    def seconds(email: str) -> float:
        began = time.perf_counter()
        presence.refusal("INVALID_CREDENTIALS", "authenticate", email=email, password="wrong password")
        return time.perf_counter() - began

    known: list[float] = []
    unknown: list[float] = []

    def alike() -> bool:
        return 0.4 < min(known) / min(unknown) < 2.5

    # The replicas take turns, so each is asked about both; the shortest is what the work itself takes, met sooner or later.
    for turn in range(12):
        known += [seconds(agent["email"]), seconds(agent["email"])]
        unknown += [seconds("nobody@example.com"), seconds("nobody@example.com")]
        if turn >= 3 and alike():
            break
    assert alike()


def test_password_is_stored_as_argon2_and_renewed_when_its_parameters_are_old(presence: Presence, stack: Stack) -> None:
    agent = presence.make_agent()
    agents = stack.mongo("presence")["agents"]
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    agents.update_one({"_id": agent["id"]}, {"$set": {"password_hash": old}})
    presence.sign_in(agent)
    stored = agents.find_one({"_id": agent["id"]}) or {}
    assert stored["password_hash"].startswith("$argon2id$")
    assert stored["password_hash"] != old
    assert presence.sign_in(agent)["agent"] == agent


def test_refresh_rotates_the_token(presence: Presence) -> None:
    first = presence.sign_in(presence.make_agent())
    second = presence.call("refresh_session", refresh_token=first["refresh_token"])
    third = presence.call("refresh_session", refresh_token=second["refresh_token"])
    assert first["session_id"] == second["session_id"] == third["session_id"]
    assert len({answer["refresh_token"] for answer in (first, second, third)}) == 3


def test_session_ends_when_a_rotated_token_is_used_again(presence: Presence, collector: Collector) -> None:
    agent = presence.make_agent()
    first = presence.sign_in(agent)
    second = presence.call("refresh_session", refresh_token=first["refresh_token"])
    third = presence.call("refresh_session", refresh_token=second["refresh_token"])
    presence.refusal("TOKEN_INVALID", "refresh_session", refresh_token=first["refresh_token"])
    assert revoked(collector, first["session_id"])["data"] == {"session_id": first["session_id"], "agent_id": agent["id"]}
    presence.refusal("TOKEN_INVALID", "refresh_session", refresh_token=third["refresh_token"])
    assert first["session_id"] in listed(presence)
    assert presence.sign_in(agent)["session_id"] != first["session_id"]


def test_lost_answer_is_made_good_when_the_token_comes_again_at_once(presence: Presence) -> None:
    first = presence.sign_in(presence.make_agent())
    lost = presence.call("refresh_session", refresh_token=first["refresh_token"])
    again = presence.call("refresh_session", refresh_token=first["refresh_token"])
    assert again["session_id"] == lost["session_id"]
    presence.call("refresh_session", refresh_token=again["refresh_token"])


def test_token_is_invalid_when_unknown(presence: Presence) -> None:
    for token in ("nonsense", "a.b", "."):
        presence.refusal("TOKEN_INVALID", "refresh_session", refresh_token=token)


def test_token_is_invalid_when_the_session_is_past_its_life(presence: Presence, stack: Stack) -> None:
    session = presence.sign_in(presence.make_agent())
    past = {"$set": {"expires_at": now() - timedelta(seconds=1)}}
    stack.mongo("presence")["sessions"].update_one({"_id": session["session_id"]}, past)
    presence.refusal("TOKEN_INVALID", "refresh_session", refresh_token=session["refresh_token"])


def test_session_is_revoked_once_by_its_owner(presence: Presence, collector: Collector) -> None:
    agent, other = presence.make_agent(), presence.make_agent()
    session = presence.sign_in(agent)
    session_id = session["session_id"]
    presence.refusal("FORBIDDEN", "revoke_session", session_id=session_id, actor=acting(other))
    for _ in range(2):
        assert presence.call("revoke_session", session_id=session_id, actor=acting(agent)) == {"session_id": session_id}
    revoked(collector, session_id)
    presence.refusal("TOKEN_INVALID", "refresh_session", refresh_token=session["refresh_token"])
    assert presence.call("revoke_session", session_id="unknown", actor=acting(agent)) == {"session_id": "unknown"}
    told = collector.found("session_revoked", lambda event: event["data"]["session_id"] == session_id)
    assert len({event["id"] for event in told}) == 1  # two replicas may both send it
    later = to_wire(now() + timedelta(seconds=1))
    assert session_id not in presence.call("list_revoked_sessions", since=later)["items"]


def check_put_out(presence: Presence, collector: Collector, agent: Agent, **changes: object) -> None:
    sessions = [presence.sign_in(agent) for _ in range(2)]
    presence.update(agent, **changes)
    for session in sessions:
        assert revoked(collector, session["session_id"])["data"]["agent_id"] == agent["id"]
        presence.refusal("TOKEN_INVALID", "refresh_session", refresh_token=session["refresh_token"])


def test_sessions_end_when_the_password_changes(presence: Presence, collector: Collector) -> None:
    agent = presence.make_agent()
    check_put_out(presence, collector, agent, password="another good password")
    presence.refusal("INVALID_CREDENTIALS", "authenticate", email=agent["email"], password=PASSWORD)
    assert presence.sign_in(agent, "another good password")


def test_sessions_end_when_the_agent_is_deactivated(presence: Presence, collector: Collector) -> None:
    agent = presence.make_agent()
    check_put_out(presence, collector, agent, active=False)
    presence.update(agent, active=True)
    assert presence.sign_in(agent)


def test_sessions_end_when_the_role_changes(presence: Presence, collector: Collector) -> None:
    check_put_out(presence, collector, presence.make_agent(), role="admin")


def test_secrets_are_nowhere_in_the_database(presence: Presence, stack: Stack) -> None:
    session = presence.sign_in(presence.make_agent())
    ticket = presence.call("create_stream_ticket", subject={"a": 1})["ticket"]
    token = presence.call("create_api_token", name="Bot", scopes=["bot"], actor=presence.admin)["token"]
    database = stack.mongo("presence")
    stored = str([document for name in database.list_collection_names() for document in database[name].find()])
    for secret in (
        session["refresh_token"].partition(".")[2],
        session["refresh_token"].partition(".")[0],
        ticket,
        token,
        PASSWORD,
    ):
        assert secret not in stored
