"""What the bot and agents say reaches the visitor through the Send API: once, in order, or with the reason why not."""

from datetime import timedelta
from typing import Any

import pytest

from services.common.ids import new_id
from services.common.times import now
from services.messaging.store import MessagingStore
from tests.service.messaging.messenger.conftest import ADMIN, Channel, Visitor, World
from tests.support.events import Collector
from tests.support.facebook_page import AWAY, DROPPED, NOT_AVAILABLE, TOKEN_EXPIRED, Fault, Page, milliseconds, rate_limited
from tests.support.waiting import wait_until


@pytest.fixture
def visitor(quiet: Channel) -> Visitor:
    """Somebody who has written to a page without a bot."""
    visitor = quiet.new_visitor()
    visitor.writes("Hi")
    visitor.wait_for(1)
    return visitor


def sends(page: Page) -> list[str]:
    """The calls of the Send API; who visitors are is asked beside them, sooner or later."""
    return [call for call in list(page.calls) if not call.startswith("profile")]


def send_of(store: MessagingStore, message: dict[str, Any]) -> dict[str, Any]:
    found = wait_until(lambda: store.messenger.sends.find(message["id"]), what="the send")
    assert found is not None
    return found


def let_pass(store: MessagingStore, visitor: Visitor, message: dict[str, Any], field: str, **time: float) -> None:
    """Have a moment of a message's send lie further back, and its lane looked at."""
    send = send_of(store, message)
    store.database.messenger_sends.update_one({"_id": message["id"]}, {"$set": {field: send[field] - timedelta(**time)}})
    store.messenger.sends.lanes.wake(message["conversation_id"])


def silent_for(store: MessagingStore, visitor: Visitor, **time: float) -> None:
    """Have the visitor's last message lie back, for us as for Facebook."""
    ago = timedelta(**time)
    store.database.messenger_threads.update_one({"contact_id": visitor.contact_id()}, {"$set": {"last_visitor_at": now() - ago}})
    visitor.page.wrote_at[visitor.psid] -= int(ago.total_seconds() * 1000)


def test_round_trip_from_the_visitors_words_to_the_agents_answer_read(channel: Channel, collector: Collector) -> None:
    visitor, page = channel.new_visitor(), channel.page
    visitor.writes("Hello?", "Mia Lund", "mia@example.com")
    channel.deliver(page.quick_reply(visitor.psid, "A quote", "quote"))
    visitor.wait_for(9)
    answered = visitor.answer("Hello Mia, Ann here.")
    assert answered["delivery"]["state"] == "queued"
    visitor.wait_for_state(answered["seq"], "sent")
    *_, last = page.wait_for(visitor.psid, 6)
    assert (last.text, last.metadata, last.messaging_type, last.tag) == ("Hello Mia, Ann here.", answered["id"], "RESPONSE", None)
    channel.deliver(page.echo(last), page.delivered(last), page.read(visitor.psid, last.at))
    visitor.wait_for_state(answered["seq"], "read")
    messages = visitor.messages()
    assert [m["delivery"] and m["delivery"]["state"] for m in messages] == [
        None,
        *["read"] * 2,
        None,
        "read",
        None,
        "read",
        None,
        "read",
        "read",
    ]
    collector.wait_for(
        "message_updated", lambda e: e["entity"]["id"] == answered["id"] and e["data"]["delivery"]["state"] == "read"
    )
    told = [event for event in collector.found() if event["entity"]["id"] == answered["id"]]
    assert [event["type"] for event in told] == ["message_posted", *["message_updated"] * (len(told) - 1)]
    assert [event["data"]["delivery"]["state"] for event in told][:2] == ["queued", "sent"]
    assert told[-1]["data"]["delivery"]["state"] == "read"
    versions = [event["entity"]["version"] for event in told]
    assert versions == sorted(set(versions))
    assert page.sent_to(visitor.psid) == [m["text"] for m in messages if m["author"]["kind"] != "visitor"]


def test_messages_of_an_external_bot_are_sent_with_their_choices(world: World, visitor: Visitor) -> None:
    choices = [{"label": "A rather long label, longer than a button", "value": "a"}, {"label": "B", "value": "b"}]
    actor = {"kind": "bot", "id": "helper", "name": "Helper", "role": None}
    conversation_id = visitor.conversation()["id"]
    world.call(
        "post_bot_message",
        conversation_id=conversation_id,
        text="Which?",
        choices=choices,
        client_message_id=new_id(),
        actor=actor,
    )
    (sent,) = visitor.page.wait_for(visitor.psid, 1)
    assert sent.text == "Which?\n\n1. A rather long label, longer than a button\n2. B"
    assert [(reply["title"], reply["payload"]) for reply in sent.quick_replies] == [("1. A rather long la…", "a"), ("2. B", "b")]


