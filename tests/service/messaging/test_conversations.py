from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.paging import encode_cursor
from tests.service.messaging.conftest import ADMIN, Messaging, announce_assignment
from tests.support.events import Announcer, Collector
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def test_newest_assignment_wins_when_events_arrive_out_of_order(messaging: Messaging, announcer: Announcer) -> None:
    _, conversation = messaging.begin()
    announce_assignment(announcer, conversation["id"], 2, "assigned", assignee={"id": "ben", "name": "Ben"})
    wait_until(lambda: messaging.conversation(conversation["id"])["assignee"] == {"id": "ben", "name": "Ben"})
    announce_assignment(announcer, conversation["id"], 1, "assigned", assignee={"id": "ann", "name": "Ann"})
    announce_assignment(announcer, conversation["id"], 3, "queued", queue_position=4, estimated_wait_seconds=90)
    wait_until(lambda: messaging.conversation(conversation["id"])["queue"])
    shown = messaging.conversation(conversation["id"])
    assert (shown["handler"], shown["assignee"]) == ("queue", None)
    assert shown["queue"] == {"position": 4, "estimated_wait_seconds": 90}


def test_folders_show_each_conversation_where_it_belongs(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    waiting, taken, archived = (messaging.begin(channel_id)[1]["id"] for _ in range(3))
    messaging.answer(taken, "Hello", agent="zoe")
    messaging.archive(archived)

    def listed(folder: str, **arguments: object) -> set[str]:
        page = messaging.call("list_conversations", folder=folder, channel_id=channel_id, viewer_id="zoe", **arguments)
        return {item["id"] for item in page["items"]}

    assert listed("unassigned") == {waiting}
    assert listed("assigned") == listed("mine") == {taken}
    assert listed("all") == {waiting, taken}
    assert listed("archived") == {archived}
    assert listed("all", agent_id="zoe") == {taken}
    assert listed("mine", agent_id="ann") == set()


def test_every_conversation_is_listed_once_when_paging(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    begun = [messaging.begin(channel_id)[1]["id"] for _ in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        page = messaging.call("list_conversations", channel_id=channel_id, limit=3, cursor=cursor)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(begun)
    assert len(seen) == 7


def test_conversations_are_found_by_name_and_by_what_was_said(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    word = f"zebra{new_id()[-8:]}"
    _, conversation = messaging.begin(channel_id, name=f"Mr {word}")
    messaging.begin(channel_id)
    other_id, other = messaging.begin(channel_id)
    messaging.say(other_id, f"I am looking for a {word} (big one)")

    def found(q: str) -> set[str]:
        return {item["id"] for item in messaging.call("list_conversations", channel_id=channel_id, q=q)["items"]}

    wait_until(lambda: found(word.upper()) == {conversation["id"], other["id"]})
    assert found(f"{word} (big") == {other["id"]}
    assert found(".*") == set()
    assert found('"') == set()


def test_unread_counts_what_the_visitor_wrote_since_the_marker(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin()
    for text in ("Ann", "no address", "still none"):
        messaging.say(contact_id, text)
    assert messaging.conversation(conversation["id"])["unread_count"] == 3
    marked = messaging.call("mark_read", conversation_id=conversation["id"], seq=5, actor=ADMIN)
    assert (marked["unread_count"], marked["read_seq"]) == (1, 5)
    assert messaging.call("mark_read", conversation_id=conversation["id"], seq=3, actor=ADMIN)["read_seq"] == 5
    messaging.answer(conversation["id"], "Hello")
    assert messaging.conversation(conversation["id"])["unread_count"] == 0


def test_messages_page_in_both_directions(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin(messaging.new_channel(flow=None))
    for number in range(7):
        messaging.say(contact_id, str(number))
    assert [m["seq"] for m in messaging.messages(conversation["id"], limit=3)] == [5, 6, 7]
    assert [m["seq"] for m in messaging.messages(conversation["id"], before_seq=5, limit=3)] == [2, 3, 4]
    assert [m["seq"] for m in messaging.messages(conversation["id"], after_seq=5)] == [6, 7]
    page = messaging.call("list_messages", conversation_id=conversation["id"], after_seq=0, limit=4)
    rest = messaging.call("list_messages", conversation_id=conversation["id"], cursor=page["next_cursor"], limit=4)
    assert [m["seq"] for m in page["items"] + rest["items"]] == list(range(1, 8))
    assert rest["next_cursor"] is None
    older = messaging.call("list_messages", conversation_id=conversation["id"], limit=4)["next_cursor"]
    assert [m["seq"] for m in messaging.messages(conversation["id"], cursor=older)] == [1, 2, 3]


def test_second_open_conversation_is_refused_when_an_archived_one_is_reopened(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin()
    messaging.say(contact_id, "Ann")
    messaging.archive(conversation["id"])
    archived = messaging.conversation(conversation["id"])
    assert archived["archived_by"] == {"kind": "agent", "id": "admin", "name": "Ada"}
    reopened = messaging.call("set_status", conversation_id=conversation["id"], status="open", actor=ADMIN)
    assert (reopened["status"], reopened["archived_by"]) == ("open", None)
    messaging.archive(conversation["id"])
    messaging.say(contact_id, "Again")
    with pytest.raises(DomainError) as refused:
        messaging.call("set_status", conversation_id=conversation["id"], status="open", actor=ADMIN)
    assert refused.value.error_code == "CONVERSATION_OPEN_ELSEWHERE"


def test_typing_is_told_and_not_stored(messaging: Messaging, collector: Collector) -> None:
    _, conversation = messaging.begin()
    version = messaging.conversation(conversation["id"])["version"]
    messaging.call("signal_typing", conversation_id=conversation["id"], typing=True, actor=ADMIN)
    event = collector.wait_for("typing_signalled", lambda e: e["data"]["conversation_id"] == conversation["id"])
    assert event["data"]["author"]["name"] == "Ada"
    assert messaging.conversation(conversation["id"])["version"] == version


def test_blocked_visitors_typing_is_refused(
    messaging: Messaging, announcer: Announcer, collector: Collector, stack: Stack
) -> None:
    contact_id, conversation = messaging.begin()
    visitor = {"kind": "visitor", "id": contact_id, "name": None, "role": None}

    def type_as(actor: dict[str, Any]) -> None:
        messaging.call("signal_typing", conversation_id=conversation["id"], typing=True, actor=actor)

    type_as(visitor)
    contact = {"id": contact_id, "channel_id": messaging.channel_id, "name": "Otter", "name_source": "generated", "blocked": True}
    contact |= {"email": None, "phone": None, "fields": {}}
    announcer.publish("contacts", "contact_updated", contact, entity=("contact", contact_id, 5), contact_id=contact_id)
    wait_until(lambda: (stack.mongo("messaging").contacts.find_one({"_id": contact_id}) or {}).get("blocked"))
    with pytest.raises(DomainError) as refused:
        type_as(visitor)
    assert refused.value.error_code == "CONTACT_BLOCKED"
    type_as(ADMIN)

    def is_here(event: dict[str, Any]) -> bool:
        return bool(event["data"].get("conversation_id") == conversation["id"])

    collector.wait_for("typing_signalled", lambda e: is_here(e) and e["data"]["author"]["kind"] == "agent")
    told = [e["data"]["author"]["kind"] for e in collector.found("typing_signalled", is_here)]
    assert told == ["visitor", "agent"]


def test_new_name_reaches_open_and_archived_conversations_when_the_contact_is_renamed(
    messaging: Messaging, announcer: Announcer, collector: Collector
) -> None:
    contact_id, first = messaging.begin()
    messaging.archive(first["id"])
    second = messaging.say(contact_id, "Hello")["conversation_id"]
    contact = {"id": contact_id, "channel_id": messaging.channel_id, "name": "Ann Lee", "name_source": "agent", "blocked": False}
    contact |= {"email": None, "phone": None, "fields": {}}
    announcer.publish("contacts", "contact_updated", contact, entity=("contact", contact_id, 4), times=2)
    wait_until(lambda: {messaging.conversation(one)["contact"]["name"] for one in (first["id"], second)} == {"Ann Lee"})
    collector.wait_for(
        "conversation_updated", lambda e: e["entity"]["id"] == second and e["data"]["contact"]["name"] == "Ann Lee"
    )


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("get_conversation", {"conversation_id": "nope"}, "CONVERSATION_NOT_FOUND"),
        ("get_conversation", {"conversation_id": "no pe"}, "VALIDATION_FAILED"),
        ("get_conversation", {"conversation_id": {"$ne": 1}}, "VALIDATION_FAILED"),
        ("get_channel", {"channel_id": "nope"}, "CHANNEL_NOT_FOUND"),
        ("get_contact_conversation", {"contact_id": "nope"}, "CONVERSATION_NOT_FOUND"),
        ("list_conversations", {"folder": "secret"}, "VALIDATION_FAILED"),
        ("list_conversations", {"folder": "mine"}, "VALIDATION_FAILED"),
        ("list_conversations", {"limit": 101}, "VALIDATION_FAILED"),
        ("list_conversations", {"cursor": "garbage"}, "CURSOR_INVALID"),
        ("list_conversations", {"cursor": encode_cursor("t:0001-01-01T00:00:00+23:59", "x")}, "CURSOR_INVALID"),
        ("list_conversations", {"q": "\x00"}, "VALIDATION_FAILED"),
        ("post_visitor_message", {"contact_id": "c", "client_message_id": "k"}, "VALIDATION_FAILED"),
        ("post_visitor_message", {"contact_id": "c", "text": "x" * 10_001, "client_message_id": "k"}, "VALIDATION_FAILED"),
        ("post_visitor_message", {"contact_id": "c", "text": "x", "client_message_id": "has blank"}, "VALIDATION_FAILED"),
        ("create_channel", {"kind": "fax", "name": "x", "actor": ADMIN}, "VALIDATION_FAILED"),
    ],
)
def test_call_is_refused_precisely_when_it_is_wrong(
    messaging: Messaging, method: str, arguments: dict[str, object], code: str
) -> None:
    with pytest.raises(DomainError) as refused:
        messaging.call(method, **arguments)
    assert refused.value.error_code == code


def test_newest_contact_wins_when_its_versions_are_followed_at_once(
    messaging: Messaging, announcer: Announcer, stack: Stack
) -> None:
    contacts = [new_id() for _ in range(30)]
    for contact_id in contacts:
        for version in (1, 2, 3):
            contact = {"id": contact_id, "channel_id": "c", "name": f"v{version}", "name_source": "agent", "blocked": False}
            contact |= {"email": None, "phone": None, "fields": {}}
            announcer.publish("contacts", "contact_updated", contact, entity=("contact", contact_id, version))
    kept = stack.mongo("messaging").contacts
    wait_until(lambda: kept.count_documents({"_id": {"$in": contacts}, "name": "v3"}) == len(contacts))


def test_listing_of_names_reads_only_what_must_change(messaging: Messaging, stack: Stack) -> None:
    """Visitors who are counted change their channel, time and again: that may not read all its conversations. Nor may a renaming."""
    for field in ("channel", "assignee"):
        query = {f"{field}.id": "x", f"{field}.name": {"$ne": "y"}}
        plan = str(stack.mongo("messaging").conversations.find(query).explain()["queryPlanner"]["winningPlan"])
        assert f"{field}.id_1_{field}.name_1" in plan
