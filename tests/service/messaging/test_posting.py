import signal
import threading
from functools import partial
from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from services.messaging.entrypoints.visitor_posting import VisitorPost, VisitorPosting
from services.messaging.post_store import Asked
from services.messaging.store import MessagingStore
from tests.service.conftest import Service
from tests.service.messaging.conftest import Messaging
from tests.support.events import Announcer, Collector
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def test_bot_collects_and_asks_for_an_agent_when_the_visitor_answers(messaging: Messaging, collector: Collector) -> None:
    contact_id, conversation = messaging.begin()
    messaging.hand_over(contact_id)
    assert messaging.conversation(conversation["id"])["handler"] == "queue"
    collector.wait_for("field_collected", lambda e: e["contact_id"] == contact_id, count=3)
    fields = collector.found("field_collected", lambda e: e["contact_id"] == contact_id)
    assert {event["data"]["field"]: event["data"]["value"] for event in fields} == {
        "name": "Ann Visitor",
        "email": "ann@example.org",
        "topic": "quote",
    }
    wanted = collector.wait_for("assignment_requested", lambda e: e["contact_id"] == contact_id)
    assert wanted["data"]["strategy"] == "least_busy"
    assert wanted["entity"]["id"] == conversation["id"]


def test_seq_has_no_gap_when_many_write_at_once(messaging: Messaging, collector: Collector) -> None:
    contact_id, conversation = messaging.begin()
    failures: list[Exception] = []

    def write(writer: int) -> None:
        try:
            for number in range(10):
                if writer % 2:
                    messaging.say(contact_id, f"{writer}-{number}")
                else:
                    messaging.answer(conversation["id"], f"{writer}-{number}")
        except Exception as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    messages = messaging.messages(conversation["id"], after_seq=0, limit=200)
    last = messaging.conversation(conversation["id"])["last_seq"]
    assert [message["seq"] for message in messages] == list(range(1, last + 1))
    said = [message["text"] for message in messages if message["author"]["kind"] in {"visitor", "agent"}]
    assert sorted(said) == sorted(f"{writer}-{number}" for writer in range(6) for number in range(10))
    collector.wait_for("message_posted", lambda e: e["data"]["conversation_id"] == conversation["id"], count=last)
    events = collector.found("message_posted", lambda e: e["data"]["conversation_id"] == conversation["id"])
    assert [event["data"]["seq"] for event in events] == list(range(1, last + 1))


