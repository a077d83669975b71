"""Hands that say whom they expect to have the conversation."""

from collections.abc import Callable

import pytest

from services.assignment.agents import Assignee
from services.assignment.desk import Desk
from services.assignment.domain import UNCHECKED, Assignment
from services.common.errors import Conflict
from tests.unit.assignment.builders import ALICE, a_desk, a_waiting, an_agent, drain

IDS = ("channel", "contact")
HELD = Assignment("c1", *IDS, "assigned", Assignee("ann", "Ann"))
WAITING = a_waiting("c1", 1)
FREE = Assignment("c1", *IDS)

Hand = Callable[[Desk], None]


def assigning(agent: str, expected: str | None) -> Hand:
    return lambda desk: desk.assign("c1", *IDS, agent, ALICE, expected=expected)


def unassigning(expected: str | None) -> Hand:
    return lambda desk: desk.unassign("c1", ALICE, expected=expected)


@pytest.mark.parametrize(
    ("before", "hand"),
    [
        (HELD, assigning("bob", "ann")),
        (HELD, assigning("bob", UNCHECKED)),
        (WAITING, assigning("bob", None)),
        (FREE, assigning("bob", None)),
        (HELD, unassigning("ann")),
        (WAITING, unassigning(None)),
    ],
)
def test_the_hand_does_it_when_it_finds_what_it_expects(before: Assignment, hand: Hand) -> None:
    desk = a_desk(an_agent("ann"), an_agent("bob"), assignments=(before,))
    hand(desk)
    assert desk.told["c1"].decision is not None


@pytest.mark.parametrize(
    ("before", "hand", "has"),
    [
        (HELD, assigning("bob", None), {"id": "ann", "name": "Ann"}),
        (HELD, assigning("bob", "cyd"), {"id": "ann", "name": "Ann"}),
        (WAITING, assigning("bob", "ann"), None),
        (FREE, assigning("bob", "ann"), None),
        (HELD, unassigning(None), {"id": "ann", "name": "Ann"}),
        (WAITING, unassigning("ann"), None),
    ],
)
def test_the_hand_is_told_who_has_it_when_it_expects_another(before: Assignment, hand: Hand, has: dict[str, str] | None) -> None:
    desk = a_desk(an_agent("ann"), an_agent("bob"), assignments=(before,))
    with pytest.raises(Conflict) as raised:
        hand(desk)
    assert (raised.value.error_code, raised.value.data) == ("ALREADY_ASSIGNED", {"assignee": has})
    assert (desk.assignments, desk.told) == ({"c1": before}, {})


@pytest.mark.parametrize(
    ("before", "hand"),
    [(HELD, assigning("ann", None)), (HELD, assigning("ann", "bob")), (FREE, unassigning("ann"))],
)
def test_nothing_is_refused_or_changed_when_it_is_already_as_wanted(before: Assignment, hand: Hand) -> None:
    desk = a_desk(an_agent("ann"), an_agent("bob"), assignments=(before,))
    hand(desk)
    assert (desk.assignments, desk.told) == ({"c1": before}, {})


def test_the_remark_stands_in_the_decision_when_a_hand_makes_one() -> None:
    desk = a_desk(an_agent("ann"), an_agent("bob"), assignments=(HELD,))
    desk.assign("c1", *IDS, "bob", ALICE, remark="She knows the case.")
    drain(desk)
    made = desk.told["c1"].decision
    assert made is not None
    assert (made.reason, made.remark) == ("Moved from Ann to Bob by Alice.", "She knows the case.")
    desk.unassign("c1", ALICE, remark="Nobody's case.")
    made = desk.told["c1"].decision
    assert made is not None
    assert made.remark == "Nobody's case."
