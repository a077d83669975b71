"""An inbox: what it files, and how waits end."""

import threading

import pytest

from deploy.replay.errors import OutOfTime, Stopped, StreamBroken
from deploy.replay.inbox import Inbox, is_event, is_message
from deploy.replay.sse import Event


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def inbox(stop: threading.Event) -> Inbox:
    return Inbox("the visitor", stop)


def test_message_and_conversation_are_filed_together_when_they_belong_together(inbox: Inbox) -> None:
    inbox.put(Event("3-1", "message.created", '{"id": "m", "conversation_id": "c", "seq": 1}'), 0.5)
    inbox.put(Event("3-2", "conversation.assigned", '{"id": "c", "seq": 9}'), 0.6)
    inbox.put(Event("3-3", "agent.updated", '{"id": "c"}'), 0.7)
    assert [(arrival.event_id, arrival.seq, arrival.at) for arrival in inbox.arrivals("c")] == [
        ("3-1", 1, 0.5),
        ("3-2", None, 0.6),
    ]


def test_reset_is_counted_when_it_comes(inbox: Inbox) -> None:
    assert inbox.put(Event("3-1", "reset", "{}"), 0.0) is None
    assert inbox.resets == 1


def test_wait_ends_when_the_message_has_come_before_or_comes_meanwhile(inbox: Inbox) -> None:
    first = inbox.put(Event("3-1", "message.created", '{"conversation_id": "c", "seq": 1}'), 0.0)
    assert inbox.wait_for("c", is_message(1), "message 1", 0) is first
    second = Event("3-2", "message.created", '{"conversation_id": "c", "seq": 2}')
    putter = threading.Thread(target=lambda: inbox.put(second, 1.0))
    putter.start()
    assert inbox.wait_for("c", is_message(2), "message 2", 10).event_id == "3-2"
    putter.join()


def test_wait_says_what_it_waited_for_when_time_is_up(inbox: Inbox) -> None:
    inbox.put(Event("3-1", "message.created", '{"conversation_id": "other", "seq": 1}'), 0.0)
    with pytest.raises(OutOfTime, match=r"the visitor did not see message 1 within 0.01 s"):
        inbox.wait_for("c", is_message(1), "message 1", 0.01)


def test_wait_ends_when_the_run_is_stopped(inbox: Inbox, stop: threading.Event) -> None:
    stop.set()
    with pytest.raises(Stopped):
        inbox.wait_for("c", is_event("conversation.archived"), "the archiving", 10)


@pytest.mark.parametrize("data", ["{", "[]", "7", '{"seq": 1}'])
def test_everyone_who_waits_is_told_when_an_event_carries_no_resource(inbox: Inbox, data: str) -> None:
    inbox.put(Event("3-1", "message.created", data), 0.0)
    with pytest.raises(StreamBroken, match=r"can't see message 1: message.created 3-1 carries no resource"):
        inbox.wait_for("c", is_message(1), "message 1", 10)
