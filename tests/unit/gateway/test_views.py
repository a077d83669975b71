from gateway.views import visitor_contact, visitor_conversation, visitor_message
from tests.unit.gateway.kit import CONTACT, CONVERSATION, MESSAGE


def test_message_hides_the_agents_id_and_the_delivery() -> None:
    shown = visitor_message(MESSAGE)
    assert shown["author"] == {"kind": "agent", "name": "Ada"}
    assert "delivery" not in shown
    assert shown.keys() == MESSAGE.keys() - {"delivery"}
    assert MESSAGE["delivery"] is not None  # the original stays whole


def test_message_keeps_its_author_when_no_agent_wrote_it() -> None:
    author = {"kind": "visitor", "id": "c1", "name": "Teal Otter"}
    assert visitor_message(MESSAGE | {"author": author})["author"] == author


def test_conversation_shows_its_state_and_the_assignees_name_only() -> None:
    assert visitor_conversation(CONVERSATION) == {
        "id": "v1",
        "status": "open",
        "handler": "agent",
        "assignee": {"name": "Ada"},
        "queue": None,
        "last_seq": 2,
        "visitor_read_seq": 1,
        "created_at": "2026-11-24T07:31:47.120Z",
        "archived_at": None,
        "version": 4,
    }


def test_conversation_shows_no_assignee_when_there_is_none() -> None:
    assert visitor_conversation(CONVERSATION | {"assignee": None})["assignee"] is None


def test_contact_shows_only_what_the_visitor_told() -> None:
    assert visitor_contact(CONTACT) == {"id": "c1", "name": "Teal Otter", "email": None, "phone": None, "locale": "en"}
