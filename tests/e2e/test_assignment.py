"""The line and the desk as visitors and agents see them.

All tests share the product and so the line: each names its own agents, compares places with each other, and leaves nobody
behind who could be given what other tests let wait.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from services.common.ids import new_id
from tests.e2e.conftest import candidate, decisions, make_channel, make_desk, simulate
from tests.support.product import Agent, Gateway, Stream, Visitor
from tests.support.waiting import wait_until

Document = dict[str, Any]
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@contextmanager
def at_work(*agents: Agent) -> Iterator[list[Stream]]:
    """Their streams, open; afterwards they take nothing more."""
    streams = [agent.watch() for agent in agents]
    try:
        yield streams
    finally:
        for agent, stream in zip(agents, streams, strict=True):
            agent.ask("PATCH", "/v1/agents/me", {"availability": "busy"})
            stream.close()


def place(visitor: Visitor) -> int:
    """The visitor's position, once there is one."""
    position: int = wait_until(lambda: visitor.conversation()["queue"], what="a place in line")["position"]
    return position


def test_visitors_see_their_places_and_may_leave_and_ask_again(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ann", capacity=1)
    channel_id = make_desk(gateway, admin, agents=[agent.id])
    with at_work(agent) as [stream]:
        for _ in range(3):  # an estimate needs some that were finished
            finished = Visitor(gateway, channel_id)
            stream.wait_for("conversation.assigned", id=finished.conversation_id)
            agent.archive(finished.conversation_id)
        served = Visitor(gateway, channel_id)
        stream.wait_for("conversation.assigned", id=served.conversation_id)
        second = Visitor(gateway, channel_id)
        first_place = place(second)
        third = Visitor(gateway, channel_id)
        assert place(third) == first_place + 1
        thirds_stream = third.watch()
        assert second.conversation()["queue"]["estimated_wait_seconds"] >= 0
        [item] = [item for item in queue(agent) if item["conversation_id"] == second.conversation_id]
        assert (item["position"], item["priority"], item["agents"], item["team_id"]) == (first_place, "normal", [agent.id], None)
        assert (item["contact_id"], item["channel_id"], item["returned"]) == (second.contact_id, channel_id, False)
        assert "at capacity" in item["reason"]

        answer = gateway.ask("DELETE", "/v1/widget/queue", token=second.token)

        assert answer == {"state": "unassigned", "queue_position": None}
        wait_until(lambda: first_place in told_places(thirds_stream), what="the step forward")
        wait_until(lambda: (second.conversation()["handler"], second.conversation()["queue"]) == ("bot", None))
        left = decisions(gateway, admin, second.conversation_id)[0]
        assert (left["action"], left["rule"], left["actor"]["kind"]) == ("left", "visitor_left", "visitor")

        second.say("Is somebody there now?")

        assert place(second) == first_place + 1
        agent.archive(served.conversation_id)
        stream.wait_for("conversation.assigned", id=third.conversation_id)
        assert thirds_stream.wait_for("conversation.assigned")["assignee"] == {"name": "Ann"}
        chosen, queued = decisions(gateway, admin, third.conversation_id)
        assert (chosen["action"], queued["action"]) == ("assigned", "queued")
        assert chosen["waited_seconds"] >= 0
        assert chosen["estimated_wait_seconds"] == queued["estimated_wait_seconds"] >= 0
        agent.archive(second.conversation_id, third.conversation_id)
        thirds_stream.close()


def told_places(stream: Stream) -> list[int]:
    """The positions that a visitor's stream told."""
    return [told["queue"]["position"] for told in stream.named("conversation.updated") if told["queue"]]


def queue(agent: Agent) -> list[Document]:
    items: list[Document] = agent.ask("GET", "/v1/queue?limit=100")["items"]
    return items


def test_the_next_agent_reads_the_remark_when_a_conversation_is_transferred(
    gateway: Gateway, admin: str, channel_id: str
) -> None:
    ann, ben = Agent(gateway, admin, "Ann"), Agent(gateway, admin, "Ben")
    visitor = Visitor(gateway, channel_id)
    path = f"/v1/conversations/{visitor.conversation_id}/assignee"
    stream = ben.watch()
    ann.ask("PUT", path, {"agent_id": ann.id})

    transferred = ann.ask("PUT", path, {"agent_id": ben.id, "remark": "Wants a refund."})

    assert (transferred["state"], transferred["assignee"]["id"]) == ("assigned", ben.id)
    told = wait_until(lambda: [told for told in stream.named("assignment.updated") if remark(told) == "Wants a refund."])[0]
    assert (told["conversation_id"], told["assignee"]["id"]) == (visitor.conversation_id, ben.id)
    assert stream.wait_for("conversation.assigned", id=visitor.conversation_id)
    refused = ann.gateway.send("DELETE", f"{path}?expected_assignee_id={ann.id}", token=ann.token)
    assert (refused.status_code, refused.json()["code"]) == (409, "ALREADY_ASSIGNED")
    assert refused.json()["assignee"] == {"id": ben.id, "name": "Ben"}
    given_up = ben.ask("DELETE", f"{path}?expected_assignee_id={ben.id}&remark=Done")
    assert (given_up["state"], given_up["assignee"]) == ("unassigned", None)
    assert decisions(gateway, admin, visitor.conversation_id)[0]["remark"] == "Done"
    stream.close()


def remark(told: Document) -> Any:
    return (told["decision"] or {}).get("remark")


def test_one_hand_wins_and_the_other_is_told_who_has_it_when_two_reach_at_once(gateway: Gateway, admin: str) -> None:
    ann, ben = Agent(gateway, admin, "Ann"), Agent(gateway, admin, "Ben")
    channel_id = make_channel(gateway, admin)

    def reach(path: str) -> Callable[[Agent], requests.Response]:
        body = {"expected_assignee_id": None}
        return lambda agent: gateway.send("PUT", path, body | {"agent_id": agent.id}, token=agent.token)

    for _ in range(3):
        visitor = Visitor(gateway, channel_id)
        path = f"/v1/conversations/{visitor.conversation_id}/assignee"
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(reach(path), (ann, ben)))
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert (won.status_code, lost.status_code) == (200, 409)
        problem = lost.json()
        assert problem["code"] == "ALREADY_ASSIGNED"
        assert problem["assignee"] == won.json()["assignee"] == ann.ask("GET", path)["assignee"]
        assert [decision["action"] for decision in decisions(gateway, admin, visitor.conversation_id)] == ["assigned"]


