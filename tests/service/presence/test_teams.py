"""Teams: making, listing, changing and deleting them, and who is in them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.times import now
from services.presence.teams import MAX_TEAMS, new_team
from tests.service.presence.people import Presence, Team, acting
from tests.support.stack import Stack


def change(presence: Presence, team: Team, **changes: Any) -> Team:
    changed: Team = presence.call("update_team", team_id=team["id"], changes=changes, actor=presence.admin)
    return changed


def test_new_team_is_answered_and_announced(presence: Presence) -> None:
    agents = [presence.make_agent()["id"] for _ in range(2)]
    name = f"Sales {new_id()}"
    team = presence.make_team(name=f" {name} ", agent_ids=[agents[1], agents[0], agents[1]])
    assert (team["name"], team["agent_ids"], team["version"]) == (name, [agents[1], agents[0]], 1)
    (event,) = presence.told("team_created", team, 1)
    assert event["data"] == team == presence.call("get_team", team_id=team["id"])
    assert event["entity"] == {"kind": "team", "id": team["id"], "version": 1}
    assert presence.make_team()["agent_ids"] == []


def test_name_is_taken_when_it_differs_only_in_case(presence: Presence) -> None:
    team, other = presence.make_team(), presence.make_team()
    taken = team["name"].upper()
    presence.refusal("TEAM_NAME_TAKEN", "create_team", name=taken, actor=presence.admin)
    presence.refusal("TEAM_NAME_TAKEN", "update_team", team_id=other["id"], changes={"name": taken}, actor=presence.admin)
    assert change(presence, team, name=taken)["name"] == taken


def test_one_of_many_gets_the_name_when_all_want_it_at_once(presence: Presence) -> None:
    name = new_id()

    def make(_: int) -> str:
        try:
            return str(presence.make_team(name=name)["name"])
        except DomainError as error:
            return error.error_code

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(make, range(4)))
    assert sorted(outcomes) == sorted([name, *["TEAM_NAME_TAKEN"] * 3])


def test_creation_answers_the_first_team_when_its_key_comes_again(presence: Presence) -> None:
    arguments = {"name": new_id(), "idempotency_key": new_id()}
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: presence.make_team(**arguments), range(4)))
    assert len({team["id"] for team in made}) == 1
    renamed = change(presence, made[0], name=new_id())
    assert presence.make_team(**arguments) == renamed
    assert len(presence.told("team_created", renamed, 1)) == 1
    presence.refusal("IDEMPOTENCY_KEY_REUSED", "create_team", **arguments | {"name": "Other"}, actor=presence.admin)


def test_change_is_one_version_and_one_event(presence: Presence) -> None:
    agent = presence.make_agent()
    team = presence.make_team()
    changed = change(presence, team, name=f"{team['name']}!", agent_ids=[agent["id"]])
    assert changed == team | {"name": f"{team['name']}!", "agent_ids": [agent["id"]], "version": 2}
    assert change(presence, team, agent_ids=[agent["id"]]) == changed
    last = change(presence, team, agent_ids=[])
    assert [event["data"] for event in presence.told("team_updated", team, 3)] == [changed, last]


def test_nobody_is_lost_when_agents_join_and_leave_at_once(presence: Presence) -> None:
    leaving, staying, *joining = [presence.make_agent()["id"] for _ in range(7)]
    team = presence.make_team(agent_ids=[leaving, staying])
    arguments = {"team_id": team["id"], "actor": presence.admin}
    with ThreadPoolExecutor(6) as threads:
        left = threads.submit(presence.call, "remove_agent_from_team", agent_id=leaving, **arguments)
        list(threads.map(lambda agent_id: presence.call("add_agent_to_team", agent_id=agent_id, **arguments), joining * 2))
        left.result()
    found = presence.call("get_team", team_id=team["id"])
    assert (found["agent_ids"][0], sorted(found["agent_ids"])) == (staying, sorted([staying, *joining]))
    assert found["version"] == 7
    assert presence.call("add_agent_to_team", agent_id=staying, **arguments) == found
    assert presence.call("remove_agent_from_team", agent_id=leaving, **arguments) == found


def test_unknown_agents_are_named_and_deactivated_ones_stay_members(presence: Presence) -> None:
    agent = presence.make_agent()
    team = presence.make_team(agent_ids=[agent["id"]])
    presence.update(agent, active=False)
    assert presence.call("get_team", team_id=team["id"]) == team
    assert change(presence, team, name=new_id(), agent_ids=[agent["id"]])["agent_ids"] == [agent["id"]]
    named = {"agent_ids": ["There is no agent nobody."]}
    error = presence.refusal(
        "VALIDATION_FAILED", "create_team", name=new_id(), agent_ids=[agent["id"], "nobody"], actor=presence.admin
    )
    assert error.data["errors"] == named
    changes = {"agent_ids": ["nobody"]}
    error = presence.refusal("VALIDATION_FAILED", "update_team", team_id=team["id"], changes=changes, actor=presence.admin)
    assert error.data["errors"] == named
    presence.refusal("AGENT_NOT_FOUND", "add_agent_to_team", team_id=team["id"], agent_id="nobody", actor=presence.admin)


def test_deleted_team_is_gone_and_its_name_free(presence: Presence) -> None:
    key = new_id()
    team = presence.make_team(idempotency_key=key, name=new_id())
    assert presence.call("delete_team", team_id=team["id"], actor=presence.admin) == {"id": team["id"]}
    (event,) = presence.told("team_deleted", team, 2)
    assert (event["data"], event["entity"]["kind"]) == ({"id": team["id"]}, "team")
    who = {"team_id": team["id"], "actor": presence.admin}
    presence.refusal("TEAM_NOT_FOUND", "get_team", team_id=team["id"])
    presence.refusal("TEAM_NOT_FOUND", "delete_team", **who)
    presence.refusal("TEAM_NOT_FOUND", "update_team", changes={"name": "x"}, **who)
    presence.refusal("TEAM_NOT_FOUND", "add_agent_to_team", agent_id="nobody", **who)
    presence.refusal("TEAM_NOT_FOUND", "remove_agent_from_team", agent_id="nobody", **who)
    presence.refusal("TEAM_NOT_FOUND", "create_team", name=team["name"], idempotency_key=key, actor=presence.admin)
    assert presence.make_team(name=team["name"])["id"] != team["id"]


def test_teams_are_listed_by_name_once_each_over_pages(presence: Presence) -> None:
    mark = new_id()
    # The first begins as the cursors' own mark for times does.
    names = [f"t:{mark} a", f"T:{mark} b", f"t:{mark} C", f"\u00e9{mark}"]
    made = {presence.make_team(name=name)["id"] for name in reversed(names)}
    gone = presence.make_team(name=f"t:{mark} d")
    presence.call("delete_team", team_id=gone["id"], actor=presence.admin)
    seen: list[Team] = []
    cursor = None
    while True:
        page = presence.call("list_teams", cursor=cursor, limit=1)
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len({team["id"] for team in seen})
    assert [team["name"] for team in seen if team["id"] in made] == names
    assert gone["id"] not in {team["id"] for team in seen}
    presence.refusal("CURSOR_INVALID", "list_teams", cursor="nonsense", limit=2)


def test_teams_are_for_admins_to_write(presence: Presence) -> None:
    agent = presence.make_agent()
    team = presence.make_team()
    who = {"team_id": team["id"], "actor": acting(agent)}
    presence.refusal("FORBIDDEN", "create_team", name=new_id(), actor=acting(agent))
    presence.refusal("FORBIDDEN", "update_team", changes={"name": "Mine"}, **who)
    presence.refusal("FORBIDDEN", "add_agent_to_team", agent_id=agent["id"], **who)
    presence.refusal("FORBIDDEN", "remove_agent_from_team", agent_id=agent["id"], **who)
    presence.refusal("FORBIDDEN", "delete_team", **who)
    assert presence.call("get_team", team_id=team["id"]) == team


def test_unknown_and_inactive_are_found_each_once(presence: Presence) -> None:
    active, inactive = presence.make_agent(), presence.make_agent()
    presence.update(inactive, active=False)
    team, gone = presence.make_team(), presence.make_team()
    presence.call("delete_team", team_id=gone["id"], actor=presence.admin)
    found = presence.call(
        "find_unknown",
        agent_ids=["nobody", active["id"], inactive["id"], "nobody"],
        team_ids=[gone["id"], team["id"], "none"],
    )
    assert found == {"agent_ids": ["nobody", inactive["id"]], "team_ids": [gone["id"], "none"]}
    assert presence.call("find_unknown") == {"agent_ids": [], "team_ids": []}


@pytest.fixture
def one_place_left(stack: Stack, presence: Presence) -> Iterator[None]:
    """So many teams that only one more may be made."""
    teams = stack.mongo("presence")["teams"]
    missing = MAX_TEAMS - 1 - teams.count_documents({"deleted": False})
    made = [new_team(new_id(), name=new_id(), agent_ids=[], now=now(), mark="filler") for _ in range(missing)]
    teams.insert_many([team | {"outbox": []} for team in made])
    yield
    teams.delete_many({"fingerprint": "filler"})


@pytest.mark.usefixtures("one_place_left")
def test_one_team_is_made_when_many_want_the_last_place_at_once(presence: Presence) -> None:
    def make(_: int) -> str:
        try:
            return "made" if presence.make_team() else ""
        except DomainError as error:
            return error.error_code

    with ThreadPoolExecutor(12) as threads:
        assert sorted(threads.map(make, range(12))) == [*["CONFLICT"] * 11, "made"]
