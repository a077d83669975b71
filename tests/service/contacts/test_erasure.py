"""The end of a contact: nothing personal is left in the database, whatever is under way, and nothing brings it back."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from services.common.times import now
from tests.service.contacts.conftest import ADMIN, ANN, BEN, BOT, CHROME, Call, Visitor
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.remains import find_remains
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def refused_code(call: Call, method: str, **kwargs: Any) -> str:
    with pytest.raises(RemoteError) as refused:
        call(method, **kwargs)
    return refused.value.error_code


def collect(announcer: Announcer, contact_id: str, field: str, value: Any, version: int = 2) -> str:
    conversation = new_id()
    data = {"contact_id": contact_id, "conversation_id": conversation, "channel_id": "channel-1", "field": field, "value": value}
    return announcer.publish("messaging", "field_collected", data, entity=("conversation", conversation, version))


def fill(call: Call, announcer: Announcer, collector: Collector, mark: str) -> dict[str, Any]:
    """A contact of whom everything that can be known has the mark in it, with the ids of what was made."""
    contact_id = new_id()
    page = {"url": f"https://acme.test/{mark}?utm_source={mark}", "title": mark, "referrer": f"https://{mark}.test/"}
    visit = {"ip": "193.99.144.80", "page": page, "locale": "de", "time_zone": "Europe/Berlin", "user_agent": CHROME}
    user = {"id": f"user {mark}", "name": f"{mark} site", "phone": f"{mark} is no number"}
    call("open_session", contact_id=contact_id, channel_id="channel-1", name=f"{mark} page", user=user, **visit)
    call("record_page", contact_id=contact_id, user=True, page={"url": f"https://acme.test/again/{mark}", "title": mark})
    call("set_fields", contact_id=contact_id, fields={"name": f"{mark} bot", "topic": mark, f"F{mark}": 1}, actor=BOT)
    call("update_contact", contact_id=contact_id, changes={"name": f"{mark} ann", "email": f"{mark}@{mark}.test"}, actor=ANN)
    call("set_fields", contact_id=contact_id, fields={"name": f"{mark} ignored", f"F{mark}": None}, actor=BOT)
    collect(announcer, contact_id, "story", mark)
    collect(announcer, contact_id, "email", f"{mark} is no address")
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact_id and e["data"]["fields"].get("story") == mark)
    notes = [
        call("create_note", contact_id=contact_id, text=mark, highlighted=highlighted, actor=ANN, idempotency_key=new_id())["id"]
        for highlighted in (True, False, False)
    ]
    call("delete_note", note_id=notes[2], actor=ANN)
    about = {"subject": mark, "description": mark, "conversation_id": new_id(), "assignee": {"id": "agent-ben", "name": "Ben"}}
    tickets = [call("create_ticket", contact_id=contact_id, **about, actor=actor)["id"] for actor in (ANN, BOT)]
    for ticket_id in tickets:
        call("create_comment", ticket_id=ticket_id, text=mark, actor=BEN, idempotency_key=new_id())
    return {"id": contact_id, "notes": notes, "tickets": tickets}


def test_nothing_of_a_contact_is_left_in_any_collection_when_it_was_erased(
    call: Call, announcer: Announcer, collector: Collector, stack: Stack
) -> None:
    database = stack.mongo("contacts")
    mark = f"mark{new_id()}"
    made = fill(call, announcer, collector, mark)
    before = find_remains(database, mark)
    assert {place.partition("/")[0] for place in before} == {"contacts", "notes", "tickets", "comments"}
    stored = database["contacts"].find_one({"_id": made["id"]})
    assert stored is not None
    assert stored["ignored"]

    erased = call("erase_contact", contact_id=made["id"], actor=ADMIN)

    assert erased.keys() == {"id", "erased_at"}
    assert find_remains(database, mark) == []
    told = collector.wait_for("contact_erased", lambda e: e["contact_id"] == made["id"])
    assert told["data"] == {"id": made["id"], "channel_id": "channel-1", "at": erased["erased_at"]}
    left = wait_until(lambda: database["contacts"].find_one({"_id": made["id"], "outbox": []}), what="a sent event") or {}
    assert left.keys() == {"_id", "channel_id", "since", "records", "erased_at", "erased_by", "version", "outbox"}
    assert left["records"] == 5
    assert told["entity"] == {"kind": "contact", "id": made["id"], "version": left["version"]}
    (ticket,) = database["tickets"].find({"_id": made["tickets"][0]})
    assert ticket.keys() == {
        "_id", "contact_id", "channel_id", "conversation_id", "comment_count", "made_at", "erased_at", "version", "outbox",
    }  # fmt: skip
    (note,) = database["notes"].find({"_id": made["notes"][0]})
    assert note.keys() == {"_id", "contact_id", "deleted_at", "made_at", "erased_at", "version", "outbox"}
    assert database["comments"].count_documents({"contact_id": made["id"]}) == 2


def test_erased_contact_is_found_by_nobody(call: Call, announcer: Announcer, collector: Collector) -> None:
    mark = f"mark{new_id()}"
    made = fill(call, announcer, collector, mark)
    erased = call("erase_contact", contact_id=made["id"], actor=ADMIN)

    contact_id = made["id"]
    calls: dict[str, dict[str, Any]] = {
        "get_contact": {},
        "list_history": {},
        "list_ignored": {},
        "list_notes": {},
        "list_tickets": {},
        "update_contact": {"changes": {"name": "X"}, "actor": ANN},
        "set_fields": {"fields": {"x": 1}, "actor": BOT},
        "create_note": {"text": "x", "actor": ANN},
        "create_ticket": {"subject": "x", "actor": ANN},
        "open_session": {"channel_id": "channel-1", "ip": "8.8.8.8"},
        "record_page": {"page": {"url": "https://acme.test/"}},
    }
    for method, arguments in calls.items():
        assert refused_code(call, method, contact_id=contact_id, **arguments) == "CONTACT_NOT_FOUND", method
    for note_id in made["notes"]:
        assert refused_code(call, "update_note", note_id=note_id, changes={"text": "x"}, actor=ANN) == "NOTE_NOT_FOUND"
        assert refused_code(call, "delete_note", note_id=note_id, actor=ADMIN) == "NOTE_NOT_FOUND"
    for ticket_id in made["tickets"]:
        assert refused_code(call, "get_ticket", ticket_id=ticket_id) == "TICKET_NOT_FOUND"
        assert refused_code(call, "list_comments", ticket_id=ticket_id) == "TICKET_NOT_FOUND"
        assert refused_code(call, "create_comment", ticket_id=ticket_id, text="x", actor=ANN) == "TICKET_NOT_FOUND"
        changes = {"status": "solved"}
        assert refused_code(call, "update_ticket", ticket_id=ticket_id, changes=changes, actor=ANN) == "TICKET_NOT_FOUND"
    assert call("list_contacts", q=mark)["items"] == []
    for answer in (call("list_contacts", limit=100), call("list_contacts", channel_id="channel-1", limit=100)):
        assert contact_id not in [contact["id"] for contact in answer["items"]]
    for conditions in (
        {},
        {"status": "open"},
        {"assignee_id": "agent-ben"},
        {"assignee_id": "none"},
        {"channel_id": "channel-1"},
    ):
        assert contact_id not in [ticket["contact_id"] for ticket in call("list_tickets", **conditions, limit=100)["items"]]
    assert call("erase_contact", contact_id=contact_id, actor=ADMIN) == erased
    collector.wait_for("contact_erased", lambda e: e["contact_id"] == contact_id)
    assert len(collector.found("contact_erased", lambda e: e["contact_id"] == contact_id)) == 1


def test_contact_stays_whole_when_somebody_else_than_an_admin_would_erase_it(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    for actor in (ANN, BOT):
        assert refused_code(call, "erase_contact", contact_id=contact["id"], actor=actor) == "FORBIDDEN"
    assert call("get_contact", contact_id=contact["id"]) == contact
    assert refused_code(call, "erase_contact", contact_id=new_id(), actor=ADMIN) == "CONTACT_NOT_FOUND"


def test_events_under_way_bring_nothing_back_when_the_contact_was_erased(
    visitor: Visitor, call: Call, announcer: Announcer, collector: Collector, stack: Stack, dead_letters: DeadLetters
) -> None:
    mark = f"mark{new_id()}"
    contact, other = visitor(), visitor()
    dead_letters.take("contacts")
    call("erase_contact", contact_id=contact["id"], actor=ADMIN)
    ids = {"contact_id": contact["id"], "conversation_id": "conv-1", "channel_id": "channel-1"}
    collect(announcer, contact["id"], "topic", mark)
    announcer.publish(
        "messaging", "ticket_wanted", ids | {"subject": mark, "description": mark}, entity=("conversation", "conv-1", 9)
    )
    met = ids | {"name": mark, "locale": "de", "time_zone": None, "at": "2030-01-01T00:00:00Z"}
    announcer.publish("messaging", "visitor_met", met, entity=("visitor", contact["id"], 2))
    collect(announcer, other["id"], "topic", "after")
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == other["id"])

    assert find_remains(stack.mongo("contacts"), mark) == []
    assert refused_code(call, "get_contact", contact_id=contact["id"]) == "CONTACT_NOT_FOUND"
    assert [e["type"] for e in collector.found(predicate=lambda e: e["contact_id"] == contact["id"])][-1] == "contact_erased"
    assert dead_letters.take("contacts") == []


def test_nothing_is_left_when_calls_write_while_the_contact_is_erased(visitor: Visitor, call: Call, stack: Stack) -> None:
    mark = f"mark{new_id()}"
    contact_id = visitor()["id"]
    note = call("create_note", contact_id=contact_id, text=mark, highlighted=True, actor=ANN)["id"]
    ticket = call("create_ticket", contact_id=contact_id, subject=mark, actor=ANN)["id"]

    def write(number: int) -> None:
        text = f"{mark} {number}"
        calls: list[tuple[str, dict[str, Any]]] = [
            ("create_note", {"contact_id": contact_id, "text": text, "highlighted": number % 2 == 0, "actor": ANN}),
            ("create_ticket", {"contact_id": contact_id, "subject": text, "actor": ANN}),
            ("create_comment", {"ticket_id": ticket, "text": text, "actor": ANN}),
            ("update_note", {"note_id": note, "changes": {"text": text, "highlighted": number % 3 == 0}, "actor": ANN}),
            ("update_ticket", {"ticket_id": ticket, "changes": {"subject": text}, "actor": ANN}),
            ("set_fields", {"contact_id": contact_id, "fields": {"topic": text}, "actor": BOT}),
            ("open_session", {"contact_id": contact_id, "channel_id": "channel-1", "page": {"url": text}}),
        ]
        for method, arguments in calls[number % 7 :] + calls[: number % 7]:
            with suppress(RemoteError):
                call(method, **arguments)

    def erase(_: int) -> dict[str, Any]:
        return call("erase_contact", contact_id=contact_id, actor=ADMIN)

    with ThreadPoolExecutor(10) as pool:
        writing = [pool.submit(write, number) for number in range(6)]
        answers = list(pool.map(erase, range(3)))
        writing += [pool.submit(write, number) for number in range(6, 12)]
        for one in writing:
            one.result()
    assert answers[0] == answers[1] == answers[2]
    wait_until(lambda: not find_remains(stack.mongo("contacts"), mark), what="an empty database")


def test_erasure_is_finished_by_itself_when_its_process_ended_in_the_midst(visitor: Visitor, call: Call, stack: Stack) -> None:
    mark = f"mark{new_id()}"
    contact_id = visitor()["id"]
    call("create_note", contact_id=contact_id, text=mark, actor=ANN)
    ticket = call("create_ticket", contact_id=contact_id, subject=mark, actor=ANN)["id"]
    call("create_comment", ticket_id=ticket, text=mark, actor=ANN)
    database = stack.mongo("contacts")
    # As it stands after the first of the two steps, a while ago.
    left = {"erased_at": now().replace(year=2025), "erased_by": {"kind": "agent", "id": "agent-adm"}, "erasing": True}
    database["contacts"].update_one({"_id": contact_id}, {"$set": left, "$unset": {"last_seen_at": ""}, "$inc": {"version": 1}})

    wait_until(lambda: not find_remains(database, mark), what="the end of the erasure")
    wait_until(lambda: database["contacts"].find_one({"_id": contact_id, "erasing": {"$exists": False}}), what="its mark gone")
    assert refused_code(call, "get_ticket", ticket_id=ticket) == "TICKET_NOT_FOUND"


def test_lists_pass_over_the_erased_without_reading_them(visitor: Visitor, call: Call, stack: Stack) -> None:
    channel = new_id()
    kept = visitor(channel_id=channel)["id"]
    for _ in range(10):
        gone = visitor(channel_id=channel)["id"]
        call("create_ticket", contact_id=gone, subject="x", actor=ANN)
        call("erase_contact", contact_id=gone, actor=ADMIN)
    ticket = call("create_ticket", contact_id=kept, subject="x", actor=ANN)["id"]
    database = stack.mongo("contacts")
    database.command("profile", 2)
    try:
        assert [contact["id"] for contact in call("list_contacts", channel_id=channel)["items"]] == [kept]
        assert [one["id"] for one in call("list_tickets", channel_id=channel, assignee_id="none")["items"]] == [ticket]
    finally:
        database.command("profile", 0)
    profiled = list(database["system.profile"].find({"op": {"$in": ["query", "command"]}, "docsExamined": {"$exists": True}}))
    database["system.profile"].drop()
    reads = {one["ns"].rpartition(".")[2]: one["docsExamined"] for one in profiled if channel in str(one["command"])}
    assert reads == {"contacts": 1, "tickets": 1}
