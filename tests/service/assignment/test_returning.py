"""Conversations whose agents let the visitor wait, and visitors who do not wait."""

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from deploy.local.process import ChildProcess
from services.common.errors import RemoteError
from services.common.rpc_client import RpcClient
from services.common.times import now
from tests.service.assignment.office import CONTACT, Office, conversations
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until


def rules(office: Office, conversation: str) -> list[tuple[str, str]]:
    """What was decided on a conversation, the first first."""
    return [(made["action"], made["rule"]) for made in reversed(office.history(conversation))]


def note_visitors(office: Office, *contacts: str) -> int:
    return int(office.rpc.call("assignment", "note_visitors", contact_ids=list(contacts))["waiting"])


def test_what_agents_let_wait_returns_when_the_service_was_killed_meanwhile(
    office: Office, service: Callable[[str], ChildProcess], stack: Stack
) -> None:
    office.tell_channel("leaves", left=1, silent=None)
    office.tell_channel("silent", left=None, silent=1)
    office.tell_channel("off", left=None, silent=None)
    office.hire("ann", capacity=2)
    left, kept = conversations(2)
    for conversation, channel in ((left, "leaves"), (kept, "off")):
        office.request(conversation, channel_id=channel)
        office.wait_state(conversation, "assigned", "ann")
    office.hire("bob", capacity=1)
    (silent,) = conversations(1)
    office.request(silent, channel_id="silent")
    assert office.wait_changed(silent, "assigned")["data"]["assignee"]["id"] == "bob"  # for a second, or less by now
    office.tell_agent("ann", connected=False)
    office.wait_known("ann")
    stack.services["assignment"].kill()

    service("assignment")

    # Bob, who let his pass and is free of it, is given Ann's.
    office.wait_state(silent, "queued")
    office.wait_state(left, "assigned", "bob")
    assert rules(office, silent) == [("assigned", "least_busy"), ("requeued", "agent_silent")]
    assert rules(office, left) == [
        ("assigned", "least_busy"),
        ("requeued", "agent_disconnected"),
        ("assigned", "least_busy"),
    ]
    assert (office.get(kept) or {})["assignee"] == {"id": "ann", "name": "Ann"}
    assert (office.load("ann"), office.load("bob")) == (1, 1)


def test_it_is_back_at_the_head_with_the_reason_until_somebody_else_or_the_next_shift(office: Office) -> None:
    office.tell_channel(left=60, silent=300)
    office.hire("ann", capacity=1)
    returning, waiting = conversations(2)
    office.request(returning, strategy="round_robin")
    office.wait_state(returning, "assigned", "ann")
    office.request(waiting, channel_id="unheard")
    office.wait_state(waiting, "queued")
    office.tell_channel(left=60, silent=1)

    told = office.wait_changed(returning, "queued")["data"]

    # Ann is free of it, and has the next one, but not this one again.
    office.wait_state(waiting, "assigned", "ann")
    assert (told["state"], told["returned"], told["queue_position"], told["decision"]["action"]) == (
        "queued",
        True,
        1,
        "requeued",
    )
    reason = told["decision"]["reason"]
    assert re.fullmatch(r"Ann has not answered for \d+ s\.", reason)
    assert told["conversation_version"] == 1
    (place,) = office.queue()
    assert (place["conversation_id"], place["returned"], place["reason"]) == (returning, True, reason)
    office.archive(waiting)
    office.wait_state(waiting, "closed")
    assert office.line() == [returning]

    office.tell_agent("ann", availability="busy")
    office.wait_known("ann")
    office.tell_agent("ann", availability="available")

    again = office.wait_changed(returning, "assigned", count=2)["data"]
    assert (again["assignee"]["id"], again["decision"]["rule"]) == ("ann", "round_robin")
    office.wait_state(returning, "queued")
    office.answer(returning, "ann")
    office.wait_state(returning, "assigned", "ann")
    assert rules(office, returning)[-2:] == [("requeued", "agent_silent"), ("assigned", "take")]


def test_it_goes_to_another_at_once_when_one_is_free_and_who_answered_keeps_theirs(office: Office) -> None:
    office.tell_channel(left=60, silent=300)
    office.hire("ann", capacity=2)
    answered, silent, asked_again = conversations(3)
    for conversation in (answered, silent):
        office.request(conversation)
        office.wait_state(conversation, "assigned", "ann")
    office.answer(answered, "ann")
    office.hire("bob")
    office.assign(asked_again, "bob")
    office.ask_agent(asked_again, since=now() + timedelta(seconds=60))
    office.tell_channel(left=60, silent=1)

    event = office.wait_changed(silent, "assigned", count=2)

    assert event["data"]["assignee"]["id"] == "bob"
    # Bob is as silent as she was, and may have let it pass, too, by now.
    assert rules(office, silent)[:3] == [("assigned", "least_busy"), ("requeued", "agent_silent"), ("assigned", "least_busy")]
    assert event["entity"]["version"] == 2
    assert [made["seq"] for made in office.history(silent)][-3:] == [3, 2, 1]
    assert event["data"]["decision"]["candidates"][-1]["reason"] == "let_it_pass"
    for conversation, name in ((answered, "ann"), (asked_again, "bob")):
        assert (office.get(conversation) or {})["assignee"]["id"] == name


