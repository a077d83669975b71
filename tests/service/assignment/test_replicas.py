from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo.errors import OperationFailure

from deploy.local.process import ChildProcess
from services.common.rpc_client import RpcClient
from services.common.times import now
from tests.service.assignment.office import Office, conversations
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until

AGENTS = [f"agent{number}" for number in range(5)]


def settled(office: Office, state: str) -> set[str]:
    return {found["_id"] for found in office.database.assignments.find({"state": state}, {"_id": 1})}


def check_burst(office: Office, burst: list[str]) -> tuple[set[str], list[str]]:
    """20 of 60 assigned, 4 to each agent, the earliest ones; 40 in line in the order of their requests."""
    wait_until(lambda: len(settled(office, "assigned") | settled(office, "queued")) == len(burst), 60, what="60 decisions")
    wait_until(lambda: len(settled(office, "assigned")) == 20, 60, what="20 assigned")
    assigned, line = settled(office, "assigned"), office.line()
    assert [office.load(name) for name in AGENTS] == [4] * 5
    assert line == [conversation for conversation in burst if conversation not in assigned]
    assert len(line) == 40
    return assigned, line


def check_archiving(office: Office, assigned: set[str], line: list[str]) -> None:
    """Exactly the next five take the places of five that are archived."""
    for conversation in sorted(assigned)[:5]:
        office.archive(conversation)
    wait_until(lambda: len(settled(office, "closed")) == 5 and len(settled(office, "assigned")) == 20, 30, what="5 more assigned")
    assert settled(office, "assigned") - assigned == set(line[:5])
    assert office.line() == line[5:]
    assert [office.load(name) for name in AGENTS] == [4] * 5
    chosen = office.database.decisions.find({"action": "assigned"}).sort("at", 1)
    assert [found["conversation_id"] for found in chosen][20:] == line[:5]


@pytest.mark.usefixtures("second_replica")
def test_capacity_and_order_hold_when_two_replicas_decide_at_once(office: Office) -> None:
    office.hire(*AGENTS, capacity=4)
    burst = conversations(60)
    for conversation in burst:
        office.request(conversation)
    assigned, line = check_burst(office, burst)
    check_archiving(office, assigned, line)


def test_nothing_is_lost_or_doubled_when_a_replica_is_killed_in_the_burst(
    office: Office, second_replica: ChildProcess, stack: Stack, rpc: RpcClient
) -> None:
    office.hire(*AGENTS, capacity=4)
    burst = conversations(60)
    for conversation in burst[:30]:
        office.request(conversation)
    second_replica.kill()
    for conversation in burst[30:]:
        office.request(conversation)
    third = stack.start_service("assignment", instance="assignment-3")
    try:
        wait_for_service(rpc, "assignment", third)
        assigned, line = check_burst(office, burst)
        check_archiving(office, assigned, line)
        for conversation in burst:
            assert [d["seq"] for d in office.history(conversation)] == list(range(len(office.history(conversation)), 0, -1))
    finally:
        third.stop()


@pytest.mark.usefixtures("second_replica")
def test_one_agent_has_it_when_many_hands_reach_at_once(office: Office, stack: Stack) -> None:
    office.hire(*AGENTS)
    (conversation,) = conversations(1)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: office.assign(conversation, AGENTS[number % 5]), range(20)))
    final = office.get(conversation)
    assert final is not None
    assert sum(office.load(name) for name in AGENTS) == 1
    assert office.load(final["assignee"]["id"]) == 1
    assert final["version"] == max(answer["version"] for answer in answers) == len(office.history(conversation))


def test_others_decide_within_seconds_when_a_replica_died_in_the_middle_of_its_turn(office: Office) -> None:
    office.hire("ann")
    first, second = conversations(2)
    # What a killed replica leaves behind: its transaction, open for a minute.
    with office.database.client.start_session() as dead:
        office.database.takers.insert_one({"_id": dead.session_id["id"], "noted_at": now()})
        dead.start_transaction()
        office.database.ledger.update_one({"_id": "ledger"}, {"$inc": {"turn": 1}}, session=dead)

        assert office.assign(first, "ann")["state"] == "assigned"

        office.request(second)
        office.wait_state(second, "assigned", "ann")
        with pytest.raises(OperationFailure):
            dead.commit_transaction()
        dead.end_session()


def test_loads_are_repaired_and_the_line_is_served_when_they_were_wrong(
    office: Office, service: Callable[[str], ChildProcess], stack: Stack
) -> None:
    office.hire("ann", capacity=1)
    held, waiting = conversations(2)
    office.request(held)
    office.wait_state(held, "assigned")
    office.request(waiting)
    office.wait_state(waiting, "queued")
    stack.services["assignment"].stop()
    office.database.assignments.update_one({"_id": held}, {"$set": {"state": "unassigned", "agent": None}})
    office.database.agents.update_one({"_id": "ann"}, {"$set": {"load": 3}})

    service("assignment")

    office.wait_state(waiting, "assigned", "ann")
    assert office.load("ann") == 1
    log, repaired = stack.services["assignment"].log_path, '"recorded": 3, "actual": 0, "event": "load_repaired"'
    wait_until(lambda: repaired in log.read_text(), what="the line that says so")


def test_waiting_ones_are_served_when_the_service_comes_back(
    office: Office, service: Callable[[str], ChildProcess], stack: Stack
) -> None:
    office.hire("ann", availability="busy")
    (conversation,) = conversations(1)
    office.request(conversation)
    office.wait_state(conversation, "queued")
    stack.services["assignment"].kill()
    office.tell_agent("ann", availability="available")

    service("assignment")

    office.wait_state(conversation, "assigned", "ann")
