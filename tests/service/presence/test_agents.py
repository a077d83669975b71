"""Agents: making, listing and changing them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from tests.service.presence.people import PASSWORD, Agent, Presence, acting
from tests.support.events import Announcer, Collector
from tests.support.stack import Stack


def test_new_agent_is_answered_and_announced(presence: Presence, collector: Collector) -> None:
    agent = presence.make_agent(name="  Ada  ", capacity=7)
    assert (agent["name"], agent["capacity"], agent["version"], agent["connected"]) == ("Ada", 7, 1, False)
    event = collector.wait_for("agent_created", lambda event: event["entity"]["id"] == agent["id"])
    assert event["data"] == agent == presence.get(agent)
    assert event["entity"] == {"kind": "agent", "id": agent["id"], "version": 1}


def test_email_is_taken_when_it_differs_only_in_case(presence: Presence) -> None:
    agent = presence.make_agent()
    other = presence.make_agent()
    presence.refusal(
        "EMAIL_TAKEN",
        "create_agent",
        name="Other",
        email=agent["email"].upper(),
        password=PASSWORD,
        role="agent",
        actor=presence.admin,
    )
    changes = {"email": agent["email"].title()}
    presence.refusal("EMAIL_TAKEN", "update_agent", agent_id=other["id"], changes=changes, actor=presence.admin)
    assert presence.update(agent, email=agent["email"].upper())["email"] == agent["email"].upper()


def test_creation_answers_the_first_agent_when_its_key_comes_again(presence: Presence, collector: Collector) -> None:
    arguments = {"email": f"{new_id()}@example.com", "idempotency_key": new_id()}
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: presence.make_agent(**arguments), range(4)))
    assert len({agent["id"] for agent in made}) == 1
    renamed = presence.update(made[0], name="Renamed")
    assert presence.make_agent(**arguments) == renamed
    presence.updates(made[0], renamed["version"])
    told = collector.found("agent_created", lambda event: event["entity"]["id"] == made[0]["id"])
    assert len({event["id"] for event in told}) == 1  # two replicas may both send it


def test_key_is_refused_when_arguments_differ(presence: Presence) -> None:
    arguments = {"email": f"{new_id()}@example.com", "idempotency_key": new_id()}
    presence.make_agent(**arguments)
    with pytest.raises(DomainError) as refused:
        presence.make_agent(**arguments, name="Somebody else")
    assert refused.value.error_code == "IDEMPOTENCY_KEY_REUSED"


def test_agents_are_listed_once_each_over_pages(presence: Presence) -> None:
    # Each by the clock of the replica that made it: these may be a quarter of a second apart.
    agents = sorted((presence.make_agent() for _ in range(3)), key=lambda agent: (agent["created_at"], agent["id"]))
    made = [agent["id"] for agent in agents]
    seen: list[str] = []
    cursor = None
    while True:
        page = presence.call("list_agents", cursor=cursor, limit=2)
        seen += [agent["id"] for agent in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert [agent_id for agent_id in seen if agent_id in made] == made
    presence.refusal("CURSOR_INVALID", "list_agents", cursor="nonsense", limit=2)


def test_agent_is_not_found_when_unknown(presence: Presence) -> None:
    presence.refusal("AGENT_NOT_FOUND", "get_agent", agent_id="nobody")
    presence.refusal("AGENT_NOT_FOUND", "update_agent", agent_id="nobody", changes={"name": "x"}, actor=presence.admin)
    presence.refusal("AGENT_NOT_FOUND", "update_agent", agent_id="nobody", changes={"password": PASSWORD}, actor=presence.admin)
    presence.refusal("AGENT_NOT_FOUND", "close_connection", agent_id="nobody", connection_id="c1")


def test_change_is_one_version_and_one_event(presence: Presence) -> None:
    agent = presence.make_agent()
    busy = presence.call("update_agent", agent_id=agent["id"], changes={"availability": "busy"}, actor=acting(agent))
    assert (busy["availability"], busy["version"]) == ("busy", 2)
    assert presence.update(agent, availability="busy") == busy
    final = presence.update(agent, capacity=9, name="Benjamin")
    assert [event["data"] for event in presence.updates(agent, 3)] == [busy, final]


def test_rights_are_kept_when_agents_change_more_than_their_own(presence: Presence) -> None:
    agent, other = presence.make_agent(), presence.make_agent()
    actor = acting(agent)
    for target, changes in ((other, {"availability": "busy"}), (agent, {"role": "admin"}), (agent, {"capacity": 1000})):
        presence.refusal("FORBIDDEN", "update_agent", agent_id=target["id"], changes=changes, actor=actor)
    presence.refusal("FORBIDDEN", "create_agent", name="x", email="x@example.com", password=PASSWORD, role="admin", actor=actor)
    assert (presence.get(agent), presence.get(other)) == (agent, other)


def test_fields_are_named_when_changes_are_invalid(presence: Presence) -> None:
    agent = presence.make_agent()
    changes = {"capacity": 1001, "availability": "away", "salary": 1}
    error = presence.refusal("VALIDATION_FAILED", "update_agent", agent_id=agent["id"], changes=changes, actor=presence.admin)
    assert set(error.data["errors"]) == {"changes.capacity", "changes.availability", "changes.salary"}


def test_one_admin_is_left_when_all_are_demoted_at_once(presence: Presence) -> None:
    admins = [presence.make_agent(role="admin") for _ in range(4)]
    presence.update({"id": presence.admin["id"]}, role="agent")

    def demote(agent: Agent) -> str | None:
        changes = {"role": "agent"} if int(agent["id"], 16) % 2 else {"active": False}
        try:
            presence.call("update_agent", agent_id=agent["id"], changes=changes, actor=presence.admin)
        except DomainError as error:
            return error.error_code
        return None

    try:
        with ThreadPoolExecutor(4) as threads:
            outcomes = list(threads.map(demote, admins))
        assert sorted(map(str, outcomes)) == ["LAST_ADMIN", "None", "None", "None"]
        left = [agent for agent in map(presence.get, admins) if agent["role"] == "admin" and agent["active"]]
        assert len(left) == 1
    finally:
        presence.update({"id": presence.admin["id"]}, role="admin")
    presence.update(left[0], role="agent")


def test_load_is_shown_once_and_older_reports_are_ignored(presence: Presence, announcer: Announcer) -> None:
    agent = presence.make_agent()

    def report(count: int, version: int, times: int = 1) -> None:
        data = {"agent_id": agent["id"], "active_conversations": count, "version": version}
        announcer.publish("assignment", "agent_load_changed", data, entity=("load", agent["id"], version), times=times)

    report(3, 5, times=3)
    assert [event["data"]["active_conversations"] for event in presence.updates(agent, 2)] == [3]
    report(1, 4)
    report(2, 6)
    assert [event["data"]["active_conversations"] for event in presence.updates(agent, 3)] == [3, 2]
    assert (presence.get(agent)["active_conversations"], presence.get(agent)["version"]) == (2, 3)


def test_load_of_unknown_agent_is_passed_over(presence: Presence, announcer: Announcer, stack: Stack) -> None:
    announcer.publish(
        "assignment",
        "agent_load_changed",
        {"agent_id": "nobody", "active_conversations": 1, "version": 1},
        entity=("load", "nobody", 1),
    )
    agent = presence.make_agent()
    data = {"agent_id": agent["id"], "active_conversations": 1, "version": 1}
    announcer.publish("assignment", "agent_load_changed", data, entity=("load", agent["id"], 1))
    presence.updates(agent, 2)
    assert stack.mongo("presence")["agents"].find_one({"_id": "nobody"}) is None
