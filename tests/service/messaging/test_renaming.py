"""Agents' names in the conversations that they have."""

import pytest

from services.common.ids import new_id
from services.messaging.store import MessagingStore
from tests.service.messaging.conftest import Messaging, announce_assignment
from tests.support.events import Announcer
from tests.support.waiting import wait_until


@pytest.fixture
def agent_id() -> str:
    return new_id()


@pytest.fixture
def conversation_id(messaging: Messaging, announcer: Announcer, agent_id: str) -> str:
    """One that the agent has, as Ann."""
    _, conversation = messaging.begin()
    announce_assignment(announcer, conversation["id"], 1, "assigned", assignee={"id": agent_id, "name": "Ann"})
    wait_until(lambda: shown(messaging, conversation["id"]) == "Ann")
    return str(conversation["id"])


def shown(messaging: Messaging, conversation_id: str) -> str | None:
    assignee = messaging.conversation(conversation_id)["assignee"]
    return assignee and str(assignee["name"])


def announce_agent(announcer: Announcer, agent_id: str, name: str, version: int) -> None:
    announcer.publish("presence", "agent_updated", {"id": agent_id, "name": name}, entity=("agent", agent_id, version))


def test_newest_name_is_shown_when_an_agent_is_renamed_twice_and_told_out_of_order(
    messaging: Messaging, announcer: Announcer, agent_id: str, conversation_id: str
) -> None:
    announce_agent(announcer, agent_id, "Anna", 3)
    wait_until(lambda: shown(messaging, conversation_id) == "Anna")
    announce_agent(announcer, agent_id, "Annie", 2)
    announce_agent(announcer, agent_id, "Anne", 4)
    wait_until(lambda: shown(messaging, conversation_id) == "Anne")


def test_name_is_brought_when_the_process_ended_after_noting_it(
    messaging: Messaging, announcer: Announcer, store: MessagingStore, agent_id: str, conversation_id: str
) -> None:
    store.follow_agent(agent_id, 2, "Anna")
    announce_agent(announcer, agent_id, "Anna", 3)  # a change of load, which leaves the name to the one before
    announce_agent(announcer, agent_id, "Anna", 2)  # which was not acknowledged
    wait_until(lambda: shown(messaging, conversation_id) == "Anna")


def test_newest_name_is_shown_when_the_assignment_was_decided_by_an_older_one(
    messaging: Messaging, announcer: Announcer, store: MessagingStore, agent_id: str, conversation_id: str
) -> None:
    store.follow_agent(agent_id, 2, "Anna")
    announce_assignment(announcer, conversation_id, 2, "assigned", assignee={"id": agent_id, "name": "Ann"})
    wait_until(lambda: shown(messaging, conversation_id) == "Anna")


def test_name_is_to_be_brought_unless_a_newer_version_says_it_again(store: MessagingStore, agent_id: str) -> None:
    told = [(1, "Ann"), (2, "Ann"), (4, "Ann"), (3, "Ann"), (4, "Ann"), (5, "Anna"), (1, "Ann")]
    assert [store.follow_agent(agent_id, *each) for each in told] == [True, False, False, True, True, True, True]
    assert store.find_agent_name(agent_id) == "Anna"
