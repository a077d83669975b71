from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.logs import request_id
from tests.service.assignment.office import Office, conversations
from tests.support.waiting import wait_until


def test_anyone_can_be_given_a_conversation_when_by_hand(office: Office) -> None:
    office.hire("ann", capacity=1, connected=False, availability="busy")
    first, second = conversations(2)
    office.assign(first, "ann")
    answer = office.assign(second, "ann")
    assert (answer["state"], answer["assignee"], answer["version"]) == ("assigned", {"id": "ann", "name": "Ann"}, 1)
    assert office.load("ann") == 2
    event = office.wait_changed(second, "assigned")
    assert event["data"]["decision"]["rule"] == "manual"
    assert event["data"]["decision"]["actor"] == {"kind": "agent", "id": "alice", "name": "Alice"}


def test_an_agent_is_known_from_the_call_when_presence_was_not_heard_yet(office: Office) -> None:
    office.agents["new"] = {
        "id": "new",
        "name": "New",
        "role": "agent",
        "connected": True,
        "availability": "available",
        "capacity": 2,
        "active": True,
        "version": 3,
    }
    by_hand, requested = conversations(2)
    office.assign(by_hand, "new")
    office.request(requested)
    assert office.wait_state(requested, "queued")["queue_position"] == 1  # whether it can be reached, presence has yet to tell
    office.tell_agent("new")
    office.wait_state(requested, "assigned", "new")
    assert office.load("new") == 2


def test_nothing_changes_when_the_same_agent_is_assigned_again(office: Office) -> None:
    office.hire("ann")
    (conversation,) = conversations(1)
    first = office.assign(conversation, "ann")
    assert office.assign(conversation, "ann") == first
    assert office.load("ann") == 1
    assert len(office.history(conversation)) == 1


def test_the_loads_and_the_line_follow_when_a_conversation_is_transferred(office: Office) -> None:
    office.hire("ann", capacity=1)
    office.hire("bob", availability="busy")
    held, waiting = conversations(2)
    office.request(held)
    office.wait_state(held, "assigned", "ann")
    office.request(waiting)
    office.wait_state(waiting, "queued")

    assert office.assign(held, "bob")["assignee"] == {"id": "bob", "name": "Bob"}

    office.wait_state(waiting, "assigned", "ann")
    assert (office.load("ann"), office.load("bob")) == (1, 1)
    assert office.history(held)[0]["reason"] == "Moved from Ann to Bob by Alice."


def test_one_hand_wins_and_the_other_is_told_who_has_it_when_two_reach_at_once(office: Office) -> None:
    office.hire("ann", "bob")
    for has in (None, "ann"):
        (conversation,) = conversations(1)
        if has:
            office.assign(conversation, has)
            office.hire("cyd")
        names = ("ann", "bob") if has is None else ("bob", "cyd")
        with ThreadPoolExecutor(2) as pool:
            hands = [pool.submit(office.assign, conversation, name, expected_assignee_id=has) for name in names]
        refused = [hand.exception() for hand in hands if hand.exception() is not None]
        (won,) = (hand.result() for hand in hands if hand.exception() is None)
        assert len(refused) == 1
        assert isinstance(refused[0], RemoteError)
        assert (refused[0].error_code, refused[0].data) == ("ALREADY_ASSIGNED", {"assignee": won["assignee"]})
        assert office.get(conversation) == won
        assert len(office.history(conversation)) == (1 if has is None else 2)


def test_nothing_is_refused_when_it_is_as_wanted_already(office: Office) -> None:
    office.hire("ann", "bob")
    (conversation,) = conversations(1)
    answer = office.assign(conversation, "ann", expected_assignee_id=None)
    assert office.assign(conversation, "ann", expected_assignee_id=None) == answer
    with pytest.raises(RemoteError) as raised:
        office.unassign(conversation, expected_assignee_id="bob")
    assert raised.value.data == {"assignee": {"id": "ann", "name": "Ann"}}
    freed = office.unassign(conversation, expected_assignee_id="ann")
    assert office.unassign(conversation, expected_assignee_id="ann") == freed


def test_the_remark_stands_in_the_record_when_a_conversation_is_transferred(office: Office) -> None:
    office.hire("ann", "bob")
    (conversation,) = conversations(1)
    office.assign(conversation, "ann")
    office.assign(conversation, "bob", remark="She asked for Bob.")
    assert [made["remark"] for made in office.history(conversation)] == ["She asked for Bob.", None]
    with pytest.raises(RemoteError) as raised:
        office.assign(conversation, "ann", remark="x" * 501)
    assert raised.value.error_code == "VALIDATION_FAILED"


def test_it_leaves_the_line_when_assigned_by_hand(office: Office) -> None:
    office.hire("ann", availability="busy")
    (conversation,) = conversations(1)
    office.request(conversation)
    office.wait_state(conversation, "queued")
    office.assign(conversation, "ann")
    assert office.line() == []


def test_it_is_nobodys_and_does_not_wait_when_unassigned(office: Office) -> None:
    office.hire("ann", capacity=1)
    held, waiting = conversations(2)
    office.request(held)
    office.wait_state(held, "assigned")
    office.request(waiting)
    office.wait_state(waiting, "queued")

    answer = office.unassign(held)

    assert (answer["state"], answer["assignee"], answer["queue_position"]) == ("unassigned", None, None)
    office.wait_state(waiting, "assigned", "ann")
    assert office.unassign(held) == answer
    assert office.wait_changed(held, "unassigned")["data"]["decision"]["action"] == "unassigned"


