"""A website's identity secret: made, replaced, taken away, gone by; and the conversation of a visitor who becomes a user."""

from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from services.messaging import identity
from tests.service.messaging.conftest import ADMIN, Messaging
from tests.support.events import Announcer, Collector
from tests.support.remains import find_remains
from tests.support.stack import Stack
from tests.support.waiting import wait_until

AGENT = ADMIN | {"role": "agent"}


def code(messaging: Messaging, method: str, **arguments: Any) -> str:
    with pytest.raises(DomainError) as refused:
        messaging.call(method, **arguments)
    return refused.value.error_code


def make_secret(messaging: Messaging, channel_id: str) -> str:
    return str(messaging.call("create_identity_secret", channel_id=channel_id, actor=ADMIN)["identity_secret"])


def verify(messaging: Messaging, channel_id: str, secret: str, user_id: str = "4711") -> Any:
    signature = identity.sign(secret, user_id)
    return messaging.call("verify_identity", channel_id=channel_id, user_id=user_id, hash=signature)


def test_user_is_verified_by_the_secret_that_was_shown(messaging: Messaging) -> None:
    channel_id = messaging.new_channel(flow=None)
    secret = make_secret(messaging, channel_id)
    for user_id in ("4711", "zoë 用户"):
        assert verify(messaging, channel_id, secret, user_id) == {}
    wrong = {"channel_id": channel_id, "user_id": "4712", "hash": identity.sign(secret, "4711")}
    assert code(messaging, "verify_identity", **wrong) == "IDENTITY_NOT_VERIFIED"
    elsewhere = messaging.new_channel(flow=None)
    for channel in (elsewhere, new_id()):
        refused = code(messaging, "verify_identity", channel_id=channel, user_id="4711", hash=identity.sign(secret, "4711"))
        assert refused == ("IDENTITY_NOT_VERIFIED" if channel == elsewhere else "CHANNEL_NOT_FOUND")


def test_secret_counts_until_it_is_replaced_or_taken_away(messaging: Messaging, second_replica: None) -> None:
    channel_id = messaging.new_channel(flow=None)
    first, second = make_secret(messaging, channel_id), make_secret(messaging, channel_id)
    arguments = {"channel_id": channel_id, "user_id": "4711", "hash": identity.sign(first, "4711")}
    for _ in range(4):  # each replica
        assert code(messaging, "verify_identity", **arguments) == "IDENTITY_NOT_VERIFIED"
        verify(messaging, channel_id, second)
    for _ in range(2):
        messaging.call("delete_identity_secret", channel_id=channel_id, actor=ADMIN)
    arguments["hash"] = identity.sign(second, "4711")
    for _ in range(4):
        assert code(messaging, "verify_identity", **arguments) == "IDENTITY_NOT_VERIFIED"


def test_channel_and_its_events_say_whether_there_is_a_secret_and_nothing_of_it(
    messaging: Messaging, collector: Collector, stack: Stack
) -> None:
    channel_id = messaging.new_channel(flow=None)
    before = messaging.call("get_channel", channel_id=channel_id)
    assert before["has_identity_secret"] is False
    secret = make_secret(messaging, channel_id)
    told = collector.wait_for("channel_updated", lambda e: e["data"]["id"] == channel_id and e["data"]["has_identity_secret"])
    shown = messaging.call("get_channel", channel_id=channel_id)
    assert told["data"] == shown == before | {"has_identity_secret": True, "version": before["version"] + 1}
    changed = messaging.change(channel_id, name="Outlet")
    assert changed["has_identity_secret"]
    verify(messaging, channel_id, secret)
    messaging.call("delete_identity_secret", channel_id=channel_id, actor=ADMIN)
    after = messaging.call("get_channel", channel_id=channel_id)
    assert (after["has_identity_secret"], after["version"]) == (False, changed["version"] + 1)
    messaging.call("delete_identity_secret", channel_id=channel_id, actor=ADMIN)
    assert messaging.call("get_channel", channel_id=channel_id) == after
    assert secret not in str(collector.found())
    assert find_remains(stack.mongo("messaging"), secret) == []


def test_secret_is_gone_with_its_channel(messaging: Messaging, stack: Stack) -> None:
    channel_id = messaging.new_channel(flow=None)
    secret = make_secret(messaging, channel_id)
    assert find_remains(stack.mongo("messaging"), secret)
    messaging.call("delete_channel", channel_id=channel_id, actor=ADMIN)
    assert find_remains(stack.mongo("messaging"), secret) == []
    assert code(messaging, "create_identity_secret", channel_id=channel_id, actor=ADMIN) == "CHANNEL_NOT_FOUND"


