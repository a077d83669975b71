"""Each way in which what is stored may differ from what was confirmed is told."""

from typing import Any

import pytest

from tests.load.stored import compare

Message = dict[str, Any]


def message(number: int, **values: Any) -> Message:
    return {"conversation_id": "c", "seq": number, "text": f"t{number}", "client_message_id": f"k{number}"} | values


def confirmed(number: int, **values: Any) -> Message:
    return {"id": f"m{number}"} | message(number, **values)


def stored(number: int, **values: Any) -> Message:
    return {"_id": f"m{number}"} | message(number, **values)


def test_nothing_is_told_when_all_is_stored_once() -> None:
    own = stored(1, client_message_id=None)  # the bot's
    assert compare([confirmed(2), confirmed(3)], [own, stored(2), stored(3)]) == []


def test_stored_but_unconfirmed_messages_are_no_fault() -> None:
    assert compare([], [stored(1), stored(2)]) == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ([stored(1)], "1 confirmed messages are not stored as they were told"),
        ([stored(1), stored(2, text="another")], "1 confirmed messages are not stored as they were told"),
        ([stored(1), stored(2), stored(3, client_message_id="k2")], "1 messages are stored twice"),
        ([stored(1), stored(2), stored(4)], "1 conversations are not numbered from 1 without a gap"),
        ([stored(1), stored(2), stored(3, seq=2)], "1 conversations are not numbered from 1 without a gap"),
    ],
)
def test_difference_is_told_by_its_kind(found: list[Message], fault: str) -> None:
    assert compare([confirmed(1), confirmed(2)], found) == [fault]


def test_one_message_for_two_requests_is_told() -> None:
    assert compare([confirmed(1), confirmed(1)], [stored(1)]) == ["1 messages were confirmed to two senders"]
