"""What Facebook delivers becomes the visitor's messages: signed, once, in order, whatever it looks like."""

import json
import threading
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from tests.service.messaging.messenger.conftest import ADMIN, Channel, Visitor, World
from tests.support.events import Collector
from tests.support.facebook_page import AWAY, TOKEN_EXPIRED, Event, Fault, batch, milliseconds
from tests.support.waiting import wait_until


def says(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(message["author"]["kind"], message["text"]) for message in messages]


def test_first_message_opens_the_conversation_and_the_bot_answers_behind_it(channel: Channel) -> None:
    visitor = channel.new_visitor()
    visitor.writes("Hello?")
    messages = visitor.wait_for(3)
    assert says(messages) == [("visitor", "Hello?"), ("bot", "Hi, I am the Acme bot."), ("bot", "What is your name?")]
    assert [message["seq"] for message in messages] == [1, 2, 3]
    assert messages[0]["delivery"] is None
    assert visitor.page.wait_for(visitor.psid, 2)[1].text == "What is your name?"


@pytest.mark.parametrize("signature", ["sha256=" + "0" * 64, "", "sha1=" + "0" * 40])
def test_nothing_is_stored_when_the_signature_is_wrong(world: World, channel: Channel, signature: str) -> None:
    visitor = channel.new_visitor()
    body = batch(channel.page.entry(channel.page.text(visitor.psid, "Hello?")))
    with pytest.raises(RemoteError) as caught:
        world.call("receive_messenger_webhook", channel_id=channel.id, body=body, signature=signature or None)
    assert caught.value.error_code == "SIGNATURE_INVALID"
    assert channel.stored() == 0
    assert visitor.thread() is None


@pytest.mark.parametrize("body", ["", "nothing", "[]", '{"object": "user", "entry": []}', '{"object": "page"}'])
def test_nothing_is_stored_when_the_body_is_not_facebooks(channel: Channel, body: str) -> None:
    with pytest.raises(RemoteError) as caught:
        channel.deliver_body(body)
    assert (caught.value.error_code, list(caught.value.data["errors"])) == ("VALIDATION_FAILED", ["body"])
    assert channel.stored() == 0


def test_nothing_is_taken_when_the_channel_has_no_secret(channel: Channel) -> None:
    body = batch(channel.page.entry())
    channel.change(app_secret=None)
    with pytest.raises(RemoteError) as caught:
        channel.deliver_body(body)
    assert caught.value.error_code == "FORBIDDEN"


def test_same_batch_is_stored_once_when_it_comes_again(quiet: Channel) -> None:
    visitor, page = quiet.new_visitor(), quiet.page
    body = batch(
        page.entry(page.text(visitor.psid, "one"), page.postback(visitor.psid, "Menu", "MENU"), page.read(visitor.psid, 1))
    )
    assert [quiet.deliver_body(body) for _ in range(3)] == [3, 3, 3]
    visitor.wait_for(2)
    visitor.writes("two")
    assert says(visitor.wait_for(3)) == [("visitor", "one"), ("visitor", "Menu"), ("visitor", "two")]
    assert quiet.stored() == 4