@pytest.mark.parametrize("strategy", ["least_busy", "round_robin"])
def test_what_is_simulated_then_happens_and_is_explained_the_same(gateway: Gateway, admin: str, strategy: str) -> None:
    free, full, absent = (Agent(gateway, admin, name, capacity=1) for name in ("Free", "Full", "Absent"))
    ids = [free.id, full.id, absent.id]
    channel_id = make_desk(gateway, admin, agents=ids, strategy=strategy)
    by_hand = Visitor(gateway, make_channel(gateway, admin))
    gateway.ask("PUT", f"/v1/conversations/{by_hand.conversation_id}/assignee", {"agent_id": full.id}, token=admin)
    with at_work(free, full) as [stream, _]:

        def obstacles() -> list[Any]:
            found = simulate(gateway, admin, channel_id)
            return [candidate(found, agent_id).get("reason", "unknown") for agent_id in ids]

        wait_until(lambda: obstacles() == [None, "at_capacity", "disconnected"], what="the news of the agents")
        simulated = simulate(gateway, admin, channel_id)
        visitor = Visitor(gateway, channel_id)
        stream.wait_for("conversation.assigned", id=visitor.conversation_id)

        [decision] = decisions(gateway, admin, visitor.conversation_id)
        assert (simulated["outcome"], simulated["block"], simulated["open"]) == ("assigned", "desk", True)
        assert simulated["assignee"] == decision["assignee"] == {"id": free.id, "name": "Free"}
        for key in ("rule", "reason", "ordering", "seed"):
            assert simulated[key] == decision[key]
        assert [candidate(simulated, key) for key in ids] == [candidate(decision, key) for key in ids]
        assert (candidate(decision, free.id)["rank"], candidate(decision, free.id)["load"]) == (1, 0)
        waits = simulate(gateway, admin, channel_id, agents=[full.id], priority="high")
        assert (waits["outcome"], waits["assignee"], waits["queue_position"]) == ("queued", None, 1)
        free.archive(visitor.conversation_id, by_hand.conversation_id)


