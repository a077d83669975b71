"""A channel's flow and its versions."""

import threading
from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.times import now
from services.messaging.store import MessagingStore
from tests.service.messaging.conftest import ADMIN, NEVER_OPEN, Messaging
from tests.support.events import Announcer, Collector
from tests.support.stack import Stack
from tests.support.waiting import wait_until
from tests.unit.messaging.flows import ACME

ADA = {"kind": "agent", "id": "admin", "name": "Ada"}


def saying(text: str) -> dict[str, Any]:
    return {"start": "a", "blocks": {"a": {"type": "message", "text": text, "next": None}}}


def put(messaging: Messaging, channel_id: str, text: str, **more: Any) -> Any:
    return messaging.call("put_flow", channel_id=channel_id, flow=saying(text), actor=ADMIN, **more)


def versions(messaging: Messaging, channel_id: str, **more: Any) -> list[Any]:
    listed: list[Any] = messaging.call("list_flow_versions", channel_id=channel_id, **more)["items"]
    return listed


def test_every_version_can_be_read_when_a_flow_was_replaced(messaging: Messaging, collector: Collector) -> None:
    channel_id = messaging.new_channel(flow=None)
    assert messaging.call("get_channel", channel_id=channel_id)["flow_version"] is None
    assert messaging.call("get_flow", channel_id=channel_id) == dict.fromkeys(("flow", "version", "created_at", "created_by"))
    assert [put(messaging, channel_id, text)["flow_version"] for text in ("One", "Two")] == [1, 2]
    collector.wait_for("channel_updated", lambda e: e["data"]["id"] == channel_id and e["data"]["flow_version"] == 2)
    first, active = (messaging.call("get_flow", channel_id=channel_id, **which) for which in ({"version": 1}, {}))
    assert (first["flow"], first["version"], first["created_by"]) == (saying("One"), 1, ADA)
    assert (active["flow"], active["version"]) == (saying("Two"), 2)
    listed = versions(messaging, channel_id)
    assert [(item["version"], item["active"], item["block_count"]) for item in listed] == [(2, True, 1), (1, False, 1)]
    assert listed[1] == {name: first[name] for name in ("version", "created_at", "created_by")} | {
        "active": False,
        "block_count": 1,
    }
    with pytest.raises(DomainError) as refused:
        messaging.call("get_flow", channel_id=channel_id, version=3)
    assert refused.value.error_code == "FLOW_NOT_FOUND"