def test_the_writer_gets_it_when_nobody_had_it(office: Office) -> None:
    office.hire("ann", capacity=1)
    first, second = conversations(2)
    office.assign(first, "ann")
    office.take(second, "ann")
    office.wait_state(second, "assigned", "ann")
    assert office.load("ann") == 2
    assert office.history(second)[0]["rule"] == "take"


def test_the_owner_is_told_again_when_another_wrote(office: Office) -> None:
    office.hire("ann", "bob")
    (conversation,) = conversations(1)
    office.assign(conversation, "ann")
    office.take(conversation, "bob")
    event = office.wait_changed(conversation, "assigned", count=2)
    assert event["data"]["assignee"]["id"] == "ann"
    assert event["data"]["decision"] is None
    assert event["entity"]["version"] == 2
    assert (office.load("ann"), office.load("bob")) == (1, 0)


def test_it_is_the_bots_again_when_handed_back(office: Office) -> None:
    office.hire("ann")
    (conversation,) = conversations(1)
    office.request(conversation)
    office.wait_state(conversation, "assigned")
    office.hand_back(conversation)
    office.wait_state(conversation, "unassigned")
    assert office.load("ann") == 0
    assert (office.history(conversation)[0]["action"], office.history(conversation)[0]["actor"]["name"]) == ("returned", "Alice")


def test_the_choice_is_made_anew_when_the_bot_asks_at_once_after_it_was_handed_back(office: Office) -> None:
    office.hire("ann", "bob")
    (conversation,) = conversations(1)
    office.assign(conversation, "ann")
    office.tell_agent("ann", availability="busy")
    office.wait_known("ann")
    office.request(conversation, release=True)
    office.wait_state(conversation, "assigned", "bob")
    assert (office.load("ann"), office.load("bob")) == (0, 1)


def test_a_closed_one_reopens_when_assigned_by_hand(office: Office) -> None:
    office.hire("ann")
    (conversation,) = conversations(1)
    office.request(conversation)
    office.wait_state(conversation, "assigned")
    office.archive(conversation)
    office.wait_state(conversation, "closed")
    assert office.assign(conversation, "ann")["state"] == "assigned"
    assert office.load("ann") == 1


def test_history_is_paged_newest_first_when_long(office: Office) -> None:
    office.hire("ann", "bob")
    (conversation,) = conversations(1)
    for name in ("ann", "bob", "ann"):
        office.assign(conversation, name)
    first = office.rpc.call("assignment", "list_assignments", conversation_id=conversation, limit=2)
    rest = office.rpc.call("assignment", "list_assignments", conversation_id=conversation, limit=2, cursor=first["next_cursor"])
    assert [item["seq"] for item in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("get_assignment", {"conversation_id": "nobody"}, "CONVERSATION_NOT_FOUND"),
        ("get_assignment", {"conversation_id": "not an id"}, "VALIDATION_FAILED"),
        ("unassign_conversation", {"conversation_id": "nobody", "actor": {"kind": "agent"}}, "CONVERSATION_NOT_FOUND"),
        ("unassign_conversation", {"conversation_id": "nobody", "actor": {"kind": "ghost"}}, "VALIDATION_FAILED"),
        ("list_assignments", {"conversation_id": "nobody", "cursor": "nonsense"}, "CURSOR_INVALID"),
        ("list_queue", {"cursor": "nonsense"}, "CURSOR_INVALID"),
        ("list_queue", {"limit": 0}, "VALIDATION_FAILED"),
        ("assign_conversation", {"conversation_id": "nobody"}, "VALIDATION_FAILED"),
    ],
)
def test_the_call_is_refused_when_its_arguments_are_wrong(
    office: Office, method: str, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(RemoteError) as raised:
        office.rpc.call("assignment", method, **arguments)
    assert raised.value.error_code == code


def test_the_call_is_refused_and_nothing_kept_when_the_agent_is_not_active(office: Office) -> None:
    office.hire("ann", active=False)
    (conversation,) = conversations(1)
    with pytest.raises(RemoteError) as raised:
        office.assign(conversation, "ann")
    assert raised.value.data["errors"] == {"agent_id": ["The account of Ann is not active."]}
    assert office.get(conversation) is None


def test_a_list_is_empty_when_the_conversation_is_unknown(office: Office) -> None:
    assert office.history("nobody") == []


def test_no_event_is_left_unsent_when_the_hands_rest(office: Office) -> None:
    office.hire("ann", "bob")
    (conversation,) = conversations(1)
    for name in ("ann", "bob"):
        office.assign(conversation, name)
    office.wait_changed(conversation, "assigned", count=2)
    unsent = {"outbox.0": {"$exists": True}}
    wait_until(lambda: not any(office.database[name].count_documents(unsent) for name in ("agents", "assignments")))


def test_each_event_names_the_request_that_asked_for_it_when_many_are_decided_together(office: Office) -> None:
    office.hire("ann")
    wanted = conversations(40)

    def assign(conversation: str) -> None:
        request_id.set(f"for-{conversation}")
        office.assign(conversation, "ann")

    turns = office.turns()
    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(assign, wanted))
    assert office.turns() - turns < len(wanted), "none was decided together with another"
    for conversation in wanted:
        assert office.wait_changed(conversation, "assigned")["request_id"] == f"for-{conversation}"