def test_nothing_returns_when_the_visitor_waits_for_no_answer(office: Office) -> None:
    office.tell_channel(left=60, silent=300)
    office.tell_channel("watched", left=60, silent=300)
    office.hire("ann")
    served, by_hand, watched = conversations(3)
    office.request(served)
    office.wait_state(served, "assigned", "ann")
    office.answer(served, "ann")
    office.assign(by_hand, "ann")
    office.request(watched, channel_id="watched")
    office.wait_state(watched, "assigned")
    office.tell_agent("ann", connected=False)
    office.tell_channel(left=1, silent=1)
    office.tell_channel("watched", left=1, silent=1)

    office.wait_state(watched, "queued")

    assert [(office.get(conversation) or {})["state"] for conversation in (served, by_hand)] == ["assigned", "assigned"]
    office.ask_agent(by_hand, since=now() - timedelta(seconds=60))
    office.wait_state(by_hand, "queued")


def test_an_answer_that_comes_late_changes_nothing_when_a_newer_question_was_heard(office: Office) -> None:
    office.hire("ann")
    (conversation,) = conversations(1)
    office.request(conversation)
    office.wait_state(conversation, "assigned")
    since = now()
    office.ask_agent(conversation, since=since, version=9)
    wait_until(lambda: office.database.assignments.find_one({"_id": conversation, "awaiting_version": 9}))
    office.answer(conversation, "ann", version=8)
    office.archive(conversation, version=10)
    office.request(conversation, version=11)
    office.wait_heard(conversation, 11)
    found = office.database.assignments.find_one({"_id": conversation})
    assert found is not None
    assert found["awaiting_version"] == 11


def test_the_visitor_leaves_the_queue_when_they_stop_waiting(office: Office) -> None:
    first, second = conversations(2)
    began = time.monotonic()
    for conversation in (first, second):
        office.request(conversation)
        office.wait_state(conversation, "queued")

    answer = office.leave(first)

    assert (answer["state"], answer["queue_position"], answer["requested_at"]) == ("unassigned", None, None)
    data = office.wait_changed(first, "left")["data"]
    assert (data["decision"]["action"], data["decision"]["rule"]) == ("left", "visitor_left")
    assert data["decision"]["actor"]["kind"] == "visitor"
    assert 0 <= data["decision"]["waited_seconds"] <= time.monotonic() - began + 1
    assert office.leave(first) == answer
    assert office.line() == [second]
    assert office.wait_changed(second, "queued", count=2)["data"]["queue_position"] == 1
    office.request(first)
    assert office.wait_state(first, "queued")["queue_position"] == 2


def test_visitors_leave_the_line_when_they_are_not_seen_on_a_website(office: Office, stack: Stack, rpc: RpcClient) -> None:
    office.tell_channel("site", left=60, silent=300)
    office.tell_channel("page", left=60, silent=300, kind="messenger")
    there, gone, on_messenger, unheard = conversations(4)
    for conversation, channel in ((there, "site"), (gone, "site"), (on_messenger, "page"), (unheard, "unheard")):
        office.request(conversation, channel_id=channel, contact_id=f"c-{conversation}", at=now() - timedelta(seconds=40))
        office.wait_state(conversation, "queued")
    assert note_visitors(office) == 4
    # As though gateways had told for a minute.
    office.database.notes.update_one({}, {"$set": {"since": now() - timedelta(seconds=60)}})
    assert note_visitors(office, f"c-{there}", CONTACT) == 4
    process = stack.start_service("assignment", instance="assignment-2", extra={"FOYER_VISITOR_ABSENCE_SECONDS": "30"})
    try:
        wait_for_service(rpc, "assignment", process)
        data = office.wait_changed(gone, "left")["data"]
    finally:
        process.stop()
    assert (data["decision"]["rule"], data["decision"]["actor"]) == ("visitor_absent", None)
    assert sorted(office.line()) == sorted([there, on_messenger, unheard])


def test_leaving_is_refused_when_nothing_was_ever_asked(office: Office) -> None:
    with pytest.raises(RemoteError) as raised:
        office.leave("nobody")
    assert raised.value.error_code == "CONVERSATION_NOT_FOUND"
