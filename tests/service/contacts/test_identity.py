"""Signed-in users of a website: one contact for each, whoever comes first, wherever, and at once with whom."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from tests.service.contacts.conftest import ADMIN, ANN, BOT, Call, Visitor
from tests.support.events import Collector
from tests.support.remains import find_remains
from tests.support.stack import Stack


def code(call: Call, method: str, **arguments: Any) -> str:
    with pytest.raises(RemoteError) as refused:
        call(method, **arguments)
    return refused.value.error_code


def stored(stack: Stack, channel: str, user: str) -> list[str]:
    """The ids of the contacts that are this user."""
    return [found["_id"] for found in stack.mongo("contacts")["contacts"].find({"channel_id": channel, "external_id": user})]


def test_user_is_the_same_contact_whatever_id_comes_along(visitor: Visitor, call: Call, collector: Collector) -> None:
    channel, user = new_id(), {"id": "Zoë 4711", "name": "Zoe", "email": "zoe@acme.test"}
    first = visitor(channel_id=channel, user=user)
    assert (first["external_id"], first["name"], first["email"], first["version"]) == ("Zoë 4711", "Zoe", "zoe@acme.test", 1)
    created = collector.wait_for("contact_created", lambda e: e["contact_id"] == first["id"])
    assert created["data"] == first

    stranger = visitor(channel_id=channel)
    for contact_id in (first["id"], stranger["id"], new_id()):
        again = call("open_session", contact_id=contact_id, channel_id=channel, user=user, ip="8.8.8.8")
        assert (again["id"], again["ip"]) == (first["id"], "8.8.8.8")
    untouched = call("get_contact", contact_id=stranger["id"])
    assert (untouched["external_id"], untouched["version"]) == (None, 1)
    others = [visitor(channel_id=new_id(), user=user)["id"], visitor(channel_id=channel, user={"id": "zoë 4711"})["id"]]
    assert first["id"] not in others


def test_visitor_becomes_a_user_with_all_that_is_known_of_them(visitor: Visitor, call: Call, collector: Collector) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel, ip="193.99.144.80")
    call("set_fields", contact_id=contact["id"], fields={"topic": "quote"}, actor=BOT)
    user = {"id": "u-1", "name": "Mia Lund", "phone": "030 123456"}
    become = call("open_session", contact_id=contact["id"], channel_id=channel, user=user)
    assert (become["id"], become["external_id"], become["fields"]) == (contact["id"], "u-1", {"topic": "quote"})
    assert (become["name"], become["name_source"], become["phone"]) == ("Mia Lund", "channel", "+4930123456")
    told = collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"] and e["data"]["external_id"] == "u-1")
    assert told["data"] == become
    entries = call("list_history", contact_id=contact["id"], limit=100)["items"]
    [entry] = [entry for entry in entries if entry["field"] == "external_id"]
    assert (entry["value"], entry["previous"], entry["by"]) == ("u-1", None, {"kind": "channel", "id": None, "name": None})
    assert (
        code(call, "update_contact", contact_id=contact["id"], changes={"external_id": "u-2"}, actor=ADMIN) == "FIELD_READ_ONLY"
    )
    assert [found["id"] for found in call("list_contacts", channel_id=channel, q="U-1")["items"]] == [contact["id"]]


@pytest.mark.parametrize(("user", "query"), [("12-34", "12-34"), ("#42", "#42"), ("mia@acme.test", "mia@acme.test"), ("a b c", "a b c"), ("3F0C-7E9A", "3f0c-7e9a"), ("--", "--"), ("用户7", "用户7"), ("x" * 200, "x" * 200)])  # fmt: skip
def test_user_is_found_by_the_websites_id(visitor: Visitor, call: Call, user: str, query: str) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel, user={"id": user})
    visitor(channel_id=channel)
    assert [found["id"] for found in call("list_contacts", channel_id=channel, q=query)["items"]] == [contact["id"]]


@pytest.mark.parametrize("user", [None, {"id": "u-2"}])
def test_users_contact_is_nobody_elses(visitor: Visitor, call: Call, user: dict[str, str] | None) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel, user={"id": "u-1"})
    visit = {"contact_id": contact["id"], "channel_id": channel, "ip": "8.8.8.8", "user": user}
    assert code(call, "open_session", **visit) == "CONTACT_NOT_FOUND"
    assert call("get_contact", contact_id=contact["id"]) == contact


def test_several_sessions_of_a_new_user_at_once_make_one_contact(call: Call, stack: Stack, collector: Collector) -> None:
    channel = new_id()
    stack.start_service("contacts", instance="contacts-2")

    def begin(number: int) -> dict[str, Any]:
        return call("open_session", contact_id=new_id(), channel_id=channel, user={"id": f"u-{number // 6}"})

    try:
        with ThreadPoolExecutor(12) as pool:
            begun = list(pool.map(begin, range(60)))
    finally:
        stack.services.pop("contacts-2").stop()
    ids = {contact["external_id"]: contact["id"] for contact in begun}
    assert [contact["id"] for contact in begun] == [ids[f"u-{number // 6}"] for number in range(60)]
    assert [stored(stack, channel, f"u-{number}") for number in range(10)] == [[ids[f"u-{number}"]] for number in range(10)]
    # Each once: a replica sends again what another has sent and not yet noted as sent.
    told = {event["id"]: event for event in collector.found("contact_created", lambda e: e["data"]["channel_id"] == channel)}
    made = [event["contact_id"] for event in told.values()]
    assert len(made) == len(set(made))


def test_one_of_two_users_gets_the_visitors_contact_when_both_come_with_it(visitor: Visitor, call: Call) -> None:
    channel = new_id()
    for _ in range(8):
        contact = visitor(channel_id=channel)

        def become(user: str, contact_id: str = contact["id"]) -> str:
            try:
                call("open_session", contact_id=contact_id, channel_id=channel, user={"id": user})
            except RemoteError as error:
                return error.error_code
            return user

        users = [new_id() for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(become, users))
        [winner] = [outcome for outcome in outcomes if outcome in users]
        assert outcomes.count("CONTACT_NOT_FOUND") == 3
        assert call("get_contact", contact_id=contact["id"])["external_id"] == winner


def test_user_is_one_contact_when_several_visitors_become_it_at_once(visitor: Visitor, call: Call, stack: Stack) -> None:
    channel, user = new_id(), new_id()
    visitors = [visitor(channel_id=channel)["id"] for _ in range(8)]

    def become(contact_id: str) -> str:
        return str(call("open_session", contact_id=contact_id, channel_id=channel, user={"id": user})["id"])

    with ThreadPoolExecutor(8) as pool:
        [one] = set(pool.map(become, visitors))
    assert one in visitors
    assert stored(stack, channel, user) == [one]


def test_user_is_turned_away_wherever_they_come_when_an_agent_blocked_them(visitor: Visitor, call: Call) -> None:
    channel, user = new_id(), {"id": "u-1", "name": "Mia"}
    contact = visitor(channel_id=channel, user=user)
    blocked = call("update_contact", contact_id=contact["id"], changes={"blocked": True}, actor=ANN)
    answered = call("open_session", contact_id=new_id(), channel_id=channel, user=user | {"name": "Other"}, ip="8.8.8.8")
    assert (answered["id"], answered["blocked"], answered["version"]) == (contact["id"], True, blocked["version"])


def test_blocked_visitor_does_not_become_a_user(visitor: Visitor, call: Call, stack: Stack) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel)
    blocked = call("update_contact", contact_id=contact["id"], changes={"blocked": True}, actor=ANN)
    answered = call("open_session", contact_id=contact["id"], channel_id=channel, user={"id": "u-1"})
    assert (answered["blocked"], answered["external_id"]) == (True, None)
    assert call("get_contact", contact_id=contact["id"]) == blocked
    assert stored(stack, channel, "u-1") == []


def test_erased_user_begins_anew_and_nothing_of_the_id_is_left(visitor: Visitor, call: Call, stack: Stack) -> None:
    channel, user = new_id(), {"id": f"user-{new_id()}", "email": "n/a"}
    contact = visitor(channel_id=channel, user=user)
    call("erase_contact", contact_id=contact["id"], actor=ADMIN)
    assert find_remains(stack.mongo("contacts"), user["id"]) == []
    assert code(call, "open_session", contact_id=contact["id"], channel_id=channel, user=user) == "CONTACT_NOT_FOUND"
    again = visitor(channel_id=channel, user=user)
    assert again["id"] != contact["id"]
    assert stored(stack, channel, user["id"]) == [again["id"]]


def test_users_are_erased_while_they_come_and_no_contact_is_made_twice(call: Call, stack: Stack) -> None:
    channel, user = new_id(), {"id": "u-1"}

    def come_or_erase(number: int) -> None:
        contact = call("open_session", contact_id=new_id(), channel_id=channel, user=user)
        if number % 3 == 0:
            call("erase_contact", contact_id=contact["id"], actor=ADMIN)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(come_or_erase, range(30)))
    assert len(stored(stack, channel, "u-1")) <= 1


def test_agents_values_stay_and_the_same_told_again_is_no_event(visitor: Visitor, call: Call, collector: Collector) -> None:
    channel, user = new_id(), {"id": "u-1", "name": "Mia Lund", "email": "mia@acme.test", "phone": "n/a"}
    contact = visitor(channel_id=channel, user=user)
    call("update_contact", contact_id=contact["id"], changes={"name": "Mia L.", "email": None}, actor=ANN)
    told = user | {"name": "Mia Berg", "email": "mia@new.test"}
    changed = call("open_session", contact_id=contact["id"], channel_id=channel, user=told)
    assert (changed["name"], changed["name_source"], changed["email"], changed["phone"]) == ("Mia L.", "agent", None, None)
    ignored = call("list_ignored", contact_id=contact["id"])["items"]
    assert [(record["field"], record["value"]) for record in ignored] == [
        ("email", "mia@new.test"),
        ("name", "Mia Berg"),
        ("phone", "n/a"),
    ]
    call("open_session", contact_id=contact["id"], channel_id=channel, user=told)
    assert call("list_ignored", contact_id=contact["id"])["items"] == ignored


def test_contact_of_an_earlier_version_shows_no_user_and_becomes_one(visitor: Visitor, call: Call, stack: Stack) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel)
    stack.mongo("contacts")["contacts"].update_one({"_id": contact["id"]}, {"$unset": {"external_id": 1}})
    assert call("get_contact", contact_id=contact["id"])["external_id"] is None
    become = call("open_session", contact_id=contact["id"], channel_id=channel, user={"id": "u-1"})
    assert (become["id"], become["external_id"]) == (contact["id"], "u-1")


@pytest.mark.parametrize(
    "user",
    [{}, {"id": ""}, {"id": "x" * 201}, {"id": "a\nb"}, {"id": 7}, {"id": "u", "name": "x" * 501}, {"id": "u", "hash": "0"}],
)
def test_session_is_refused_when_the_user_is_malformed(call: Call, user: dict[str, Any]) -> None:
    assert code(call, "open_session", contact_id=new_id(), channel_id="channel-1", user=user) == "VALIDATION_FAILED"


def test_page_of_a_user_is_told_by_the_user_alone(visitor: Visitor, call: Call) -> None:
    channel, page = new_id(), {"url": "https://acme.test/again"}
    contact = visitor(channel_id=channel)
    for more in ({}, {"user": True}):
        call("record_page", contact_id=contact["id"], page=page, **more)
    user = call("open_session", contact_id=contact["id"], channel_id=channel, user={"id": "u-1"})
    assert code(call, "record_page", contact_id=user["id"], page={"url": "https://acme.test/other"}) == "TOKEN_INVALID"
    assert call("get_contact", contact_id=user["id"])["version"] == user["version"]
    other = {"url": "https://acme.test/other"}
    assert call("record_page", contact_id=user["id"], page=other, user=True)["url"]["last"]["url"] == other["url"]
