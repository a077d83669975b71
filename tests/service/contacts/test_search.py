"""Listing and searching contacts, a page at a time, each by an index."""

from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from tests.service.contacts.conftest import ADMIN, ANN, BOT, Call, Visitor
from tests.support.stack import Stack


def ids(answer: dict[str, Any]) -> list[str]:
    return [contact["id"] for contact in answer["items"]]


def test_contacts_are_listed_last_seen_first_a_page_at_a_time(visitor: Visitor, call: Call) -> None:
    channel = new_id()
    made = [visitor(channel_id=channel)["id"] for _ in range(7)]
    call("open_session", contact_id=made[0], channel_id=channel)
    found: list[str] = []
    cursor = None
    sizes = []
    while True:
        answer = call("list_contacts", channel_id=channel, limit=3, cursor=cursor)
        found += ids(answer)
        sizes.append(len(answer["items"]))
        cursor = answer["next_cursor"]
        if cursor is None:
            break

    assert sizes == [3, 3, 1]
    assert set(found) == set(made)
    assert len(found) == 7
    assert found[0] == made[0]
    seen = [call("get_contact", contact_id=contact_id)["last_seen_at"] for contact_id in found]
    assert seen == sorted(seen, reverse=True)


def test_no_contact_comes_twice_when_one_returns_between_two_pages(visitor: Visitor, call: Call) -> None:
    channel = new_id()
    made = [visitor(channel_id=channel)["id"] for _ in range(6)]
    first = call("list_contacts", channel_id=channel, limit=3)
    call("open_session", contact_id=first["items"][0]["id"], channel_id=channel)
    second = call("list_contacts", channel_id=channel, limit=3, cursor=first["next_cursor"])
    assert sorted(ids(first) + ids(second)) == sorted(made)


@pytest.mark.parametrize("query", ["zoë", "ZOE", "mull", "müller-lüd", "ludenscheid", "zoe mul", "zoe.m@", "zoe.m@acme-", "acme-tools", "Mueller@", "+49 30 9876", "0049 30 9876", "030 9876", "30987", "  zoe  "])  # fmt: skip
def test_contact_is_found_by_the_beginnings_of_its_words(visitor: Visitor, call: Call, query: str) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel)
    other = visitor(channel_id=channel)
    fields = {"name": "Zoë Müller-Lüdenscheid", "email": "Zoe.M@acme-tools.test", "phone": "+49 30 987654"}
    call("update_contact", contact_id=contact["id"], changes=fields, actor=ANN)
    call("update_contact", contact_id=other["id"], changes={"name": "Someone Else"}, actor=ANN)

    expected = [] if query == "Mueller@" else [contact["id"]]
    assert ids(call("list_contacts", channel_id=channel, q=query)) == expected
    assert contact["id"] in ids(call("list_contacts", q=query, limit=100)) or not expected


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("Lund, Mia", "mia, (lund)"),
        ("王小明", "小明"),
        ("Ann O'Neil-Smith", "neil-smith"),
        ("한글이름", "글이름"),
        ("Ann", "@acme-tools.test"),
    ],
)
def test_contact_is_found_by_what_stands_inside_its_words(visitor: Visitor, call: Call, name: str, query: str) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel)
    visitor(channel_id=channel)
    call("update_contact", contact_id=contact["id"], changes={"name": name, "email": "ann@acme-tools.test"}, actor=ANN)
    assert ids(call("list_contacts", channel_id=channel, q=query)) == [contact["id"]]


def test_old_name_finds_nothing_when_it_was_changed(visitor: Visitor, call: Call) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel)
    generated = contact["name"]
    assert ids(call("list_contacts", channel_id=channel, q=generated)) == [contact["id"]]
    call("set_fields", contact_id=contact["id"], fields={"name": "Xaver"}, actor=BOT)
    assert ids(call("list_contacts", channel_id=channel, q=generated)) == []
    assert ids(call("list_contacts", channel_id=channel, q="xav")) == [contact["id"]]


@pytest.mark.parametrize("query", [".*", "^", "(", "\\", "$where", "a|b", "", "   ", "\u0301"])
def test_query_is_text_and_never_a_pattern(visitor: Visitor, call: Call, query: str) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel)
    assert ids(call("list_contacts", channel_id=channel, q=query)) == ([contact["id"]] if not query.strip(" \u0301") else [])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"cursor": "nonsense"}, "CURSOR_INVALID"),
        ({"cursor": "WzEsMl0"}, "CURSOR_INVALID"),
        ({"limit": 0}, "VALIDATION_FAILED"),
        ({"limit": 101}, "VALIDATION_FAILED"),
        ({"limit": "5"}, "VALIDATION_FAILED"),
        ({"q": "x" * 201}, "VALIDATION_FAILED"),
        ({"colour": "red"}, "VALIDATION_FAILED"),
    ],
)
def test_listing_is_refused_when_its_arguments_are_wrong(call: Call, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(RemoteError) as refused:
        call("list_contacts", **arguments)
    assert refused.value.error_code == code


def test_every_listing_uses_an_index_when_scans_are_forbidden(visitor: Visitor, call: Call, stack: Stack) -> None:
    contact = visitor(channel_id="indexed")
    admin = stack.mongo("contacts").client.admin
    admin.command({"setParameter": 1, "notablescan": True})
    try:
        for filters in (
            {},
            {"channel_id": "indexed"},
            {"q": "zoe"},
            {"q": "(zoe), 小明"},
            {"q": "zoe m", "channel_id": "indexed"},
        ):
            first = call("list_contacts", **filters, limit=1)
            if first["next_cursor"]:
                call("list_contacts", **filters, limit=1, cursor=first["next_cursor"])
        for contact_id in (contact["id"], new_id()):  # who becomes a user, and who is one
            call("open_session", contact_id=contact_id, channel_id="indexed", user={"id": "user-7"})
        call("list_notes", contact_id=contact["id"])
        call("list_tickets", contact_id=contact["id"])
        call("list_tickets", contact_id=contact["id"], status="open")
        call("create_note", contact_id=contact["id"], text="x", highlighted=True, actor=ANN)
        channel, agent = {"channel_id": "indexed"}, {"assignee_id": "agent-ben"}
        for filters in ({}, {"status": "open"}, channel, agent, {"assignee_id": "none"}, channel | agent | {"status": "open"}):
            first = call("list_tickets", **filters, limit=1)
            if first["next_cursor"]:
                call("list_tickets", **filters, limit=1, cursor=first["next_cursor"])
        ticket = call(
            "create_ticket", contact_id=contact["id"], subject="x", assignee={"id": "agent-ben", "name": "Ben"}, actor=ANN
        )
        call("create_comment", ticket_id=ticket["id"], text="x", actor=ANN)
        call("list_comments", ticket_id=ticket["id"])
        call("list_history", contact_id=contact["id"])
        call("erase_contact", contact_id=contact["id"], actor=ADMIN)
    finally:
        admin.command({"setParameter": 1, "notablescan": False})
