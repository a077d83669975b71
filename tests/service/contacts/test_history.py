"""The history of a contact's values over RPC, and the pages of a running visit."""

from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from tests.service.contacts.conftest import ANN, BOT, CHROME, Call, Visitor
from tests.support.events import Announcer, Collector
from tests.support.stack import Stack


def all_pages(call: Call, contact_id: str, limit: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = call("list_history", contact_id=contact_id, limit=limit, cursor=cursor)
        entries += answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return entries


def test_history_tells_who_set_each_value_and_when(
    visitor: Visitor, call: Call, announcer: Announcer, collector: Collector
) -> None:
    contact = visitor(ip="193.99.144.80", locale="de", time_zone="Europe/Berlin", user_agent=CHROME)
    conversation = new_id()
    data = {
        "contact_id": contact["id"],
        "conversation_id": conversation,
        "channel_id": "channel-1",
        "field": "name",
        "value": "Bo",
    }
    announcer.publish("messaging", "field_collected", data, entity=("conversation", conversation, 3), times=2)
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"])
    call("set_fields", contact_id=contact["id"], fields={"topic": "quote"}, actor=BOT)
    call("set_fields", contact_id=contact["id"], fields={"topic": None, "email": "b@c.test"}, actor=BOT)
    call("update_contact", contact_id=contact["id"], changes={"name": "Bob", "email": "d@e.test", "blocked": True}, actor=ANN)

    entries = all_pages(call, contact["id"], 4)
    assert entries == all_pages(call, contact["id"], 100)
    assert [entry["at"] for entry in entries] == sorted((entry["at"] for entry in entries), reverse=True)
    told = {(entry["field"], entry["value"] if entry["field"] != "country" else "DE", entry["by"]["kind"]) for entry in entries}
    assert told == {
        ("name", contact["name"], "system"),
        ("ip", "193.99.144.80", "system"),
        ("country", "DE", "system"),
        ("locale", "de", "system"),
        ("time_zone", "Europe/Berlin", "system"),
        ("browser", "Chrome 126", "system"),
        ("platform", "Windows 10", "system"),
        ("name", "Bo", "bot"),
        ("fields.topic", "quote", "bot"),
        ("fields.topic", None, "bot"),
        ("email", "b@c.test", "bot"),
        ("name", "Bob", "agent"),
        ("email", "d@e.test", "agent"),
        ("blocked", True, "agent"),
    }
    assert len(entries) == len(told)
    collected = next(entry for entry in entries if entry["value"] == "Bo")
    assert (collected["previous"], collected["conversation_id"]) == (contact["name"], conversation)
    by_hand = next(entry for entry in entries if entry["value"] == "d@e.test")
    assert by_hand["by"] == {"kind": "agent", "id": "agent-ann", "name": "Ann"}
    assert (by_hand["previous"], by_hand["conversation_id"]) == ("b@c.test", None)
    assert by_hand.keys() == {"id", "field", "value", "previous", "by", "at", "conversation_id"}


def test_history_keeps_its_newest_five_hundred_changes(visitor: Visitor, call: Call, stack: Stack) -> None:
    contact = visitor()
    for number in range(6):
        fields = {f"f{n}": f"{number}-{n}" for n in range(90)}
        call("set_fields", contact_id=contact["id"], fields=fields, actor=BOT)
    entries = all_pages(call, contact["id"], 100)
    assert len(entries) == 500
    assert entries[0]["value"].startswith("5-")
    assert not any(entry["field"] == "name" for entry in entries)
    stored = stack.mongo("contacts")["contacts"].find_one({"_id": contact["id"]})
    assert stored is not None
    assert len(stored["history"]) == 500


def test_history_of_an_unknown_contact_is_not_found(call: Call) -> None:
    with pytest.raises(RemoteError) as refused:
        call("list_history", contact_id=new_id())
    assert refused.value.error_code == "CONTACT_NOT_FOUND"


def test_page_of_a_running_visit_is_added_to_the_visited_ones(visitor: Visitor, call: Call, collector: Collector) -> None:
    contact = visitor(page={"url": "https://acme.test/"}, ip="8.8.8.8")
    page = {"url": "https://acme.test/prices?utm_source=news", "title": "Prices", "referrer": "https://acme.test/"}
    after = call("record_page", contact_id=contact["id"], page=page)

    whole = call("get_contact", contact_id=contact["id"])
    assert [one["url"] for one in whole["url"].pop("pages")] == ["https://acme.test/", page["url"]]
    assert whole == after
    assert after["url"]["page_count"] == 2
    assert (after["url"]["last"]["title"], after["url"]["last"]["campaign"]["source"]) == ("Prices", "news")
    assert after["url"]["first"] == contact["url"]["first"]
    assert after["last_seen_at"] >= contact["last_seen_at"]
    assert (after["ip"], after["version"]) == (contact["ip"], 2)
    assert collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"])["data"] == after
    assert all(entry["field"] != "url" for entry in all_pages(call, contact["id"], 100))


@pytest.mark.parametrize("page", [{"url": None}, {"url": ""}, {"title": "no address"}])
def test_page_without_an_address_only_shows_that_the_visitor_is_there(visitor: Visitor, call: Call, page: dict[str, Any]) -> None:
    contact = visitor(page={"url": "https://acme.test/"})
    assert call("record_page", contact_id=contact["id"], page=page)["url"] == contact["url"]


def test_page_is_refused_when_there_is_no_such_contact(call: Call) -> None:
    with pytest.raises(RemoteError) as refused:
        call("record_page", contact_id=new_id(), page={"url": "https://acme.test/"})
    assert refused.value.error_code == "CONTACT_NOT_FOUND"
