import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from services.common.errors import DomainError
from services.common.ids import new_id
from tests.service.messaging.conftest import NEVER_OPEN, Messaging, announce_assignment
from tests.support.events import Announcer, Collector, Predicate
from tests.support.waiting import wait_until

ROBOT = {"kind": "bot", "id": "robot", "name": "Robot"}
# Closed, or nobody there: the bot asks when to write, and tries once more.
OFFICE: dict[str, Any] = {
    "start": "a",
    "blocks": {
        "a": {"type": "assign", "text": "Somebody is coming.", "team": "sales", "priority": "high", "unavailable": "b"},
        "b": {"type": "question", "kind": "text", "text": "When may we write?", "field": "when", "next": "a"},
    },
}


def requests(collector: Collector, conversation_id: str) -> list[dict[str, Any]]:
    """Each once: a replica sends again what another has sent and not yet noted as sent."""
    told = collector.found("assignment_requested", lambda e: e["data"]["conversation_id"] == conversation_id)
    return list({event["id"]: event for event in told}.values())


def concerning(contact_id: str, **data: Any) -> Predicate:
    return lambda event: event["contact_id"] == contact_id and data.items() <= event["data"].items()


def leave(messaging: Messaging, announcer: Announcer, conversation_id: str, version: int) -> None:
    """The visitor stops waiting, and messaging has heard of it."""
    announce_assignment(announcer, conversation_id, version, "left")
    wait_until(lambda: messaging.conversation(conversation_id)["handler"] == "bot")


