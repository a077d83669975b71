"""Reachability and the explanation of presence: what is told and kept in the write that turns it."""

from datetime import timedelta
from typing import Any

import pytest

from services.common.errors import StaleDocument
from services.common.store import Document
from services.common.times import from_wire, now, to_wire
from services.presence.connection_changes import MAX_CHANGES
from services.presence.domain import decide_change
from services.presence.leases import Leases, Stream, Terms, leases_of, renew_leases
from services.presence.store import PresenceStore
from tests.service.presence.people import Agent, Presence, acting
from tests.support.relay import NoRelay
from tests.support.stack import Stack
from tests.support.waiting import wait_until

TERMS = Terms(lease=timedelta(seconds=30), grace=timedelta(seconds=5))


@pytest.fixture
def agent(presence: Presence) -> Agent:
    """Somebody without connections; version 1."""
    return presence.make_agent()


@pytest.fixture
def store(stack: Stack, presence: Presence) -> PresenceStore:
    """The replicas' database, to write to between two of their steps."""
    return PresenceStore(stack.mongo("presence"), NoRelay())


def stored(stack: Stack, agent: Agent) -> dict[str, Any]:
    return stack.mongo("presence")["agents"].find_one({"_id": agent["id"]}) or {}


def test_first_connection_tells_that_it_is_there_and_reachable_in_one_version(presence: Presence, agent: Agent) -> None:
    assert presence.open(agent, "c1")["version"] == 2
    (connected,) = presence.updates(agent, 2)
    (reachable,) = presence.told("agent_reachability_changed", agent, 2)
    assert connected["entity"] == reachable["entity"] == {"kind": "agent", "id": agent["id"], "version": 2}
    assert reachable["data"] == {"agent_id": agent["id"], "reachable": True}


def test_agent_is_reconnecting_when_its_last_stream_closed_a_moment_ago(presence: Presence, agent: Agent) -> None:
    presence.open(agent, "c1")
    presence.open(agent, "c2", kind="ws")
    presence.close(agent, "c1")
    assert presence.explain(agent)["reachable"]
    presence.close(agent, "c2")
    explained = presence.explain(agent)
    assert (explained["connected"], explained["reachable"]) == (True, False)
    shown = [(each["id"], each["kind"], each["gateway_id"], each["state"]) for each in explained["connections"]]
    assert shown == [("c2", "ws", "g1", "grace"), ("c1", "sse", "g1", "grace")]
    assert explained["explanation"].startswith("Reconnecting: the last stream was closed")
    presence.open(agent, "c3")
    explained = presence.explain(agent)
    assert explained["explanation"].startswith("Connected: 1 open stream, last renewed ")
    assert [(each["cause"], each["connection_id"]) for each in explained["recent_changes"]] == [("stream_opened", "c1")]
    told = presence.told("agent_reachability_changed", agent, 4)
    assert [event["data"]["reachable"] for event in told] == [True, False, True]


def test_explanation_tells_who_set_the_availability(presence: Presence, agent: Agent) -> None:
    explained = presence.explain(agent)
    assert (explained["availability"], explained["availability_since"]) == ("available", agent["created_at"])
    assert explained["availability_set_by"] is None
    # The replica that is asked may be a quarter of a second behind the one that made the agent.
    wait_until(lambda: now() > from_wire(agent["created_at"]) + timedelta(seconds=1), what="a later moment")
    presence.update(agent, availability="busy")
    explained = presence.explain(agent)
    admin = presence.admin
    assert explained["availability_set_by"] == {"kind": "agent", "id": admin["id"], "name": admin["name"]}
    assert agent["created_at"] < explained["availability_since"] <= to_wire(now())
    presence.update(agent, availability="busy", name="Benjamin")
    assert presence.explain(agent)["availability_since"] == explained["availability_since"]
    presence.call("update_agent", agent_id=agent["id"], changes={"availability": "available"}, actor=acting(agent))
    assert presence.explain(agent)["availability_set_by"]["id"] == agent["id"]


def test_presence_of_unknown_agent_is_not_found(presence: Presence) -> None:
    presence.refusal("AGENT_NOT_FOUND", "explain_presence", agent_id="nobody")


def test_record_keeps_the_last_twenty_changes_alone(presence: Presence, agent: Agent, stack: Stack) -> None:
    old: list[dict[str, Any]] = [
        {"at": now() - timedelta(hours=number), "connected": bool(number % 2), "cause": "stream_closed", "connection_id": None}
        for number in range(MAX_CHANGES)
    ]
    stack.mongo("presence")["agents"].update_one({"_id": agent["id"]}, {"$set": {"connection_changes": old}})
    presence.open(agent, "c1")
    explained = presence.explain(agent)
    assert explained["last_change"] == explained["recent_changes"][0]
    assert explained["last_change"]["connection_id"] == "c1"
    assert [each["at"] for each in explained["recent_changes"][1:]] == [to_wire(each["at"]) for each in old[:-1]]


def test_renewal_writes_the_leases_alone(presence: Presence, agent: Agent, stack: Stack) -> None:
    presence.open(agent, "c1")
    presence.told("agent_reachability_changed", agent, 2)
    before = stored(stack, agent)

    def renew() -> set[str]:
        assert presence.renew((agent, "c1")) == 1
        after = stored(stack, agent)
        return {key for key in after if after[key] != before[key]} - {"outbox"}

    # A renewal that comes no later than the opening, by a clock that was just set, has nothing to write.
    assert wait_until(renew, what="a later renewal") == {"connections", "connections_version"}
    assert presence.get(agent)["version"] == 2


def test_record_of_the_first_release_is_read_and_told_at_the_next_renewal(presence: Presence, agent: Agent, stack: Stack) -> None:
    presence.open(agent, "c1")
    new = {"reachable": 1, "connection_changes": 1, "availability_since": 1, "availability_set_by": 1}
    stack.mongo("presence")["agents"].update_one({"_id": agent["id"]}, {"$unset": new})
    explained = presence.explain(agent)
    assert (explained["connected"], explained["reachable"], explained["recent_changes"]) == (True, True, [])
    assert (explained["availability_since"], explained["availability_set_by"]) == (agent["created_at"], None)
    presence.renew((agent, "c1"))
    told = presence.told("agent_reachability_changed", agent, 3)
    assert [event["data"]["reachable"] for event in told] == [True, True]
    assert [event["entity"]["version"] for event in presence.updates(agent, 2)] == [2]
    presence.update(agent, active=False)
    assert [each["cause"] for each in presence.explain(agent)["recent_changes"]] == ["deactivated"]


def test_nothing_is_reachable_again_when_a_renewal_meets_a_deactivation(
    presence: Presence, agent: Agent, store: PresenceStore
) -> None:
    presence.open(agent, "c1")

    def renewed(found: Document) -> Leases:
        return renew_leases(leases_of(found), [Stream("c1", "g1", "sse")], now(), TERMS)[0]

    seen_by_admin = store.get_agent(agent["id"])
    store.save_many_leases([(seen_by_admin, renewed(seen_by_admin))], now())
    (seen_by_renewal,) = store.find_agents([agent["id"]])
    change = decide_change(seen_by_admin, {"active": False}, presence.admin, now())
    store.change_agent(seen_by_admin, change, now())
    with pytest.raises(StaleDocument):
        store.save_many_leases([(seen_by_renewal, renewed(seen_by_renewal))], now())
    explained = presence.explain(agent)
    assert (explained["connected"], explained["reachable"], explained["connections"]) == (False, False, [])
