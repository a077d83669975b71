from datetime import timedelta

import pytest

from services.common.errors import DomainError
from services.common.times import from_wire, now
from tests.service.messaging.conftest import ADMIN, NEVER_OPEN, Messaging
from tests.support.events import Collector
from tests.support.stack import Stack
from tests.support.waiting import wait_until

OFFICE = {"time_zone": "Europe/Berlin", "weekly": {"monday": [["09:00", "12:30"], ["13:00", "24:00"]]}}


def test_first_channel_is_answered_when_its_creation_is_repeated(messaging: Messaging) -> None:
    arguments = {"kind": "web", "name": "Idem", "allowed_origins": [], "actor": ADMIN, "idempotency_key": "once-only"}
    first = messaging.call("create_channel", **arguments)
    defaults = {"business_hours": None, "reassignment": {"unanswered_after_seconds": 300}}
    assert messaging.call("create_channel", **arguments) == messaging.call("create_channel", **arguments, **defaults) == first
    others = {"name": "Other"}, {"business_hours": OFFICE}, {"reassignment": {"unanswered_after_seconds": None}}
    for other in others:
        with pytest.raises(DomainError) as refused:
            messaging.call("create_channel", **(arguments | other))
        assert refused.value.error_code == "IDEMPOTENCY_KEY_REUSED"


def test_channel_keeps_its_hours_and_times_when_only_others_are_changed(messaging: Messaging, collector: Collector) -> None:
    channel_id = messaging.new_channel(business_hours=OFFICE, reassignment={"disconnected_after_seconds": None})
    created = messaging.call("get_channel", channel_id=channel_id)
    assert created["business_hours"] == OFFICE
    assert created["reassignment"] == {"disconnected_after_seconds": None, "unanswered_after_seconds": 300}
    messaging.change(channel_id, name="Outlet", reassignment={"unanswered_after_seconds": 20})
    event = collector.wait_for("channel_updated", lambda e: e["data"]["id"] == channel_id and e["data"]["name"] == "Outlet")
    assert event["data"] == messaging.call("get_channel", channel_id=channel_id)
    assert event["data"]["business_hours"] == OFFICE
    assert event["data"]["reassignment"] == {"disconnected_after_seconds": None, "unanswered_after_seconds": 20}
    assert messaging.change(channel_id, business_hours=None)["business_hours"] is None


def test_channel_shows_the_defaults_when_it_was_stored_before_there_was_a_choice(messaging: Messaging, stack: Stack) -> None:
    channel_id = messaging.new_channel()
    stack.mongo("messaging").channels.update_one({"_id": channel_id}, {"$unset": {"business_hours": 1, "reassignment": 1}})
    stored = messaging.call("get_channel", channel_id=channel_id)
    assert stored["business_hours"] is None
    assert stored["reassignment"] == {"disconnected_after_seconds": 60, "unanswered_after_seconds": 300}
    assert messaging.call("preview_assignment", channel_id=channel_id)["open"]
    changed = messaging.change(channel_id, reassignment={"disconnected_after_seconds": 10})
    assert changed["reassignment"] == {"disconnected_after_seconds": 10, "unanswered_after_seconds": 300}


def test_hours_are_refused_at_their_place_when_a_day_is_wrong(messaging: Messaging) -> None:
    wrong = {"time_zone": "Europe/Berlin", "weekly": {"monday": [["17:00", "09:00"]]}}
    with pytest.raises(DomainError) as refused:
        messaging.new_channel(business_hours=wrong)
    assert refused.value.data["errors"] == {"business_hours.weekly.monday": ["Span 1 does not end after its start."]}