def test_versions_are_listed_page_by_page_newest_first(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    for number in range(5):
        put(messaging, channel_id, str(number))
    found, cursor = [], None
    while True:
        listed = messaging.call("list_flow_versions", channel_id=channel_id, cursor=cursor, limit=2)
        found += [item["version"] for item in listed["items"]]
        if (cursor := listed["next_cursor"]) is None:
            break
    assert found == [5, 4, 3, 2, 1]


def test_no_version_is_made_when_the_active_flow_is_put_again(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    first = put(messaging, channel_id, "One")
    assert put(messaging, channel_id, "One") == first
    assert put(messaging, channel_id, "One", expected_version=7) == first  # the repeat of a put whose answer was lost
    assert len(versions(messaging, channel_id)) == 1


def test_version_is_made_when_the_flow_differs_by_the_kind_of_a_value_alone(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    for version, value in enumerate((True, 1, 1.0, 1.0, "1"), 1):
        flow = {"start": "a", "blocks": {"a": {"type": "set", "field": "vip", "value": value, "next": None}}}
        channel = messaging.call("put_flow", channel_id=channel_id, flow=flow, actor=ADMIN)
        assert channel["flow_version"] == (version if version < 4 else version - 1)
        kept = messaging.call("get_flow", channel_id=channel_id)["flow"]["blocks"]["a"]["value"]
        assert (kept, type(kept)) == (value, type(value))


def test_flow_is_kept_when_another_was_expected(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    for text, expected in (("One", 0), ("Two", 1)):
        put(messaging, channel_id, text, expected_version=expected)
    for stale in (0, 1):
        with pytest.raises(DomainError) as refused:
            put(messaging, channel_id, "Three", expected_version=stale)
        assert (refused.value.error_code, refused.value.data) == ("FLOW_CHANGED", {"flow_version": 2})
    assert messaging.call("get_flow", channel_id=channel_id)["flow"] == saying("Two")


@pytest.mark.usefixtures("second_replica")
def test_one_of_many_wins_when_all_put_over_the_same_version(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    outcomes: list[Any] = []

    def put_mine(text: str, **more: Any) -> None:
        try:
            outcomes.append(put(messaging, channel_id, text, **more)["flow_version"])
        except DomainError as error:
            outcomes.append(error.error_code)

    def race(**more: Any) -> list[Any]:
        outcomes.clear()
        writers = [threading.Thread(target=put_mine, args=(new_id(),), kwargs=more) for _ in range(6)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        return sorted(outcomes, key=str)

    assert race(expected_version=0) == [1, *["FLOW_CHANGED"] * 5]
    assert race() == [2, 3, 4, 5, 6, 7]
    assert [item["version"] for item in versions(messaging, channel_id)] == [7, 6, 5, 4, 3, 2, 1]


def test_bot_is_silent_in_new_conversations_when_the_flow_was_deleted(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    contact_id, begun = messaging.begin(channel_id)
    assert begun["bot"] == {"flow_version": 1, "block": "name", "resumes_at": None}
    for _ in range(2):
        channel = messaging.call("delete_flow", channel_id=channel_id, actor=ADMIN)
        assert (channel["has_flow"], channel["flow_version"]) == (False, None)
    assert messaging.call("get_flow", channel_id=channel_id)["flow"] is None
    _, silent = messaging.begin(channel_id)
    assert (silent["last_seq"], silent["handler"], silent["bot"]["flow_version"]) == (0, "bot", None)
    messaging.say(contact_id, "Ann")
    assert messaging.conversation(begun["id"])["bot"]["block"] == "email"
    assert put(messaging, channel_id, "Back")["flow_version"] == 2


def test_every_problem_is_said_without_putting_when_a_flow_is_checked(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    assert messaging.call("check_flow", channel_id=channel_id, flow=ACME) == {"valid": True, "problems": []}
    broken = {"start": "a", "blocks": {"a": {"type": "message", "text": "x", "next": "gone"}, "b": {"type": "message"}}}
    checked = messaging.call("check_flow", channel_id=channel_id, flow=broken)
    assert checked["valid"] is False
    assert {"place": "blocks.a.next", "message": "There is no block gone."} in checked["problems"]
    assert {problem["place"] for problem in checked["problems"]} >= {"blocks.b.text", "blocks.b.next"}
    assert messaging.call("get_channel", channel_id=channel_id)["has_flow"] is False


def test_flow_is_tried_out_without_a_conversation_when_it_is_simulated(messaging: Messaging, stack: Stack) -> None:
    channel_id = messaging.new_channel()
    inputs = [{"text": "Ann"}, {"text": "ann@example.org"}, {"choice": "looking"}, {"text": "too late"}]
    shown = messaging.call("simulate_flow", channel_id=channel_id, inputs=inputs)
    assert (shown["state"], shown["unused_inputs"]) == ("closed", 1)
    assert shown["fields"] == {"name": "Ann", "email": "ann@example.org", "topic": "looking"}
    assert shown["transcript"][0] | {"block": None} == {
        "author": "bot",
        "text": "Hi, I am the Acme bot.",
        "choices": None,
        "block": None,
    }
    assert stack.mongo("messaging").conversations.count_documents({"channel.id": channel_id}) == 0


def test_simulation_knows_hours_and_agents_as_they_are_unless_it_is_told(
    messaging: Messaging, announcer: Announcer, stack: Stack
) -> None:
    agent_id = new_id()
    there = {"on": "agents", "is": "available", "agents": [agent_id], "team": None}
    cases = [
        {"if": {"on": "business_hours", "is": "closed"}, "next": "closed"},
        {"if": there, "next": "there"},
        {"if": {"on": "country", "is": "one_of", "value": ["DE"]}, "next": "german"},
    ]
    names = ("closed", "there", "german", "nobody")
    blocks = {name: {"type": "message", "text": name, "next": None} for name in names}
    flow = {"start": "a", "blocks": blocks | {"a": {"type": "condition", "cases": cases, "else": "nobody"}}}
    channel_id = messaging.new_channel(flow=None)

    def outcome(**assumed: Any) -> str:
        shown = messaging.call("simulate_flow", channel_id=channel_id, flow=flow, inputs=[], **assumed)
        return str(next(line["text"] for line in shown["transcript"] if line["author"] == "bot"))

    assert outcome() == "nobody"
    assert outcome(contact={"country": "de"}) == "german"
    assert (outcome(open=False), outcome(available=True)) == ("closed", "there")
    agent = {"id": agent_id, "name": "Ann", "active": True, "connected": True, "availability": "available"}
    agent |= {"capacity": 2, "active_conversations": 1}
    announcer.publish("presence", "agent_updated", agent, entity=("agent", agent_id, 1))
    wait_until(lambda: stack.mongo("messaging").agents.find_one({"_id": agent_id}))
    assert (outcome(), outcome(available=False)) == ("there", "nobody")
    messaging.change(channel_id, business_hours=NEVER_OPEN)
    assert (outcome(), outcome(open=True)) == ("closed", "there")


def test_simulation_is_refused_when_there_is_no_flow_to_play_or_a_broken_one(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"inputs": []}, "FLOW_NOT_FOUND"),
        ({"inputs": [], "flow": {"start": "a", "blocks": {"a": {"type": "goto", "next": "a"}}}}, "INVALID_FLOW"),
        ({"inputs": [{"text": "a", "choice": "b"}]}, "VALIDATION_FAILED"),
        ({"inputs": [{"text": "a"}] * 101}, "VALIDATION_FAILED"),
        ({"inputs": [], "contact": {"fields": {"a": [1]}}}, "VALIDATION_FAILED"),
        ({"inputs": [], "contact": {"fields": {"a": 2**60}}}, "VALIDATION_FAILED"),
        ({"inputs": [], "contact": {"fields": {"a": "x" * 2_001}}}, "VALIDATION_FAILED"),
        ({"inputs": [], "contact": {"country": "Germany"}}, "VALIDATION_FAILED"),
    ]
    for arguments, code in refusals:
        with pytest.raises(DomainError) as refused:
            messaging.call("simulate_flow", channel_id=channel_id, **arguments)
        assert refused.value.error_code == code


def test_flows_get_their_numbers_when_they_were_kept_before_there_were_versions(
    messaging: Messaging, store: MessagingStore
) -> None:
    channel_id = messaging.new_channel(flow=None)
    kept = [{"_id": new_id(), "channel_id": channel_id, "flow": saying(text), "created_at": now()} for text in ("One", "Two")]
    store.database.flows.insert_many(kept)
    old = {"$set": {"flow_id": kept[1]["_id"]}, "$unset": {"flow_version": "", "last_flow_version": ""}}
    store.database.channels.update_one({"_id": channel_id}, old)
    for _ in range(2):
        store.ensure_indexes()
        assert [(item["version"], item["active"]) for item in versions(messaging, channel_id)] == [(2, True), (1, False)]
    assert put(messaging, channel_id, "Three")["flow_version"] == 3


def test_first_problems_are_told_when_a_flow_is_full_of_nonsense(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    nonsense: dict[str, Any] = {"type": "condition", "cases": [{"if": {"all": [{}] * 50}, "next": None}] * 20, "else": None}
    flow = {"start": "b0", "blocks": {f"b{number}": nonsense for number in range(70)}}
    checked = messaging.call("check_flow", channel_id=channel_id, flow=flow)
    assert len(checked["problems"]) == 70
    tests: dict[str, Any] = {"type": "condition", "cases": [{"if": {"all": [{}] * 50}, "next": None}], "else": None}
    many = {"start": "b0", "blocks": {f"b{number}": tests for number in range(70)}}
    listed = messaging.call("check_flow", channel_id=channel_id, flow=many)["problems"]
    assert len(listed) == 501
    assert {"place": "blocks", "message": "More is wrong than these 500 problems."} in listed


def test_human_is_asked_and_the_post_is_answered_when_a_turn_would_be_larger_than_a_document(messaging: Messaging) -> None:
    said = {f"m{n}": {"type": "message", "text": "{a}" * 5, "next": f"m{n + 1}" if n < 400 else None} for n in range(401)}
    asked = {"type": "question", "kind": "text", "field": "z", "text": "?", "next": "s"}
    large = {"type": "set", "field": "a", "value": "\U0001f600" * 2_000, "next": "m0"}
    channel_id = messaging.new_channel(flow={"start": "q", "blocks": {"q": asked, "s": large} | said})
    contact_id, begun = messaging.begin(channel_id)
    messaging.say(contact_id, "Hello")
    assert messaging.conversation(begun["id"])["handler"] == "queue"
    texts = [message["text"] for message in messaging.messages(begun["id"])]
    assert texts == ["?", "Hello", "A colleague will be right with you."]