def test_same_batch_is_stored_once_when_two_replicas_take_it_at_once(world: World, quiet: Channel) -> None:
    second = "messaging-2"
    world.start(second)
    try:
        visitors = [quiet.new_visitor() for _ in range(4)]
        events = [quiet.page.text(visitor.psid, f"{visitor.psid} {n}") for n in range(5) for visitor in visitors]
        body = batch(quiet.page.entry(*events))
        threads = [threading.Thread(target=quiet.deliver_body, args=(body,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for visitor in visitors:
            messages = visitor.wait_for(5)
            assert [message["text"] for message in messages] == [f"{visitor.psid} {n}" for n in range(5)]
        assert quiet.stored() == 20
    finally:
        world.stack.services[second].stop()


def test_batch_of_several_users_keeps_each_ones_order(quiet: Channel) -> None:
    mia, ben = quiet.new_visitor(), quiet.new_visitor()
    page, at = quiet.page, milliseconds()
    quiet.deliver(
        page.text(mia.psid, "m2", at=at + 2),
        page.text(ben.psid, "b1", at=at),
        page.text(mia.psid, "m3", at=at + 2),
        page.text(mia.psid, "m1", at=at + 1),
    )
    assert [message["text"] for message in mia.wait_for(3)] == ["m1", "m2", "m3"]
    assert [message["text"] for message in ben.wait_for(1)] == ["b1"]


def test_pages_of_the_same_app_go_to_their_channels_and_others_nowhere(world: World, quiet: Channel) -> None:
    sister = world.new_channel(world.facebook.new_page(app_secret=quiet.page.app_secret), flow=None)
    stranger = world.new_channel(flow=None)
    mia, ben, eve = quiet.new_visitor(), sister.new_visitor(), stranger.new_visitor()
    entries = [
        quiet.page.entry(quiet.page.text(mia.psid, "here")),
        sister.page.entry(sister.page.text(ben.psid, "there")),
        stranger.page.entry(stranger.page.text(eve.psid, "forged")),
        {"id": "404", "messaging": [quiet.page.text(mia.psid, "nowhere")]},
    ]
    assert quiet.deliver_body(batch(*entries)) == 2
    assert [message["text"] for message in mia.wait_for(1)] == ["here"]
    assert [message["text"] for message in ben.wait_for(1)] == ["there"]
    assert stranger.stored() == 0


def test_flow_is_driven_by_words_quick_replies_and_postbacks(channel: Channel) -> None:
    visitor, page = channel.new_visitor(), channel.page
    visitor.writes("Hello?", "Mia Lund", "mia@example.com")
    visitor.wait_for(7)
    *_, topic = page.wait_for(visitor.psid, 4)
    assert topic.quick_replies == [
        {"content_type": "text", "title": "A quote", "payload": "quote"},
        {"content_type": "text", "title": "Just looking", "payload": "looking"},
    ]
    channel.deliver(page.quick_reply(visitor.psid, "A quote", "quote"))
    assert says(visitor.wait_for(9))[-2:] == [("visitor", "A quote"), ("bot", "A colleague will be right with you.")]
    assert visitor.conversation()["handler"] == "queue"


def test_postback_opens_a_conversation_and_answers_a_question_with_buttons(channel: Channel) -> None:
    visitor, page = channel.new_visitor(), channel.page
    channel.deliver(page.postback(visitor.psid, "Get started", "GET_STARTED"))
    assert says(visitor.wait_for(3))[0] == ("visitor", "Get started")
    visitor.writes("Mia Lund", "mia@example.com")
    visitor.wait_for(7)
    channel.deliver(page.postback(visitor.psid, "Only looking", "looking"))
    assert says(visitor.wait_for(9))[-2:] == [("visitor", "Only looking"), ("bot", "Enjoy!")]


def test_attachments_are_links_in_the_text(quiet: Channel) -> None:
    visitor, page = quiet.new_visitor(), quiet.page
    quiet.deliver(page.attachment(visitor.psid, "image", "Look:", url="https://cdn.example/a.jpg"))
    assert [message["text"] for message in visitor.wait_for(1)] == ["Look:\n[image] https://cdn.example/a.jpg"]


def test_contact_is_named_by_its_profile(world: World, collector: Collector, quiet: Channel) -> None:
    visitor = quiet.new_visitor(first_name="Zoë", last_name="Lund", locale="da_DK", timezone=2)
    visitor.writes("Hi")
    contact_id = visitor.contact_id()
    first = collector.wait_for("visitor_met", lambda event: event["contact_id"] == contact_id)
    assert (first["entity"]["kind"], first["data"]["name"], first["data"]["channel_id"]) == ("visitor", None, quiet.id)
    told = collector.wait_for("visitor_met", lambda event: event["contact_id"] == contact_id, count=2)["data"]
    assert (told["name"], told["locale"], told["time_zone"]) == ("Zoë Lund", "da-DK", "Etc/GMT-2")
    wait_until(lambda: visitor.conversation()["contact"]["name"] == "Zoë Lund")
    contact = world.call("get_contact", "contacts", contact_id=contact_id)
    assert (contact["name"], contact["name_source"], contact["channel_id"]) == ("Zoë Lund", "channel", quiet.id)


def test_contact_keeps_a_generated_name_when_facebook_refuses_its_profile(world: World, quiet: Channel) -> None:
    visitor = quiet.new_visitor()
    event = quiet.page.text(visitor.psid, "Hi")
    del quiet.page.people[visitor.psid]
    quiet.deliver(event)
    visitor.wait_for(1)
    wait_until(lambda: world.stack.mongo("messaging").messenger_profiles.count_documents({"group": quiet.id, "waiting": False}))
    assert world.call("get_contact", "contacts", contact_id=visitor.contact_id())["name_source"] == "generated"


@pytest.mark.parametrize(
    "fault",
    [AWAY, Fault.error(100, "(#100) Tried accessing nonexisting field (locale)"), TOKEN_EXPIRED],
    ids=["away", "fields", "token"],
)
def test_name_comes_all_the_same_when_the_first_call_for_it_fails(quiet: Channel, fault: Fault) -> None:
    visitor = quiet.new_visitor(first_name="Zoë", locale="da_DK")
    quiet.page.profile_faults.append(fault)
    visitor.writes("Hi")
    wait_until(lambda: visitor.conversation()["contact"]["name"] == "Zoë Lund")


def block(visitor: Visitor, *, blocked: bool) -> None:
    contact_id = visitor.contact_id()
    visitor.world.call("update_contact", "contacts", contact_id=contact_id, changes={"blocked": blocked}, actor=ADMIN)
    known = visitor.world.stack.mongo("messaging").contacts
    wait_until(lambda: known.find_one({"_id": contact_id, "blocked": blocked}))


def test_blocked_visitor_is_not_heard_until_unblocked(quiet: Channel) -> None:
    visitor = quiet.new_visitor()
    visitor.writes("one")
    visitor.wait_for(1)
    block(visitor, blocked=True)
    visitor.writes("two")
    wait_until(quiet.is_idle)
    block(visitor, blocked=False)
    visitor.writes("three")
    assert [message["text"] for message in visitor.wait_for(2)] == ["one", "three"]


def test_message_after_archiving_opens_a_new_conversation(world: World, channel: Channel) -> None:
    visitor = channel.new_visitor()
    visitor.writes("Hello?")
    first = visitor.conversation()["id"]
    visitor.wait_for(3)
    world.call("set_status", conversation_id=first, status="archived", actor=ADMIN)
    visitor.writes("Me again")
    wait_until(lambda: visitor.conversation()["id"] != first)
    assert says(visitor.wait_for(3))[0] == ("visitor", "Me again")
    assert len(visitor.messages(first)) == 3


def test_message_waits_for_its_contact_while_the_contacts_service_is_away(world: World, quiet: Channel) -> None:
    contacts = world.stack.services["contacts"]
    contacts.stop()
    try:
        visitor = quiet.new_visitor()
        visitor.writes("one", "two")
        wait_until(visitor.thread)
        assert quiet.stored() == 2
    finally:
        contacts.start()
    assert [message["text"] for message in visitor.wait_for(2)] == ["one", "two"]


def test_messages_are_posted_once_when_the_process_is_killed_amid_them(world: World, channel: Channel) -> None:
    visitors = [channel.new_visitor() for _ in range(6)]
    events: list[Event] = [
        channel.page.text(visitor.psid, text) for text in ("Hi", "Mia Lund", "m@example.com") for visitor in visitors
    ]
    # What is sent when the process dies would be sent again: Facebook alone knows whether it took it.
    channel.page.lasting = AWAY
    channel.deliver(*events)
    wait_until(lambda: world.stack.mongo("messaging").messages.count_documents({"client_message_id": {"$regex": "^fb:"}}))
    world.stack.services["messaging"].kill()
    world.start_again()
    channel.page.lasting = None
    for visitor in visitors:
        messages = visitor.wait_for(7)
        assert says(messages) == [
            ("visitor", "Hi"),
            ("bot", "Hi, I am the Acme bot."),
            ("bot", "What is your name?"),
            ("visitor", "Mia Lund"),
            ("bot", "And your e-mail, Mia Lund?"),
            ("visitor", "m@example.com"),
            ("bot", "What is it about?"),
        ]
        assert [sent.text for sent in visitor.page.wait_for(visitor.psid, 4, 30)] == [
            text for kind, text in says(messages) if kind == "bot"
        ]


def test_other_events_are_counted_and_stored_nowhere(quiet: Channel) -> None:
    visitor = quiet.new_visitor()
    side = {"sender": {"id": visitor.psid}, "recipient": {"id": quiet.page.id}, "timestamp": milliseconds()}
    assert quiet.deliver(side | {"reaction": {"mid": new_id(), "action": "react"}}, side | {"optin": {}}) == 0
    assert quiet.deliver_body(json.dumps({"object": "page", "entry": [quiet.page.entry() | {"standby": [side]}]})) == 0
    assert quiet.stored() == 0


def test_good_entries_are_taken_when_one_is_bad(quiet: Channel) -> None:
    visitor = quiet.new_visitor()
    entry = quiet.page.entry(quiet.page.text(visitor.psid, "Hi"))
    assert quiet.deliver_body(json.dumps({"object": "page", "entry": [{"id": None}, entry, "x"]})) == 1
    assert [message["text"] for message in visitor.wait_for(1)] == ["Hi"]


def test_answer_goes_out_when_facebook_told_no_time_of_the_message(quiet: Channel) -> None:
    visitor = quiet.new_visitor()
    event, entry = quiet.page.text(visitor.psid, "Hi"), quiet.page.entry()
    del event["timestamp"], entry["time"]
    quiet.deliver_body(json.dumps({"object": "page", "entry": [entry | {"messaging": [event]}]}))
    visitor.wait_for(1)
    visitor.wait_for_state(visitor.answer("Hello")["seq"], "sent")


def test_erased_visitor_who_writes_again_is_somebody_new(world: World, channel: Channel) -> None:
    visitor = channel.new_visitor(first_name="Zoë")
    visitor.writes("Hello?")
    messages = visitor.wait_for(3)
    visitor.wait_for_state(3, "sent")
    first, conversation_id = visitor.contact_id(), messages[0]["conversation_id"]
    wait_until(lambda: visitor.conversation()["contact"]["name"] == "Zoë Lund")
    world.call("erase_contact", "contacts", contact_id=first, actor=ADMIN)
    wait_until(lambda: visitor.thread() is None)
    wait_until(lambda: {message["text"] for message in visitor.messages(conversation_id)} == {""})
    database = world.stack.mongo("messaging")

    def remains() -> list[str]:
        names = ("messenger_inbox", "messenger_sends", "messenger_profiles")
        everything = str([list(database[name].find({})) for name in names])
        return [personal for personal in (visitor.psid, "Zoë", "Hello?") if personal in everything]

    wait_until(lambda: not remains(), what="nothing left of the visitor")
    visitor.writes("Do you know me?")
    assert visitor.contact_id() != first
    assert says(visitor.wait_for(3))[0] == ("visitor", "Do you know me?")