def test_long_text_is_sent_in_parts_in_order(visitor: Visitor) -> None:
    text = "\n\n".join(f"{number}. " + "word " * 350 for number in range(1, 6)).strip()
    answered = visitor.answer(text)
    after = visitor.answer("after it")
    visitor.wait_for_state(after["seq"], "sent")
    texts = visitor.page.sent_to(visitor.psid)
    assert len(texts) == 6
    assert " ".join(" ".join(texts[:5]).split()) == " ".join(text.split())
    assert texts[5] == "after it"
    metadata = [sent.metadata for sent in visitor.page.sent]
    assert metadata == [answered["id"], *(f"{answered['id']}.{number}" for number in range(1, 5)), after["id"]]


def test_long_text_goes_on_where_it_stopped(visitor: Visitor) -> None:
    visitor.page.fail(Fault(200, {"recipient_id": visitor.psid, "message_id": "m_0"}), AWAY)
    answered = visitor.answer("one " * 499 + "two " * 499)
    visitor.wait_for_state(answered["seq"], "sent")
    assert [call[:3] for call in sends(visitor.page)] == ["one", "two", "two"]


def test_order_is_kept_and_nothing_is_lost_or_doubled_while_facebook_is_down(world: World, quiet: Channel) -> None:
    visitors = [quiet.new_visitor() for _ in range(3)]
    for visitor in visitors:
        visitor.writes("Hi")
        visitor.wait_for(1)
    world.facebook.stop()
    try:
        answers = [[visitor.answer(f"answer {number}") for number in range(4)] for visitor in visitors]
        reason = wait_until(lambda: visitors[0].messages()[1]["delivery"]["reason"])
        assert reason["code"] == "NOT_REACHED"
        assert visitors[0].messages()[1]["delivery"]["state"] == "queued"
    finally:
        world.facebook.start()
    for visitor, given in zip(visitors, answers, strict=True):
        delivery = visitor.wait_for_state(given[-1]["seq"], "sent")
        assert delivery["reason"] is None
        assert visitor.page.sent_to(visitor.psid) == [f"answer {number}" for number in range(4)]


def test_token_error_shows_on_the_channel_until_a_new_token_takes_the_messages_along(quiet: Channel, visitor: Visitor) -> None:
    page = quiet.page
    page.lasting = TOKEN_EXPIRED
    first = visitor.answer("one")
    fault = wait_until(lambda: quiet.resource()["messenger"]["fault"])
    assert (fault["code"], fault["message"]) == ("190", "The page access token has expired.")
    assert fault["since"].endswith("Z")
    reason = wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    assert (visitor.messages()[1]["delivery"]["state"], reason["code"]) == ("queued", "190")
    second = visitor.answer("two")
    page.lasting, page.token = None, "EAA" + new_id()
    assert quiet.change(page_access_token=page.token)["messenger"]["fault"] is None
    for answered in (first, second):
        visitor.wait_for_state(answered["seq"], "sent")
    assert page.sent_to(visitor.psid) == ["one", "two"]


@pytest.mark.parametrize("code", [190, 551])
def test_token_is_shown_nowhere_when_facebook_quotes_it(
    world: World, quiet: Channel, visitor: Visitor, collector: Collector, code: int
) -> None:
    page = quiet.page
    page.lasting = Fault.error(code, f"Malformed access token {page.token}, {page.app_secret}")
    answered = visitor.answer("one")
    reason = wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    assert reason["code"] == str(code)
    told = collector.wait_for(
        "message_updated", lambda e: e["data"]["id"] == answered["id"] and e["data"]["delivery"]["reason"] is not None
    )
    database = world.stack.mongo("messaging")
    found = [list(database[name].find()) for name in ("messages", "messenger_sends")]
    shown = [visitor.messages(), quiet.resource(), told, found, (world.stack.folder / "messaging.log").read_text()]
    assert page.token not in str(shown)
    assert page.app_secret not in str(shown)
    page.lasting = None


def test_token_error_passes_by_itself_when_facebook_takes_the_token_again(quiet: Channel, visitor: Visitor) -> None:
    quiet.page.fail(TOKEN_EXPIRED)
    answered = visitor.answer("one")
    wait_until(lambda: quiet.resource()["messenger"]["fault"])
    visitor.wait_for_state(answered["seq"], "sent")
    wait_until(lambda: quiet.resource()["messenger"]["fault"] is None)


