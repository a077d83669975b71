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


def test_conversation_shows_of_the_line_its_own_place_and_nothing_else() -> None:
    queue = {"position": 3, "estimated_wait_seconds": None, "ahead": ["v7"], "agents": ["ada"], "reason": "Ada is at capacity."}
    shown = visitor_conversation(CONVERSATION | {"assignee": None, "handler": "queue", "queue": queue, "decision": {"seq": 1}})
    assert shown["queue"] == {"position": 3, "estimated_wait_seconds": None}
    assert "decision" not in shown


def test_conversation_hides_who_archived_it_and_since_when_an_answer_is_awaited() -> None:
    archived = {"archived_by": {"kind": "agent", "id": "ada", "name": "Ada"}, "archived_at": "2026-11-24T08:00:00.000Z"}
    shown = visitor_conversation(CONVERSATION | archived)
    assert shown["archived_at"] == "2026-11-24T08:00:00.000Z"
    assert not shown.keys() & {"archived_by", "awaiting_answer_since"}


def test_conversation_shows_no_assignee_when_there_is_none() -> None:
    assert visitor_conversation(CONVERSATION | {"assignee": None})["assignee"] is None


def test_contact_shows_only_what_the_visitor_told() -> None:
    assert visitor_contact(CONTACT) == {"id": "c1", "name": "Teal Otter", "email": None, "phone": None, "locale": "en"}
