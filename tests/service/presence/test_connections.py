"""Connections as leases: one event a change, whichever of the two replicas takes it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from services.common.times import now
from services.presence.store import PresenceStore
from tests.service.presence.conftest import REPLICAS, SHORT_LEASES
from tests.service.presence.people import Agent, Presence
from tests.support.relay import NoRelay
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until

LEASE = timedelta(seconds=int(SHORT_LEASES["FOYER_LEASE_SECONDS"]))


@pytest.fixture
def agent(presence: Presence) -> Agent:
    """Somebody without connections; version 1."""
    return presence.make_agent()


def leases(stack: Stack, agent: Agent) -> dict[str, Any]:
    document = stack.mongo("presence")["agents"].find_one({"_id": agent["id"]}) or {}
    return {lease["id"]: lease for lease in document["connections"]}


def test_agent_is_connected_by_one_event_when_many_streams_open_at_once(presence: Presence, agent: Agent) -> None:
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda number: presence.open(agent, f"c{number}"), range(8)))
    assert all(each["connected"] and each["version"] == 2 for each in opened)
    marker = presence.update(agent, name="Marker")
    assert marker["version"] == 3
    assert [event["data"]["connected"] for event in presence.updates(agent, 3)] == [True, True]


def test_leases_and_those_who_hold_them_are_counted(presence: Presence, agent: Agent, stack: Stack) -> None:
    def count() -> tuple[int, int, int]:
        return PresenceStore(stack.mongo("presence"), NoRelay()).count_leases()

    wait_until(lambda: count() == (0, 0, 0), 60, what="the end of the other tests' leases")
    other = presence.make_agent()
    presence.open(agent, "c1")
    presence.open(agent, "c2")
    presence.open(other, "c3")
    assert count() == (3, 0, 2)
    presence.close(agent, "c1")
    assert count() == (2, 1, 2)


def test_agent_stays_connected_when_two_of_three_close(presence: Presence, agent: Agent, stack: Stack) -> None:
    for name in ("c1", "c2", "c3"):
        presence.open(agent, name)
    presence.close(agent, "c1")
    presence.close(agent, "c3")

    def only_one_left() -> bool:
        presence.renew((agent, "c2"))
        return set(leases(stack, agent)) == {"c2"}

    wait_until(only_one_left, 30, interval=0.2)
    assert presence.get(agent) == agent | {"connected": True, "version": 2}


def test_agent_is_disconnected_by_one_event_when_the_last_closes(presence: Presence, agent: Agent) -> None:
    presence.open(agent, "c1")
    closed = presence.close(agent, "c1")
    assert closed["connected"]
    events = presence.updates(agent, 4)
    assert [event["data"]["connected"] for event in events] == [True, False]
    change = presence.explain(agent)["last_change"]
    assert (change["connected"], change["cause"], change["connection_id"]) == (False, "stream_closed", "c1")
    assert presence.update(agent, name="Marker")["version"] == 5
    assert len(presence.updates(agent, 5)) == 3


def test_reload_shows_nothing_when_it_opens_within_the_grace(presence: Presence, agent: Agent, stack: Stack) -> None:
    presence.open(agent, "c0")
    for number in range(5):
        presence.close(agent, f"c{number}")
        presence.open(agent, f"c{number + 1}")

    def settled() -> bool:
        presence.renew((agent, "c5"))
        return set(leases(stack, agent)) == {"c5"}

    wait_until(settled, 30, interval=0.2)
    marker = presence.update(agent, name="Marker")
    assert [event["entity"]["version"] for event in presence.updates(agent, marker["version"])] == [2, marker["version"]]
    reachable = presence.told("agent_reachability_changed", agent, marker["version"] - 1)
    assert [event["data"]["reachable"] for event in reachable] == [True] + [False, True] * 5
    assert len(presence.explain(agent)["recent_changes"]) == 1


def test_agents_are_disconnected_by_one_event_each_when_their_gateway_is_killed(presence: Presence) -> None:
    agents = [presence.make_agent() for _ in range(6)]
    for agent in agents:
        presence.open(agent, "c1")
        presence.open(agent, "c2")
    for agent in agents:
        events = presence.updates(agent, 3)
        assert [event["data"]["connected"] for event in events] == [True, False]
        reachable = presence.told("agent_reachability_changed", agent, 3)
        assert [event["data"] for event in reachable] == [{"agent_id": agent["id"], "reachable": each} for each in (True, False)]
        assert presence.explain(agent)["last_change"]["cause"] == "lease_expired"
    for agent in agents:
        assert presence.update(agent, name="Marker")["version"] == 4
        assert len(presence.updates(agent, 4)) == 3


def test_renewal_shows_nothing_and_keeps_the_agent_connected(presence: Presence, agent: Agent, stack: Stack) -> None:
    presence.open(agent, "c1")
    began = now()
    wait_until(lambda: presence.renew((agent, "c1")) == 1 and now() > began + 2 * LEASE, 60, interval=0.2)
    assert leases(stack, agent)["c1"]["opened_at"] < began
    assert presence.get(agent)["version"] == 2


def test_renewal_opens_what_is_unknown_and_leaves_what_was_closed(presence: Presence, agent: Agent, stack: Stack) -> None:
    inactive = presence.make_agent()
    presence.update(inactive, active=False)
    presence.open(agent, "closed")
    presence.close(agent, "closed")
    ghost = {"id": "nobody"}
    assert presence.renew((agent, "new"), (agent, "closed"), (inactive, "c1"), (ghost, "c1")) == 1
    assert {name: lease["closed"] for name, lease in leases(stack, agent).items()} == {"closed": True, "new": False}
    assert not presence.get(inactive)["connected"]
    late = presence.make_agent()
    assert presence.renew((late, "c7")) == 1
    change = presence.explain(late)["last_change"]
    assert (change["cause"], change["connection_id"]) == ("stream_renewed", "c7")


def test_nobody_flaps_when_presence_was_away_longer_than_a_lease(presence: Presence, agent: Agent, stack: Stack) -> None:
    presence.open(agent, "c1")
    for _ in REPLICAS * 2:
        # A call is acknowledged before the next one is answered; opening would otherwise be delivered again after the kill.
        presence.get(agent)
    for instance in REPLICAS:
        stack.services[instance].kill()
    wait_until(lambda: leases(stack, agent)["c1"]["expires_at"] < now(), 30)
    for instance in REPLICAS:
        stack.start_service("presence", instance=instance, extra=SHORT_LEASES)
    for instance in REPLICAS:
        wait_for_service(presence.rpc, "presence", stack.services[instance])
    explained = presence.explain(agent)
    assert (explained["connected"], explained["reachable"]) == (True, True)
    assert [each["state"] for each in explained["connections"]] == ["overdue"]
    assert presence.renew((agent, "c1")) == 1
    assert presence.get(agent)["version"] == 2
    assert presence.updates(agent, 3)[-1]["data"]["connected"] is False


def test_nothing_is_lost_when_streams_open_close_and_renew_at_once(presence: Presence, agent: Agent, stack: Stack) -> None:
    presence.open(agent, "lasting")

    def churn(number: int) -> None:
        for turn in range(6):
            name = f"t{number}-{turn}"
            presence.open(agent, name)
            presence.renew((agent, "lasting"), (agent, name))
            presence.close(agent, name)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(churn, range(6)))

    def only_lasting() -> bool:
        presence.renew((agent, "lasting"))
        return set(leases(stack, agent)) == {"lasting"}

    wait_until(only_lasting, 30, interval=0.2)
    assert presence.get(agent)["version"] == 2


def test_connections_end_and_are_refused_when_the_agent_is_deactivated(presence: Presence, agent: Agent, stack: Stack) -> None:
    presence.open(agent, "c1")
    inactive = presence.update(agent, active=False)
    assert (inactive["connected"], inactive["version"]) == (False, 3)
    told = presence.told("agent_reachability_changed", agent, 3)
    assert [event["data"]["reachable"] for event in told] == [True, False]
    explained = presence.explain(agent)
    assert explained["last_change"]["cause"] == "deactivated"
    assert explained["explanation"] == "Not connected: the account is deactivated."
    assert leases(stack, agent) == {}
    arguments = {"agent_id": agent["id"], "connection_id": "c2", "gateway_id": "g1", "kind": "ws"}
    presence.refusal("FORBIDDEN", "open_connection", **arguments)
    assert presence.close(agent, "c1") == inactive


def test_opening_is_refused_when_hundred_streams_are_open(presence: Presence, agent: Agent) -> None:
    presence.renew(*[(agent, f"c{number}") for number in range(100)])
    presence.refusal("CONFLICT", "open_connection", agent_id=agent["id"], connection_id="c100", gateway_id="g1", kind="sse")


def test_availability_survives_reconnects(presence: Presence, agent: Agent) -> None:
    presence.open(agent, "c1")
    presence.update(agent, availability="busy")
    presence.close(agent, "c1")
    presence.updates(agent, 5)
    assert presence.open(agent, "c2")["availability"] == "busy"