def test_a_team_is_served_by_priority_when_it_grows_and_when_its_capacity_does(gateway: Gateway, admin: str) -> None:
    ann, ben = Agent(gateway, admin, "Ann"), Agent(gateway, admin, "Ben", capacity=1)
    team = gateway.ask("POST", "/v1/teams", {"name": f"Sales {new_id()}", "agent_ids": [ann.id]}, token=admin)
    normal = Visitor(gateway, make_desk(gateway, admin, team=team["id"]))
    behind = place(normal)
    with at_work(ben) as [stream]:
        urgent = Visitor(gateway, make_desk(gateway, admin, team=team["id"], priority="high"))
        assert place(urgent) < wait_until(lambda: (place(normal) > behind) and place(normal), what="the step back")
        [decision] = decisions(gateway, admin, urgent.conversation_id)
        assert candidate(decision, ben.id)["reason"] == "not_in_team"

        grown = gateway.ask("PUT", f"/v1/teams/{team['id']}/agents/{ben.id}", token=admin)

        assert grown["agent_ids"] == [ann.id, ben.id]
        assert stream.wait_for("team.updated", id=team["id"])["agent_ids"] == grown["agent_ids"]
        stream.wait_for("conversation.assigned", id=urgent.conversation_id)
        assert normal.conversation()["handler"] == "queue"

        gateway.ask("PATCH", f"/v1/agents/{ben.id}", {"capacity": 2}, token=admin)

        stream.wait_for("conversation.assigned", id=normal.conversation_id)
        ben.archive(urgent.conversation_id, normal.conversation_id)


def test_the_flow_goes_its_other_way_while_the_channel_is_closed(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ann")
    in_three_days = DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
    hours = {"time_zone": "UTC", "weekly": {in_three_days: [["09:00", "17:00"]]}}
    channel_id = make_desk(gateway, admin, hours=hours, agents=[agent.id], unavailable="sorry")
    with at_work(agent) as [stream]:

        def shown() -> Document:
            return simulate(gateway, admin, channel_id)

        wait_until(lambda: candidate(shown(), agent.id).get("eligible"), what="an eligible agent")
        closed = shown()
        assert (closed["outcome"], closed["assignee"], closed["open"]) == ("unavailable", None, False)
        assert datetime.fromisoformat(closed["opens_at"]) > datetime.now(UTC)
        turned_away = Visitor(gateway, channel_id)
        assert turned_away.messages()[-1]["text"] == "Nobody is there."
        assert decisions(gateway, admin, turned_away.conversation_id) == []

        gateway.ask("PATCH", f"/v1/channels/{channel_id}", {"business_hours": None}, token=admin)

        assert (shown()["outcome"], shown()["open"], shown()["opens_at"]) == ("assigned", True, None)
        welcome = Visitor(gateway, channel_id)
        stream.wait_for("conversation.assigned", id=welcome.conversation_id)
        agent.archive(welcome.conversation_id, turned_away.conversation_id)


def test_the_line_waits_and_is_drained_when_an_admin_sets_an_agent_busy_and_available(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ann")
    channel_id = make_desk(gateway, admin, agents=[agent.id])
    stream = agent.watch()

    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"availability": "busy"}, token=admin)

    stream.wait_for("agent.updated", id=agent.id, availability="busy")
    shown = agent.presence()
    assert (shown["availability"], shown["availability_set_by"]["name"], shown["connected"]) == ("busy", "Admin", True)
    stream.close()
    with at_work(agent) as [stream]:
        assert agent.presence()["availability"] == "busy"
        wait_until(lambda: candidate(simulate(gateway, admin, channel_id), agent.id).get("reason") == "busy")
        visitor = Visitor(gateway, channel_id)
        [decision] = wait_until(lambda: decisions(gateway, admin, visitor.conversation_id))
        assert (decision["action"], candidate(decision, agent.id)["reason"]) == ("queued", "busy")

        gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"availability": "available"}, token=admin)

        stream.wait_for("conversation.assigned", id=visitor.conversation_id)
        agent.archive(visitor.conversation_id)


def test_a_flow_is_refused_when_it_names_agents_or_teams_that_do_not_exist(gateway: Gateway, admin: str) -> None:
    channel_id = make_channel(gateway, admin)
    blocks = {
        "first": {"type": "assign", "agents": [new_id()], "unavailable": "second"},
        "second": {"type": "assign", "team": new_id()},
    }
    refused = gateway.send("PUT", f"/v1/channels/{channel_id}/flow", {"start": "first", "blocks": blocks}, token=admin)
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_FLOW")
    assert set(refused.json()["errors"]) == {"blocks.first.agents", "blocks.second.team"}