def test_messages_wait_for_a_token_that_nobody_has_set_yet(quiet: Channel, visitor: Visitor) -> None:
    token = quiet.page.token
    quiet.change(page_access_token=None)
    answered = visitor.answer("one")
    assert wait_until(lambda: quiet.resource()["messenger"]["fault"])["code"] == "NOT_CONFIGURED"
    quiet.change(page_access_token=token)
    visitor.wait_for_state(answered["seq"], "sent")


def test_rate_limit_pauses_all_of_the_channels_conversations(quiet: Channel, visitor: Visitor, store: MessagingStore) -> None:
    page, other = quiet.page, quiet.new_visitor()
    other.writes("Hi")
    other.wait_for(1)
    page.fail(rate_limited(page.id, minutes=5))
    first = visitor.answer("one")
    wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    calls = sends(page)
    second = other.answer("two")
    send_of(store, second)
    paused_until = store.find_channel(quiet.id)["messenger_paused_until"]  # type: ignore[index]
    assert timedelta(minutes=4) < paused_until - now() <= timedelta(minutes=5, seconds=1)
    wait_until(
        lambda: (
            store.database.messenger_sends_lanes.count_documents(
                {"group": quiet.id, "due": {"$gt": now() + timedelta(minutes=4)}}
            )
            == 2
        )
    )
    assert sends(page) == calls
    store.messenger.renew_access(quiet.id)  # as five minutes later
    visitor.wait_for_state(first["seq"], "sent")
    other.wait_for_state(second["seq"], "sent")


def test_refusal_for_good_fails_the_message_and_the_next_one_goes_on(visitor: Visitor) -> None:
    visitor.page.fail(NOT_AVAILABLE)
    first, second = visitor.answer("one"), visitor.answer("two")
    visitor.wait_for_state(second["seq"], "sent")
    assert visitor.wait_for_state(first["seq"], "failed")["reason"] == {
        "code": "551",
        "message": "(#551) This person isn't available right now.",
    }
    assert visitor.page.sent_to(visitor.psid) == ["two"]


def test_message_fails_with_the_last_reason_when_an_outage_lasts_too_long(visitor: Visitor, store: MessagingStore) -> None:
    visitor.page.lasting = AWAY
    answered = visitor.answer("one")
    wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    let_pass(store, visitor, answered, "queued_at", hours=7)
    assert visitor.wait_for_state(answered["seq"], "failed")["reason"]["code"] == "2"
    visitor.page.lasting = None


@pytest.mark.parametrize(("days", "tag"), [(0.9, False), (0.9, True), (2, True)])
def test_agent_answers_within_the_window(quiet: Channel, visitor: Visitor, store: MessagingStore, days: float, tag: bool) -> None:
    quiet.change(human_agent_tag=tag)
    quiet.page.human_agent = tag
    silent_for(store, visitor, days=days)
    answered = visitor.answer("Still there?")
    visitor.wait_for_state(answered["seq"], "sent")
    (sent,) = quiet.page.sent
    assert (sent.messaging_type, sent.tag) == (("MESSAGE_TAG", "HUMAN_AGENT") if days > 1 else ("RESPONSE", None))


@pytest.mark.parametrize(("days", "tag"), [(1.1, False), (7.1, True)])
def test_answer_fails_at_once_outside_the_window(
    quiet: Channel, visitor: Visitor, store: MessagingStore, days: float, tag: bool
) -> None:
    quiet.change(human_agent_tag=tag)
    silent_for(store, visitor, days=days)
    calls = sends(quiet.page)
    answered = visitor.answer("Still there?")
    assert visitor.wait_for_state(answered["seq"], "failed")["reason"]["code"] == "OUTSIDE_WINDOW"
    assert sends(quiet.page) == calls
    visitor.writes("Yes")
    visitor.wait_for(3)
    visitor.wait_for_state(visitor.answer("Good")["seq"], "sent")


def test_attempt_of_unknown_outcome_is_not_repeated_when_its_echo_tells(quiet: Channel, visitor: Visitor) -> None:
    page = quiet.page
    page.fail(Fault(accepted=True))
    answered = visitor.answer("one")
    (sent,) = page.wait_for(visitor.psid, 1)
    wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    quiet.deliver(page.echo(sent))
    visitor.wait_for_state(answered["seq"], "sent")
    visitor.wait_for_state(visitor.answer("two")["seq"], "sent")
    assert page.sent_to(visitor.psid) == ["one", "two"]