@pytest.mark.parametrize("method", ["create_identity_secret", "delete_identity_secret"])
def test_secret_is_refused_to_agents_and_to_pages_of_facebook(messaging: Messaging, method: str) -> None:
    web, page = messaging.new_channel(flow=None), messaging.new_channel(flow=None, kind="messenger")
    assert code(messaging, method, channel_id=web, actor=AGENT) == "FORBIDDEN"
    assert code(messaging, method, channel_id=page, actor=ADMIN) == "CONFLICT"
    assert code(messaging, method, channel_id=new_id(), actor=ADMIN) == "CHANNEL_NOT_FOUND"
    assert messaging.call("get_channel", channel_id=web)["version"] == 1


def test_creation_that_is_repeated_meets_the_first_when_it_has_a_secret_by_then(messaging: Messaging) -> None:
    arguments = {"kind": "web", "name": "Idem", "actor": ADMIN, "idempotency_key": new_id()}
    first = messaging.call("create_channel", **arguments)
    make_secret(messaging, first["id"])
    assert messaging.call("create_channel", **arguments)["id"] == first["id"]


def told(contact_id: str, version: int, external_id: str | None, name: str = "Mia") -> dict[str, Any]:
    """The contact's resource, as events and gateways tell it."""
    return {
        "id": contact_id,
        "channel_id": "shop",
        "name": name,
        "name_source": "generated",
        "email": None,
        "phone": None,
        "fields": {},
        "blocked": False,
        "country": None,
        "url": None,
        "version": version,
        "external_id": external_id,
    }


def write(messaging: Messaging, contact_id: str, **more: Any) -> Any:
    return messaging.call("post_visitor_message", contact_id=contact_id, text="Hi", client_message_id=new_id(), **more)


def assert_is_for_the_user_alone(messaging: Messaging, contact_id: str) -> None:
    for more in ({}, {"user": False}):
        assert code(messaging, "get_contact_conversation", contact_id=contact_id, **more) == "TOKEN_INVALID"
        with pytest.raises(DomainError, match="begin a session again"):
            write(messaging, contact_id, **more)
    conversation = messaging.call("get_contact_conversation", contact_id=contact_id, user=True)
    assert write(messaging, contact_id, user=True)["conversation_id"] == conversation["id"]


def test_users_conversation_is_refused_to_an_earlier_token_at_once_when_the_session_told(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin()
    write(messaging, contact_id)
    snapshot = told(contact_id, 2, "4711")
    begun = messaging.call("start_conversation", channel_id=messaging.channel_id, contact=snapshot)
    assert begun["conversation"]["id"] == conversation["id"]
    assert_is_for_the_user_alone(messaging, contact_id)
    # A session that had begun before, without the user, gets nothing to read either; one of an earlier gateway changes nothing.
    stale = {"channel_id": messaging.channel_id, "contact": told(contact_id, 1, None)}
    assert code(messaging, "start_conversation", **stale) == "CONTACT_NOT_FOUND"
    earlier = {name: value for name, value in told(contact_id, 3, None).items() if name != "external_id"}
    messaging.call("start_conversation", channel_id=messaging.channel_id, contact=earlier)
    assert_is_for_the_user_alone(messaging, contact_id)


def test_users_conversation_is_refused_to_an_earlier_token_when_an_event_told(messaging: Messaging, announcer: Announcer) -> None:
    contact_id, _ = messaging.begin()
    news = told(contact_id, 2, "4711")
    announcer.publish("contacts", "contact_updated", news, entity=("contact", contact_id, 2), contact_id=contact_id)

    def is_refused() -> bool:
        try:
            write(messaging, contact_id)
        except DomainError as error:
            return error.error_code == "TOKEN_INVALID"
        return False

    wait_until(is_refused, what="the news of the user")
    assert_is_for_the_user_alone(messaging, contact_id)


def test_visitors_conversation_is_had_with_and_without_a_user_when_the_contact_is_nobodys(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin()
    for more in ({}, {"user": True}):
        assert messaging.call("get_contact_conversation", contact_id=contact_id, **more)["id"] == conversation["id"]
        assert write(messaging, contact_id, **more)["conversation_id"] == conversation["id"]