def test_wish_is_shown_without_asking_when_it_is_previewed(messaging: Messaging) -> None:
    desk = {"type": "assign", "team": "sales", "priority": "high", "unavailable": "sorry"}
    flow = {"start": "a", "blocks": {"a": desk, "sorry": {"type": "assign", "strategy": "random", "agents": ["ann"]}}}
    channel_id = messaging.new_channel(flow=flow)

    def preview(**arguments: str) -> dict[str, object]:
        found: dict[str, object] = messaging.call("preview_assignment", channel_id=channel_id, **arguments)
        return found

    first = {"block": "a", "strategy": "least_busy", "agents": None, "team": "sales", "priority": "high", "unavailable": "sorry"}
    assert preview() == first | {"open": True, "opens_at": None}
    second = {
        "block": "sorry",
        "strategy": "random",
        "agents": ["ann"],
        "team": None,
        "priority": "normal",
        "unavailable": "wait",
    }
    assert preview(block="sorry") == second | {"open": True, "opens_at": None}
    messaging.change(channel_id, business_hours=NEVER_OPEN)
    assert preview() == first | {"open": False, "opens_at": None}
    tomorrow = f"{now() + timedelta(days=1):%A}".lower()
    messaging.change(channel_id, business_hours={"time_zone": "UTC", "weekly": {tomorrow: [["09:00", "17:00"]]}})
    assert from_wire(str(preview()["opens_at"])) > now()
    for arguments, code in (({"block": "b"}, "VALIDATION_FAILED"), ({"channel_id": "nope"}, "CHANNEL_NOT_FOUND")):
        with pytest.raises(DomainError) as refused:
            messaging.call("preview_assignment", **({"channel_id": channel_id} | arguments))
        assert refused.value.error_code == code


def test_wish_is_the_default_when_a_channel_without_a_flow_is_previewed(messaging: Messaging) -> None:
    shown = messaging.call("preview_assignment", channel_id=messaging.new_channel(flow=None))
    assert (shown["block"], shown["strategy"], shown["priority"], shown["unavailable"]) == (None, "least_busy", "normal", "wait")


def test_flow_stays_when_a_broken_one_is_put(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    before = messaging.call("get_flow", channel_id=channel_id)
    broken = {"start": "a", "blocks": {"a": {"type": "message", "text": "x", "next": "gone"}}}
    with pytest.raises(DomainError) as refused:
        messaging.call("put_flow", channel_id=channel_id, flow=broken, actor=ADMIN)
    assert refused.value.error_code == "INVALID_FLOW"
    assert refused.value.data["errors"] == {"blocks.a.next": ["There is no block gone."]}
    assert messaging.call("get_flow", channel_id=channel_id) == before


def test_running_conversation_finishes_on_its_flow_when_the_flow_is_replaced(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    contact_id, conversation = messaging.begin(channel_id)
    other = {"start": "a", "blocks": {"a": {"type": "message", "text": "New flow.", "next": None}}}
    messaging.call("put_flow", channel_id=channel_id, flow=other, actor=ADMIN)
    messaging.say(contact_id, "Ann")
    assert messaging.messages(conversation["id"])[-1]["text"] == "And your e-mail, Ann?"
    _, newer = messaging.begin(channel_id)
    assert [message["text"] for message in messaging.messages(newer["id"])] == ["New flow."]


def test_name_reaches_the_conversations_when_a_channel_is_renamed(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    _, conversation = messaging.begin(channel_id)
    messaging.call("update_channel", channel_id=channel_id, changes={"name": "Outlet"}, actor=ADMIN)
    wait_until(lambda: messaging.conversation(conversation["id"])["channel"]["name"] == "Outlet")


def test_name_reaches_the_conversations_when_the_channel_changes_after_a_renaming_got_lost(
    messaging: Messaging, stack: Stack
) -> None:
    channel_id = messaging.new_channel()
    _, conversation = messaging.begin(channel_id)
    shown = {"$set": {"channel.name": "Before"}}
    stack.mongo("messaging").conversations.update_one({"_id": conversation["id"]}, shown)
    messaging.change(channel_id, business_hours=None)
    wait_until(lambda: messaging.conversation(conversation["id"])["channel"]["name"] == "Shop")


def test_channel_is_deleted_only_when_no_conversation_is_open(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    _, conversation = messaging.begin(channel_id)
    with pytest.raises(DomainError) as refused:
        messaging.call("delete_channel", channel_id=channel_id, actor=ADMIN)
    assert refused.value.error_code == "CHANNEL_IN_USE"
    messaging.archive(conversation["id"])
    assert messaging.call("delete_channel", channel_id=channel_id, actor=ADMIN) == {"id": channel_id}
    for method in ("get_channel", "get_flow"):
        with pytest.raises(DomainError) as gone:
            messaging.call(method, channel_id=channel_id)
        assert gone.value.error_code == "CHANNEL_NOT_FOUND"
    assert messaging.conversation(conversation["id"])["channel"]["id"] == channel_id