def test_attempt_of_unknown_outcome_is_repeated_only_later(quiet: Channel, visitor: Visitor, store: MessagingStore) -> None:
    quiet.page.fail(DROPPED)
    answered = visitor.answer("one")
    wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    lanes, idle = store.database.messenger_sends_lanes, {"_id": answered["conversation_id"], "leased_until": None}
    lane = wait_until(lambda: lanes.find_one(idle))
    assert lane is not None
    assert lane["due"] - send_of(store, answered)["attempted_at"] > timedelta(seconds=9)
    let_pass(store, visitor, answered, "attempted_at", seconds=10)
    visitor.wait_for_state(answered["seq"], "sent")
    assert quiet.page.sent_to(visitor.psid) == ["one"]


def test_send_goes_on_when_the_process_is_killed_between_attempt_and_answer(
    world: World, quiet: Channel, visitor: Visitor, store: MessagingStore
) -> None:
    page = quiet.page
    page.fail(Fault(200, b"{}", seconds=5, accepted=True))
    first, second = visitor.answer("one"), visitor.answer("two")
    (sent,) = page.wait_for(visitor.psid, 1)
    world.stack.services["messaging"].kill()
    assert send_of(store, first)["attempted_at"] is not None
    # As though it were started in no time: ten seconds after an attempt without an answer comes the next.
    just_now = {"attempted_at": now() + timedelta(minutes=1)}
    store.database.messenger_sends.update_one({"_id": first["id"]}, {"$set": just_now})
    world.start_again()
    quiet.deliver(page.echo(sent))
    visitor.wait_for_state(second["seq"], "sent")
    assert page.sent_to(visitor.psid) == ["one", "two"]


@pytest.mark.parametrize("body", [{"recipient_id": "1"}, {}])
def test_answer_without_an_id_is_a_success(quiet: Channel, visitor: Visitor, body: dict[str, Any]) -> None:
    quiet.page.fail(Fault(200, body, accepted=True))
    first = visitor.answer("one")
    visitor.wait_for_state(first["seq"], "sent")
    visitor.wait_for_state(visitor.answer("two")["seq"], "sent")
    assert quiet.page.sent_to(visitor.psid) == ["one", "two"]
    quiet.deliver(quiet.page.read(visitor.psid, milliseconds()))
    visitor.wait_for_state(first["seq"], "read")


def test_unreadable_success_is_tried_once_more_and_no_further(quiet: Channel, visitor: Visitor, store: MessagingStore) -> None:
    quiet.page.lasting = Fault(200, b"<html>", accepted=True)
    answered = visitor.answer("one")
    wait_until(lambda: send_of(store, answered)["failures"] == 1)
    let_pass(store, visitor, answered, "attempted_at", seconds=11)
    assert visitor.wait_for_state(answered["seq"], "failed")["reason"]["code"] == "UNREADABLE"
    assert quiet.page.sent_to(visitor.psid) == ["one", "one"]
    quiet.page.lasting = None
    quiet.deliver(quiet.page.echo(quiet.page.sent[-1]))
    visitor.wait_for_state(answered["seq"], "sent")


def test_messages_fail_when_their_channel_is_deleted(
    world: World, quiet: Channel, visitor: Visitor, store: MessagingStore
) -> None:
    quiet.page.lasting = AWAY
    answered = visitor.answer("one")
    wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    world.call("set_status", conversation_id=answered["conversation_id"], status="archived", actor=ADMIN)
    world.call("delete_channel", channel_id=quiet.id, actor=ADMIN)
    kept = str(store.database.channels.find_one({"_id": quiet.id}))
    assert not [secret for secret in (quiet.page.token, quiet.page.app_secret, quiet.page.verify_token) if secret in kept]
    store.messenger.sends.lanes.wake(answered["conversation_id"])
    assert visitor.wait_for_state(answered["seq"], "failed")["reason"]["code"] == "CHANNEL_GONE"


def test_waiting_message_fails_when_its_visitor_is_erased(
    world: World, quiet: Channel, visitor: Visitor, store: MessagingStore
) -> None:
    quiet.page.lasting = AWAY
    answered = visitor.answer("a secret of hers")
    wait_until(lambda: visitor.messages()[1]["delivery"]["reason"])
    world.call("erase_contact", "contacts", contact_id=visitor.contact_id(), actor=ADMIN)
    wait_until(lambda: send_of(store, answered)["delivery"]["state"] == "failed")
    assert send_of(store, answered)["delivery"]["reason"]["code"] == "ERASED"
    quiet.page.lasting = None


@pytest.mark.slow
def test_answer_is_repeated_after_ten_seconds_when_facebook_hangs(quiet: Channel, visitor: Visitor) -> None:
    quiet.page.fail(Fault(200, {"message_id": "m_late"}, seconds=11))
    answered = visitor.answer("one")
    visitor.wait_for_state(answered["seq"], "sent", timeout=40)
    assert quiet.page.sent_to(visitor.psid) == ["one"]