def test_first_message_is_answered_when_it_is_posted_again(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin()
    first = messaging.say(contact_id, "Ann", key="same")
    assert messaging.say(contact_id, "Ann", key="same") == first
    written = messaging.answer(conversation["id"], "Hello", key="mine")
    assert messaging.answer(conversation["id"], "Hello", key="mine") == written
    assert len(messaging.messages(conversation["id"])) == 5
    with pytest.raises(DomainError) as refused:
        messaging.say(contact_id, "Other", key="same")
    assert refused.value.error_code == "CLIENT_MESSAGE_ID_REUSED"


def test_message_is_found_when_its_repeat_comes_after_archiving(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin()
    first = messaging.say(contact_id, "Ann", key="lost-answer")
    messaging.archive(conversation["id"])
    assert messaging.say(contact_id, "Ann", key="lost-answer") == first
    again = messaging.say(contact_id, "I am back", key="new")
    assert again["conversation_id"] != conversation["id"]
    # Also when another message was faster; and a client that counts its ids may begin anew.
    assert messaging.say(contact_id, "Ann", key="lost-answer") == first
    other = messaging.say(contact_id, "Something else", key="lost-answer")
    assert other["conversation_id"] == again["conversation_id"]
    assert messaging.messages(again["conversation_id"])[0]["author"]["kind"] == "bot"


def test_one_conversation_is_begun_when_two_sessions_open_at_once(messaging: Messaging) -> None:
    contact = {"id": new_id(), "name": "Teal Otter", "version": 1}
    found: list[str] = []

    def open_session() -> None:
        started = messaging.call("start_conversation", channel_id=messaging.channel_id, contact=contact)
        found.append(started["conversation"]["id"])

    sessions = [threading.Thread(target=open_session) for _ in range(8)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(messaging.messages(found[0])) == 2


def test_visitor_is_counted_once_ever_when_it_talks_again(messaging: Messaging) -> None:
    channel_id = messaging.new_channel()
    contact_id, conversation = messaging.begin(channel_id)
    assert messaging.call("get_channel", channel_id=channel_id)["visitor_count"] == 0
    messaging.say(contact_id, "Ann")
    messaging.archive(conversation["id"])
    messaging.say(contact_id, "Again")
    other_id, _ = messaging.begin(channel_id)
    messaging.say(other_id, "Ben")
    wait_until(lambda: messaging.call("get_channel", channel_id=channel_id)["visitor_count"] == 2)


def test_post_is_refused_when_the_contact_is_blocked_or_unknown(messaging: Messaging, announcer: Announcer, stack: Stack) -> None:
    contact_id, _ = messaging.begin()
    contact: dict[str, Any] = {
        "id": contact_id,
        "channel_id": messaging.channel_id,
        "name": "Teal Otter",
        "name_source": "generated",
        "email": None,
        "phone": None,
        "fields": {},
        "blocked": True,
    }
    announcer.publish("contacts", "contact_updated", contact, entity=("contact", contact_id, 5), contact_id=contact_id)
    wait_until(lambda: (stack.mongo("messaging").contacts.find_one({"_id": contact_id}) or {}).get("blocked"))
    for unwelcome, code in ((contact_id, "CONTACT_BLOCKED"), (new_id(), "CONTACT_NOT_FOUND")):
        with pytest.raises(DomainError) as refused:
            messaging.say(unwelcome, "Hello")
        assert refused.value.error_code == code


def test_accepted_messages_survive_when_the_service_is_killed_under_load(
    messaging: Messaging, stack: Stack, service: Service, rpc: RpcClient, collector: Collector
) -> None:
    contacts = [messaging.begin() for _ in range(4)]
    accepted: dict[str, list[str]] = {conversation["id"]: [] for _, conversation in contacts}
    stop = threading.Event()

    def write(contact_id: str, conversation_id: str) -> None:
        number = 0
        while not stop.is_set():
            key = f"k{number}"
            try:
                messaging.say(contact_id, key, key=key)
            except DomainError:
                continue  # the same key again, as a client does
            accepted[conversation_id].append(key)
            number += 1

    writers = [threading.Thread(target=write, args=(contact_id, conversation["id"])) for contact_id, conversation in contacts]
    for writer in writers:
        writer.start()
    try:
        for enough in (10, 20, 30):
            wait_until(partial(_all_have, accepted, enough), 30)
            stack.services["messaging"].send_signal(signal.SIGKILL)
            stack.services["messaging"].wait(15)
            service("messaging")
    finally:
        stop.set()
        for writer in writers:
            writer.join(30)
    for conversation_id, keys in accepted.items():
        messages = messaging.messages(conversation_id, after_seq=0, limit=200)
        assert [m["seq"] for m in messages] == list(range(1, len(messages) + 1))
        stored = [m["client_message_id"] for m in messages if m["author"]["kind"] == "visitor"]
        assert stored[: len(keys)] == keys
        assert len(stored) <= len(keys) + 1
        wait_until(partial(_all_told, collector, conversation_id, messages[-1]["seq"]), 30)


def _all_have(accepted: dict[str, list[str]], enough: int) -> bool:
    return min(len(keys) for keys in accepted.values()) >= enough


def _all_told(collector: Collector, conversation_id: str, last: int) -> bool:
    told = collector.found("message_posted", lambda e: e["data"]["conversation_id"] == conversation_id)
    return {event["data"]["seq"] for event in told} == set(range(1, last + 1))


def test_flow_advances_once_when_the_same_answer_is_delivered_again(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin()
    threads = [threading.Thread(target=lambda: messaging.say(contact_id, "Ann", key="once")) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = [message["text"] for message in messaging.messages(conversation["id"])]
    assert texts == ["Hi, I am the Acme bot.", "What is your name?", "Ann", "And your e-mail, Ann?"]


def test_message_is_posted_once_when_an_attempt_looked_before_an_earlier_one_opened_the_conversation(
    messaging: Messaging, store: MessagingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow database: the client's repeat begins while nothing is open, and goes on when the first attempt has posted."""
    contact_id, conversation = messaging.begin()
    messaging.archive(conversation["id"])
    key = new_id()
    looked = store.look_up(Asked(key, contact_id=contact_id))
    first = messaging.say(contact_id, "Hello", key=key)
    monkeypatch.setattr(store, "look_up", lambda _: looked)
    repeat = VisitorPosting()
    repeat.store = store
    assert repeat._post_as_visitor(contact_id, VisitorPost("Hello", None, key), user=False)["_id"] == first["id"]
    said = [message["id"] for message in messaging.messages(first["conversation_id"]) if message["text"] == "Hello"]
    assert said == [first["id"]]
