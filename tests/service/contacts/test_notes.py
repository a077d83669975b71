"""Notes of agents, and the highlighted ones shown on the contact."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from tests.service.contacts.conftest import ADMIN, ANN, BEN, BOT, VISITOR, Call, Visitor
from tests.support.events import Collector


def refused_code(call: Call, method: str, **kwargs: Any) -> str:
    with pytest.raises(RemoteError) as refused:
        call(method, **kwargs)
    return refused.value.error_code


def test_note_is_kept_and_announced(visitor: Visitor, call: Call, collector: Collector) -> None:
    contact = visitor()
    note = call("create_note", contact_id=contact["id"], text=" Called twice. ", actor=ANN)

    assert note["author"] == {"kind": "agent", "id": "agent-ann", "name": "Ann"}
    assert (note["text"], note["highlighted"], note["contact_id"], note["version"]) == ("Called twice.", False, contact["id"], 1)
    assert collector.wait_for("note_created", lambda e: e["entity"]["id"] == note["id"])["data"] == note
    assert call("list_notes", contact_id=contact["id"]) == {"items": [note], "next_cursor": None}
    assert call("get_contact", contact_id=contact["id"]) == contact


def test_highlighted_note_is_on_the_contact_until_it_is_not(visitor: Visitor, call: Call, collector: Collector) -> None:
    contact = visitor()

    def shown() -> list[dict[str, Any]]:
        notes: list[dict[str, Any]] = call("get_contact", contact_id=contact["id"])["highlighted_notes"]
        return notes

    note = call("create_note", contact_id=contact["id"], text="VIP", highlighted=True, actor=ANN)
    assert shown() == [note]
    event = collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"])
    assert (event["data"]["highlighted_notes"], event["entity"]["version"]) == ([note], 2)

    note = call("update_note", note_id=note["id"], changes={"text": "A true VIP"}, actor=ANN)
    assert (note["version"], shown()) == (2, [note])
    note = call("update_note", note_id=note["id"], changes={"highlighted": False}, actor=ANN)
    assert shown() == []
    note = call("update_note", note_id=note["id"], changes={"highlighted": True}, actor=ANN)
    assert shown() == [note]
    call("delete_note", note_id=note["id"], actor=ANN)
    assert shown() == []

    assert call("get_contact", contact_id=contact["id"])["version"] == 6
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"], count=5)
    assert collector.wait_for("note_updated", lambda e: e["entity"]["id"] == note["id"], count=3)["data"] == note
    deleted = collector.wait_for("note_deleted", lambda e: e["entity"]["id"] == note["id"])
    assert deleted["data"] == {"id": note["id"], "contact_id": contact["id"]}
    assert deleted["entity"]["version"] == 5


def test_newest_twenty_highlighted_notes_are_shown(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    made = [call("create_note", contact_id=contact["id"], text=str(n), highlighted=True, actor=ANN)["id"] for n in range(22)]
    shown = [note["id"] for note in call("get_contact", contact_id=contact["id"])["highlighted_notes"]]
    assert set(shown) == set(made[2:])
    call("delete_note", note_id=made[21], actor=ANN)
    shown = [note["id"] for note in call("get_contact", contact_id=contact["id"])["highlighted_notes"]]
    assert set(shown) == set(made[1:21])


def test_contact_shows_all_when_agents_highlight_at_once(visitor: Visitor, call: Call) -> None:
    contact = visitor()

    def highlight(number: int) -> str:
        text = f"number {number}"
        return str(call("create_note", contact_id=contact["id"], text=text, highlighted=True, actor=ANN)["id"])

    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(highlight, range(12)))
    after = call("get_contact", contact_id=contact["id"])
    assert {note["id"] for note in after["highlighted_notes"]} == made
    assert after["version"] == 13


def test_note_is_made_once_when_the_call_is_repeated(visitor: Visitor, call: Call, collector: Collector) -> None:
    contact = visitor()
    key = new_id()
    arguments = {"contact_id": contact["id"], "text": "Once.", "highlighted": True, "actor": ANN, "idempotency_key": key}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call("create_note", **arguments), range(4)))

    assert all(answer == answers[0] for answer in answers)
    assert len(call("list_notes", contact_id=contact["id"])["items"]) == 1
    assert call("get_contact", contact_id=contact["id"])["version"] == 2
    edited = call("update_note", note_id=answers[0]["id"], changes={"text": "Twice."}, actor=ANN)
    assert call("create_note", **arguments) == edited
    assert refused_code(call, "create_note", **(arguments | {"text": "Other."})) == "IDEMPOTENCY_KEY_REUSED"
    # Another agent's key is another key.
    assert call("create_note", **(arguments | {"actor": BEN}))["id"] != edited["id"]
    collector.wait_for("note_created", lambda e: e["entity"]["id"] == edited["id"])
    assert len(collector.found("note_created", lambda e: e["entity"]["id"] == edited["id"])) == 1


def test_note_is_its_authors_to_change_and_an_admins_to_delete(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    note = call("create_note", contact_id=contact["id"], text="Mine.", highlighted=True, actor=ANN)

    for actor in (BEN, ADMIN, BOT, VISITOR):
        assert refused_code(call, "update_note", note_id=note["id"], changes={"text": "x"}, actor=actor) == "FORBIDDEN"
    for actor in (BEN, BOT, VISITOR):
        assert refused_code(call, "delete_note", note_id=note["id"], actor=actor) == "FORBIDDEN"
        assert actor is BEN or refused_code(call, "create_note", contact_id=contact["id"], text="x", actor=actor) == "FORBIDDEN"
    assert call("list_notes", contact_id=contact["id"])["items"] == [note]
    assert call("delete_note", note_id=note["id"], actor=ADMIN) == {"id": note["id"]}
    assert call("list_notes", contact_id=contact["id"])["items"] == []


def test_note_is_not_found_when_unknown_or_deleted(visitor: Visitor, call: Call) -> None:
    note = call("create_note", contact_id=visitor()["id"], text="x", actor=ANN)
    call("delete_note", note_id=note["id"], actor=ANN)
    for note_id in (note["id"], new_id()):
        assert refused_code(call, "update_note", note_id=note_id, changes={"text": "y"}, actor=ANN) == "NOTE_NOT_FOUND"
        assert refused_code(call, "delete_note", note_id=note_id, actor=ANN) == "NOTE_NOT_FOUND"


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": "  "},
        {"text": "x" * 10_001},
        {"text": 5},
        {"text": None},
        {"highlighted": 1},
        {"highlighted": "yes"},
    ],
)
def test_nothing_is_made_when_a_notes_values_are_wrong(visitor: Visitor, call: Call, wrong: dict[str, Any]) -> None:
    contact = visitor()
    arguments = {"contact_id": contact["id"], "text": "x", "highlighted": True, "actor": ANN} | wrong
    assert refused_code(call, "create_note", **arguments) == "VALIDATION_FAILED"
    assert call("list_notes", contact_id=contact["id"])["items"] == []
    assert call("get_contact", contact_id=contact["id"]) == contact


def test_notes_are_listed_newest_first_a_page_at_a_time(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    made = [call("create_note", contact_id=contact["id"], text=str(n), actor=ANN) for n in range(5)]
    call("delete_note", note_id=made[2]["id"], actor=ANN)
    first = call("list_notes", contact_id=contact["id"], limit=3)
    second = call("list_notes", contact_id=contact["id"], limit=3, cursor=first["next_cursor"])
    listed = first["items"] + second["items"]
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (3, 1, None)
    assert {note["text"] for note in listed} == {"0", "1", "3", "4"}
    assert [note["created_at"] for note in listed] == sorted((note["created_at"] for note in listed), reverse=True)
