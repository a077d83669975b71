import pytest

from services.common.errors import DomainError
from tests.service.messaging.conftest import ADMIN, Messaging
from tests.support.waiting import wait_until


def test_first_channel_is_answered_when_its_creation_is_repeated(messaging: Messaging) -> None:
    arguments = {"kind": "web", "name": "Idem", "allowed_origins": [], "actor": ADMIN, "idempotency_key": "once-only"}
    first = messaging.call("create_channel", **arguments)
    assert messaging.call("create_channel", **arguments) == first
    with pytest.raises(DomainError) as refused:
        messaging.call("create_channel", **(arguments | {"name": "Other"}))
    assert refused.value.error_code == "IDEMPOTENCY_KEY_REUSED"


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
