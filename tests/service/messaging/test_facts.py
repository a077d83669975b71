"""What flows may ask of the world: the contact's country and pages, the agents and teams; and what a start of a conversation tells."""

from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from services.messaging.store import MessagingStore
from tests.service.messaging.conftest import Messaging
from tests.support.events import Announcer
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def choosing(test: dict[str, Any]) -> dict[str, Any]:
    """A flow that tells whether a test holds, first at the beginning, then after each word of the visitor."""
    return {
        "start": "a",
        "blocks": {
            "a": {"type": "condition", "cases": [{"if": test, "next": "yes"}], "else": "no"},
            "yes": {"type": "question", "kind": "text", "text": "Yes.", "field": "word", "next": "a"},
            "no": {"type": "question", "kind": "text", "text": "No.", "field": "word", "next": "a"},
        },
    }


def contact_resource(channel_id: str, **values: Any) -> dict[str, Any]:
    page = {
        "url": "https://shop.example/pricing",
        "title": None,
        "referrer": None,
        "campaign": None,
        "at": "2026-11-24T07:31:47.120Z",
    }
    return {
        "id": new_id(),
        "channel_id": channel_id,
        "name": "Teal Otter",
        "name_source": "generated",
        "email": None,
        "phone": None,
        "fields": {"plan": "gold"},
        "blocked": False,
        "ip": "192.0.2.1",
        "country": {"code": "DE", "name": "Germany"},
        "url": {"first": page, "last": page, "pages": [page]},
        "version": 1,
    } | values


def start(messaging: Messaging, contact: dict[str, Any]) -> str:
    started = messaging.call("start_conversation", channel_id=contact["channel_id"], contact=contact)
    return str(started["messages"][-1]["text"])


@pytest.mark.parametrize(
    "test",
    [
        {"on": "country", "is": "one_of", "value": ["DE", "AT"]},
        {"on": "url", "page": "first", "is": "contains", "value": "pricing"},
        {"on": "field", "field": "plan", "is": "equal", "value": "GOLD"},
    ],
)
def test_first_blocks_know_the_contact_when_the_start_tells_all_of_it(messaging: Messaging, test: dict[str, Any]) -> None:
    channel_id = messaging.new_channel(choosing(test))
    contact = contact_resource(channel_id)
    assert start(messaging, contact) == "Yes."
    name_alone = {name: value for name, value in contact.items() if name in {"name", "version", "channel_id"}}
    assert start(messaging, name_alone | {"id": new_id()}) == "No."


def test_flow_knows_what_was_told_of_the_contact_since_it_began(messaging: Messaging, announcer: Announcer, stack: Stack) -> None:
    channel_id = messaging.new_channel(choosing({"on": "country", "is": "known"}))
    contact = contact_resource(channel_id, country=None)
    assert start(messaging, contact) == "No."
    newer = contact | {"country": {"code": "AT", "name": "Austria"}, "version": 2}
    entity = ("contact", contact["id"], 2)
    announcer.publish("contacts", "contact_updated", newer, entity=entity, contact_id=contact["id"])
    wait_until(lambda: (stack.mongo("messaging").contacts.find_one({"_id": contact["id"]}) or {}).get("country"))
    said = messaging.say(contact["id"], "And now?")
    assert messaging.messages(said["conversation_id"])[-1]["text"] == "Yes."


def test_start_is_refused_when_the_contact_is_blocked(messaging: Messaging, stack: Stack) -> None:
    contact = contact_resource(messaging.channel_id, blocked=True)
    with pytest.raises(DomainError) as refused:
        start(messaging, contact)
    assert refused.value.error_code == "CONTACT_BLOCKED"
    assert stack.mongo("messaging").conversations.count_documents({"contact.id": contact["id"]}) == 0
    start(messaging, contact | {"blocked": False, "version": 2})


def test_agents_count_as_available_when_they_are_there_and_have_room(store: MessagingStore) -> None:
    ann, ben, team = new_id(), new_id(), new_id()
    free: dict[str, Any] = {
        "active": True,
        "connected": True,
        "availability": "available",
        "capacity": 1,
        "active_conversations": 0,
    }
    assert not store.is_available([ann], None)
    store.follow_agent(ann, 1, "Ann", free)
    store.follow_agent(ben, 1, "Ben")  # known by name alone, as before more was kept
    assert store.is_available([ann, ben], None)
    assert store.is_available(None, None)
    store.follow_team(team, 1, [])
    assert not store.is_available(None, team)
    store.follow_team(team, 2, [ann, ben])
    store.follow_team(team, 1, [ben])
    assert store.is_available(None, team)
    obstacles: tuple[dict[str, Any], ...] = (
        {"active": False},
        {"connected": False},
        {"availability": "busy"},
        {"active_conversations": 1},
    )
    for version, obstacle in enumerate(obstacles, 2):
        store.follow_agent(ann, version, "Ann", free | obstacle)
        assert not store.is_available(None, team)
    store.follow_agent(ann, 9, "Ann", free)
    store.follow_agent(ann, 8, "Ann", free | {"connected": False})
    assert store.is_available([ann], None)


def test_nobody_counts_as_away_of_whom_nothing_was_told_yet(store: MessagingStore) -> None:
    ann, ben, cleo, team = new_id(), new_id(), new_id(), new_id()
    there = {"active": True, "connected": True, "availability": "available", "capacity": 1, "active_conversations": 0}
    store.follow_agent(ann, 1, "Ann", there)
    store.follow_agent(ben, 1, "Ben")  # known by name alone, as before more was kept
    assert store.is_available(None, team)  # a team unheard of is everybody
    assert store.is_available([ben], None)
    store.follow_team(team, 1, [ben])
    assert store.is_available(None, team)
    store.follow_team(team, 2, [ben, cleo, ann])
    store.follow_agent(ann, 2, "Ann", there | {"availability": "busy"})
    assert not store.is_available(None, team)  # who is known decides, and an agent never heard of isn't there
    assert not store.is_available([cleo], None)
    store.follow_agent(ben, 2, "Ben", there)
    assert store.is_available(None, team)


def test_team_is_followed_until_it_is_deleted(messaging: Messaging, announcer: Announcer, stack: Stack) -> None:
    team_id, teams = new_id(), stack.mongo("messaging").teams

    def members() -> Any:
        return (teams.find_one({"_id": team_id}) or {"agent_ids": "unknown"})["agent_ids"]

    told = ("team_created", ["ann"]), ("team_updated", ["ann", "ben"])
    for version, (kind, agent_ids) in enumerate(told, 1):
        team = {"id": team_id, "name": "Sales", "agent_ids": agent_ids}
        announcer.publish("presence", kind, team, entity=("team", team_id, version))
        wait_until(lambda wanted=agent_ids: members() == wanted)  # type: ignore[misc]
    announcer.publish("presence", "team_deleted", {"id": team_id}, entity=("team", team_id, 3))
    wait_until(lambda: members() is None)
