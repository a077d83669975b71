"""What an integration does with its token beside writing."""

import pytest

from tests.unit.gateway.kit import CONTACT, CONVERSATION, World

API_TOKEN = "foyer_0123456789abcdef0123456789"
ACTOR = {"kind": "bot", "id": "crm", "name": "CRM", "role": None}


@pytest.fixture
def world() -> World:
    world = World()
    world.rpc.answers |= {
        "presence.verify_api_token": {"id": "crm", "name": "CRM", "scopes": ["bot"]},
        "contacts.get_contact": CONTACT,
        "messaging.set_status": CONVERSATION | {"status": "archived"},
        "messaging.signal_typing": {},
    }
    return world


def test_bot_reads_a_contact(world: World) -> None:
    assert world.send("GET", "/v1/bot/contacts/c1", token=API_TOKEN).get_json() == CONTACT


def test_bot_archives_a_conversation(world: World) -> None:
    response = world.send("PATCH", "/v1/bot/conversations/v1", {"status": "archived"}, token=API_TOKEN)
    assert (response.status_code, response.get_json()["status"]) == (200, "archived")
    assert world.rpc.asked("messaging.set_status") == {"conversation_id": "v1", "status": "archived", "actor": ACTOR}


def test_bot_shows_that_it_writes(world: World) -> None:
    assert world.send("POST", "/v1/bot/conversations/v1/typing", token=API_TOKEN).status_code == 204
    assert world.rpc.asked("messaging.signal_typing") == {"conversation_id": "v1", "typing": True, "actor": ACTOR}
