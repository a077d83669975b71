"""The checker finds what is planted in a round in which all was well, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker import check, check_messages
from tests.chaos.history import Arrival, Given, Noted, Said, Visit
from tests.chaos.stored import Assignment, Conversation, Message
from tests.unit.chaos.story import Story

Plant = Callable[[Story], Any]


def change(story: Story, conversation_id: str = "c1", **values: Any) -> None:
    story.stored.conversations[conversation_id] = replace(story.stored.conversations[conversation_id], **values)


def rework(story: Story, agent_id: str, **values: Any) -> None:
    story.stored.workers[agent_id] = replace(story.stored.workers[agent_id], **values)


def let_wait(story: Story, **values: Any) -> None:
    """Another visitor in line."""
    story.stored.conversations["c2"] = Conversation("open", "queue", None, 0, "other")
    story.stored.assignments["c2"] = Assignment("queued", None, **values)
    story.stored.messages["c2"] = []


def ask_bot(story: Story, **values: Any) -> None:
    """Another visitor, who has just answered the bot."""
    story.stored.conversations["c2"] = Conversation("open", "bot", None, 1, "other", **{"block": "name"} | values)
    story.stored.messages["c2"] = [Message("x1", 1, "visitor", "Bo", "keyx")]
    for seen in (story.ada, story.ben):
        seen.arrivals.append(Arrival("e", 30, "message.created", "x1", 0, "c2", 1, "Bo"))


def lose_message(story: Story, seq: int) -> None:
    story.stored.messages["c1"] = [each for each in story.messages if each.seq != seq]


def store_again(story: Story, seq: int, **values: Any) -> None:
    again = replace(story.messages[seq - 1], id="again", seq=5, **values)
    story.stored.messages["c1"].append(again)
    change(story, last_seq=5)
    story.stored.told["c1"].append((5, "again", again.text))
    for seen in (story.ada, story.ben, story.mia):
        seen.arrivals.append(Arrival("e", 31, "message.created", "again", 0, "c1", 5, again.text))


def show_other_visitor(story: Story) -> None:
    ask_bot(story, block=None)
    story.mia.arrivals.append(Arrival("e", 30, "message.created", "x1", 0, "c2", 1, "Bo"))


def show_ghost(story: Story) -> None:
    """A message that everybody is shown, and that is not stored."""
    for seen in (story.ada, story.ben, story.mia):
        seen.arrivals.append(Arrival("e", 41, "message.created", "m5", 0, "c1", 5, "ghost"))


PLANTED: dict[str, tuple[str, Plant]] = {
    "a confirmed message that is not stored": ("lost", lambda story: lose_message(story, 4)),
    "one in the middle": ("lost", lambda story: lose_message(story, 2)),
    "a number that is missing": ("gap", lambda story: lose_message(story, 2)),
    "a message with another text": (
        "lost",
        lambda story: story.stored.messages["c1"].__setitem__(1, replace(story.messages[1], text="Max")),
    ),
    "a message under another number": (
        "lost",
        lambda story: story.history.said.__setitem__(0, replace(story.history.said[0], seq=9)),
    ),
    "a conversation that is not there": ("lost", lambda story: story.stored.conversations.clear()),
    "a last_seq that is behind": ("lost", lambda story: change(story, last_seq=3)),
    "an API that leaves out a message": ("lost", lambda story: story.stored.told["c1"].pop()),
    "a client_message_id that was used twice": ("doubled", lambda story: store_again(story, 2, text="another")),
    "a bot's turn that was made twice": ("doubled", lambda story: store_again(story, 3)),
    "a visitor's text that was stored twice": ("doubled", lambda story: store_again(story, 2, key="another key")),
    "a note that is not there": ("lost", lambda story: story.stored.notes.clear()),
    "a note under another id": ("lost", lambda story: story.history.notes.append(Noted("contact", "n9", "knows what she wants"))),
    "a note that was made twice": ("doubled", lambda story: story.stored.notes["knows what she wants"].append("n2")),
    "a transfer without a record": ("lost", lambda story: story.history.given.append(Given("c1", "ben", "also yours"))),
    "a transfer recorded twice": ("doubled", lambda story: story.stored.remarks.update(["yours"])),
    "a session whose conversation is not there": (
        "lost",
        lambda story: story.history.visits.append(Visit("contact", "c9", "second visit")),
    ),
    "a session that made two visitors": (
        "doubled",
        lambda story: story.history.visits.append(Visit("other", "c1", "first visit")),
    ),
    "two open conversations of one contact": (
        "doubled",
        lambda story: story.stored.conversations.update(c2=Conversation("open", "bot", None, 0, "contact", "Mia")),
    ),
    "an archived conversation that is open": ("lost", lambda story: story.history.archived.add("c1")),
    "a name that did not reach the profile": ("stuck", lambda story: story.stored.fields["contact"].update(name="Teal Otter")),
    "a name that did not reach the conversation": ("stuck", lambda story: change(story, contact_name="Teal Otter")),
    "a bot that did not answer": ("stuck", ask_bot),
    "a flow that nobody wakes": ("stuck", lambda story: ask_bot(story, block="pause", sleeping=True)),
    "a visitor who waits while somebody is free": ("stuck", let_wait),
    "one who waits for those who may have them": ("stuck", lambda story: let_wait(story, allowed=frozenset({"ben"}))),
    "a load that disagrees": ("stuck", lambda story: rework(story, "ben", load=1)),
    "a count that did not reach presence": ("stuck", lambda story: rework(story, "ada", shown_load=2)),
    "a capacity that was exceeded": ("stuck", lambda story: rework(story, "ada", capacity=0)),
    "an assignee that messaging does not show": ("stuck", lambda story: change(story, assignee=None)),
    "a handler that the desk does not know": ("stuck", lambda story: change(story, handler="bot")),
    "an archived conversation that somebody has": ("stuck", lambda story: change(story, status="archived")),
    "an availability that was lost": ("lost", lambda story: story.history.availability.update(ada="busy")),
    "an availability that the desk does not know": ("stuck", lambda story: rework(story, "ben", availability="busy")),
    "an agent who counts as gone": ("stuck", lambda story: rework(story, "ada", reachable=False)),
    "a connection that the desk does not know": ("stuck", lambda story: rework(story, "ben", connected=False)),
    "an event that was not sent": ("stuck", lambda story: story.stored.unsent.update({"messaging.conversations": 1})),
    "a queue that is not empty": ("stuck", lambda story: story.stored.waiting.update({"events.messaging": 3})),
    "a dead letter": ("stuck", lambda story: story.stored.dead["events.messaging.dead"].append("failed")),
    "a visitor who was not counted": ("stuck", lambda story: story.stored.visitors.update(shop=(0, 1))),
    "a message that one stream was not shown": ("gap", lambda story: story.mia.arrivals.pop(1)),
    "an event that others were shown": ("gap", lambda story: story.ben.arrivals.pop()),
    "a reset without a reason": ("gap", lambda story: setattr(story.ada, "resets", 1)),
    "an event that came twice": ("doubled", lambda story: story.ada.arrivals.append(story.ada.arrivals[-1])),
    "a message that came twice under two ids": (
        "doubled",
        lambda story: story.mia.arrivals.append(replace(story.mia.arrivals[-1], offset=40)),
    ),
    "a version that came twice under two ids": (
        "doubled",
        lambda story: story.ada.arrivals.append(replace(story.ada.arrivals[-1], offset=40)),
    ),
    "a stream that goes back": ("misordered", lambda story: story.mia.arrivals.reverse()),
    "a message before an earlier one": (
        "misordered",
        lambda story: story.ada.arrivals.__setitem__(slice(0, 2), _swapped(story.ada.arrivals[:2])),
    ),
    "another visitor's conversation": (
        "misordered",
        show_other_visitor,
    ),
    "a stream that shows another text": (
        "lost",
        lambda story: story.mia.arrivals.__setitem__(0, replace(story.mia.arrivals[0], text="What is your age?")),
    ),
    "a message on a stream that is not stored": (
        "lost",
        show_ghost,
    ),
    "an answer that no client should get": ("refused", lambda story: story.history.complain("POST / answered 500")),
}


def _swapped(two: list[Arrival]) -> list[Arrival]:
    """The second message first, with offsets that grow."""
    return [replace(two[1], offset=two[0].offset), replace(two[0], offset=two[1].offset)]


def test_nothing_is_found_in_a_round_in_which_all_is_well() -> None:
    story = Story()
    assert check(story.history, story.stored) == []


@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_fault_is_found(name: str) -> None:
    kind, plant = PLANTED[name]
    story = Story()
    plant(story)
    found = check(story.history, story.stored)
    assert kind in {each.kind for each in found}, found


@pytest.mark.parametrize("values", [{"block": None}, {"block": "handover", "left_line": True}])
def test_silence_of_the_bot_is_in_order_once_its_flow_has_ended_or_the_visitor_stopped_waiting(values: dict[str, Any]) -> None:
    story = Story()
    ask_bot(story, **values)
    assert check(story.history, story.stored) == []


@pytest.mark.parametrize(
    "values",
    [{"load": 2, "shown_load": 2}, {"availability": "busy", "shown_availability": "busy"}, {"reachable": False}],
)
def test_waiting_is_in_order_while_nobody_can_take_it(values: dict[str, Any]) -> None:
    story = Story()
    let_wait(story, allowed=frozenset({"ben"}))
    rework(story, "ben", **values)
    assert [each for each in check(story.history, story.stored) if "waits" in each.detail] == []


def test_waiting_is_in_order_while_the_only_one_has_let_it_pass() -> None:
    story = Story()
    let_wait(story, passed=frozenset({"ada/0", "ben/0"}))
    assert check(story.history, story.stored) == []


def test_conversations_given_by_hand_may_exceed_a_capacity() -> None:
    story = Story()
    rework(story, "ada", capacity=0)
    story.stored.assignments["c1"] = replace(story.stored.assignments["c1"], by_rule=False)
    assert check(story.history, story.stored) == []


def test_stream_owes_nothing_that_its_client_fetched_otherwise() -> None:
    story = Story()
    story.mia.arrivals = story.mia.arrivals[2:]
    story.mia.known = {"c1": 2}
    assert check(story.history, story.stored) == []


def test_stream_owes_nothing_before_its_beginning() -> None:
    story = Story()
    story.ben.began = ("e", 15)
    story.ben.arrivals = story.ben.arrivals[4:]
    story.ben.known = {"c1": 4}
    assert check(story.history, story.stored) == []


def test_reset_is_in_order_where_the_log_was_lost_if_what_follows_is_whole() -> None:
    story = Story()
    story.ada.resets = 1
    story.ada.arrivals = [replace(each, epoch="f", offset=each.offset - 10) for each in story.ada.arrivals[3:]]
    story.ada.known = {"c1": 3}
    assert check(story.history, story.stored, resets_allowed=True) == []
    story.ada.known = {"c1": 2}
    assert [each.kind for each in check(story.history, story.stored, resets_allowed=True)] == ["gap"]


def test_message_that_a_later_round_lost_is_found_by_the_last_check() -> None:
    story = Story()
    said = [*story.history.said, Said("c9", "m9", 1, "visitor", "long ago", "key9")]
    assert [each.kind for each in check_messages(said, story.stored)] == ["lost"]