def at_once(*acts: Callable[[], object]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_other_way_is_taken_until_the_channel_is_open(messaging: Messaging, collector: Collector) -> None:
    channel_id = messaging.new_channel(OFFICE, business_hours=NEVER_OPEN)
    contact_id, conversation = messaging.begin(channel_id)
    messaging.say(contact_id, "Tomorrow")
    messaging.change(channel_id, business_hours=None)
    messaging.say(contact_id, "Now")
    texts = [message["text"] for message in messaging.messages(conversation["id"])]
    assert texts == ["When may we write?", "Tomorrow", "When may we write?", "Now", "Somebody is coming."]
    asked = collector.wait_for("assignment_requested", concerning(contact_id))
    assert (asked["data"]["team_id"], asked["data"]["priority"]) == ("sales", "high")
    assert len(requests(collector, conversation["id"])) == 1


def test_hours_hold_when_nobody_was_there_and_when_the_bot_gets_it_back(messaging: Messaging, announcer: Announcer) -> None:
    night = {"type": "assign", "team": "night", "unavailable": "c"}
    sorry = {"type": "message", "text": "Nobody is here.", "next": None}
    blocks = {"a": {"type": "assign", "unavailable": "b"}, "b": night, "c": sorry}
    channel_id = messaging.new_channel({"start": "a", "blocks": blocks})
    first, second = (messaging.begin(channel_id)[1]["id"] for _ in range(2))
    messaging.answer(second, "Hello")
    messaging.change(channel_id, business_hours=NEVER_OPEN)
    announce_assignment(announcer, first, 1, "unavailable")
    wait_until(lambda: [message["text"] for message in messaging.messages(first)] == ["Nobody is here."])
    messaging.call("return_to_bot", conversation_id=second, actor=ROBOT)
    assert messaging.messages(second)[-1]["text"] == "Nobody is here."


def test_agent_is_asked_for_once_when_one_message_of_a_visitor_who_left_is_sent_again(
    messaging: Messaging, announcer: Announcer, collector: Collector
) -> None:
    contact_id, conversation = messaging.begin()
    messaging.hand_over(contact_id)
    leave(messaging, announcer, conversation["id"], 1)
    at_once(*[lambda: messaging.say(contact_id, "Hello?", key="once")] * 5)
    texts = [message["text"] for message in messaging.messages(conversation["id"], limit=2)]
    assert texts == ["Hello?", "A colleague will be right with you."]
    assert messaging.conversation(conversation["id"])["handler"] == "queue"
    collector.wait_for("assignment_requested", concerning(contact_id), count=2)
    assert len(requests(collector, conversation["id"])) == 2
    # What was decided before this request is not shown, what was decided on it is.
    heard = requests(collector, conversation["id"])[-1]["entity"]["version"]
    announce_assignment(announcer, conversation["id"], 2, "left", conversation_version=heard - 1)
    announce_assignment(announcer, conversation["id"], 3, "queued", conversation_version=heard, queue_position=2)
    wait_until(lambda: messaging.conversation(conversation["id"])["queue"])
    leave(messaging, announcer, conversation["id"], 4)
    messaging.say(contact_id, "Me again")
    collector.wait_for("assignment_requested", concerning(contact_id), count=3)


@pytest.mark.usefixtures("second_replica")
def test_agent_is_asked_for_once_when_two_replicas_take_a_visitors_messages_at_once(
    messaging: Messaging, announcer: Announcer, collector: Collector
) -> None:
    begun = [messaging.begin(messaging.new_channel(OFFICE)) for _ in range(3)]
    for _, conversation in begun:
        leave(messaging, announcer, conversation["id"], 1)
    at_once(*[partial(messaging.say, contact_id, new_id()) for contact_id, _ in begun for _ in range(4)])
    for contact_id, conversation in begun:
        said = messaging.messages(conversation["id"])
        assert [message["seq"] for message in said] == list(range(1, 7))
        assert [message["author"]["kind"] for message in said].count("bot") == 2
        collector.wait_for("message_posted", concerning(contact_id, seq=6))
        assert len(requests(collector, conversation["id"])) == 2


def test_awaited_and_given_answers_are_told_when_an_agent_has_the_conversation(
    messaging: Messaging, collector: Collector
) -> None:
    contact_id, conversation = messaging.begin(messaging.new_channel(flow=None))
    messaging.answer(conversation["id"], "Hello")
    asked = messaging.say(contact_id, "Hello?")
    messaging.say(contact_id, "Anyone?")
    assert messaging.conversation(conversation["id"])["awaiting_answer_since"] == asked["created_at"]
    messaging.answer(conversation["id"], "Here I am", agent="ben")
    messaging.answer(conversation["id"], "And more", agent="ben")
    last = messaging.say(contact_id, "Thank you")
    collector.wait_for("answer_awaited", concerning(contact_id), count=2)
    awaited = collector.found("answer_awaited", concerning(contact_id))
    assert [event["data"]["since"] for event in awaited] == [asked["created_at"], last["created_at"]]
    (given,) = collector.found("answer_given", concerning(contact_id))
    assert given["data"]["agent"] == {"id": "ben", "name": "Ben"}
    assert given["data"]["conversation_id"] == given["entity"]["id"] == conversation["id"]
    (taken,) = collector.found("conversation_taken", concerning(contact_id))
    assert taken["entity"]["version"] < awaited[0]["entity"]["version"] < given["entity"]["version"]


def test_wish_is_told_or_refused_when_an_agent_is_asked_for_from_outside(messaging: Messaging, collector: Collector) -> None:
    channel_id = messaging.new_channel(flow=None, business_hours=NEVER_OPEN)
    contact_id, conversation = messaging.begin(channel_id)
    wanted: dict[str, Any] = {"conversation_id": conversation["id"], "actor": ROBOT, "team": "sales"}
    with pytest.raises(DomainError) as refused:
        messaging.call("request_assignment", **wanted, agents=["ann"])
    assert set(refused.value.data["errors"]) == {"team"}
    shown = messaging.call("request_assignment", **wanted, priority="low")
    assert shown["handler"] == "queue"
    assert shown["awaiting_answer_since"] is not None
    asked = collector.wait_for("assignment_requested", concerning(contact_id))
    assert (asked["data"]["team_id"], asked["data"]["priority"], asked["data"]["unavailable"]) == ("sales", "low", "wait")
