"""Serving a line that is longer than a page, or whose heads nobody may have."""

from services.assignment.desk import Desk
from services.assignment.domain import Assignment
from tests.unit.assignment.builders import a_desk, a_team, a_waiting, a_wish, an_agent, drain, moment, reader


def served(desk: Desk) -> list[str]:
    given = [(told.decision.at, key) for key, told in desk.told.items() if told.decision and told.outcome == "assigned"]
    return [key for _, key in sorted(given)]


def test_a_turn_serves_a_page_and_asks_for_another_when_more_could_be_served() -> None:
    desk = a_desk(an_agent("ann", capacity=9))
    assert drain(desk, [a_waiting(f"c{number}", number) for number in range(5)], heads=2)
    assert served(desk) == ["c0", "c1"]


def test_no_other_turn_is_asked_for_when_nobody_is_eligible_any_more() -> None:
    desk = a_desk(an_agent("ann", capacity=2))
    assert not drain(desk, [a_waiting(f"c{number}", number) for number in range(5)], heads=2)


def test_those_behind_are_served_in_the_same_turn_when_nobody_may_have_a_whole_page() -> None:
    # Both let these pass, so the page is read for their sake and serves nobody: each stands for a team of one.
    teams = [a_team("sales", "ann"), a_team("support", "bob")]
    heads = [a_waiting(f"s{number}", number, team_id="sales", passed=("ann/1",)) for number in range(4)]
    heads += [a_waiting(f"t{number}", 10 + number, team_id="support", passed=("bob/1",)) for number in range(4)]
    desk = a_desk(an_agent("ann"), an_agent("bob", load=1), teams=teams)
    assert not drain(desk, [*heads, a_waiting("behind", 99)], heads=2)
    assert served(desk) == ["behind"]


def test_the_turn_ends_when_nobody_in_line_can_be_served() -> None:
    desk = a_desk(an_agent("ann"), an_agent("bob"), teams=[a_team("sales", "ann")])
    line = [a_waiting(f"c{number}", number, team_id="sales", passed=("ann/1",)) for number in range(7)]
    assert not drain(desk, line, heads=2)
    assert desk.told == {}


def test_who_let_it_pass_is_not_read_for_when_nobody_else_is_eligible() -> None:
    read = []
    line = {f"c{number}": a_waiting(f"c{number}", number, returned=True, passed=("ann/1",)) for number in range(7)}
    desk = a_desk(an_agent("ann"))
    page = reader(desk, line, 2)
    desk.drain(lambda after: read.append(after) or page(after))  # type: ignore[func-returns-value]
    assert read == [None]


def test_a_request_does_not_overtake_when_more_stand_ahead_than_a_page_holds() -> None:
    desk = a_desk(an_agent("ann", capacity=2))
    desk.request("late", 1, a_wish(99))
    drain(desk, [a_waiting("c1", 1), a_waiting("c2", 2), a_waiting("c3", 3)], heads=1)
    assert "late" not in served(desk)
    desk = a_desk(an_agent("ann", capacity=9))
    desk.request("late", 1, a_wish(99))
    assert drain(desk, [a_waiting("c1", 1), a_waiting("c2", 2)], heads=1)
    assert served(desk) == ["c1"]
    assert desk.told["late"].outcome == "queued"
    assert desk.told["late"].decision is not None
    assert desk.told["late"].decision.reason == "Others are ahead who ask for the same agents."


def test_the_turn_goes_on_until_it_is_answered_when_one_would_not_wait() -> None:
    line = [a_waiting(f"c{number}", number) for number in range(3)]
    desk = a_desk(an_agent("ann", capacity=9))
    desk.request("late", 1, a_wish(99, unavailable="bye"))
    drain(desk, line, heads=1)
    assert served(desk) == ["c0", "c1", "c2", "late"]
    desk = a_desk(an_agent("ann", capacity=3))
    desk.request("late", 1, a_wish(99, unavailable="bye"))
    drain(desk, line, heads=1)
    assert desk.told["late"].outcome == "unavailable"


def test_a_request_of_high_priority_is_served_first_when_it_joins_ahead_of_the_page() -> None:
    desk = a_desk(an_agent("ann", capacity=1))
    desk.request("urgent", 1, a_wish(99, priority="high"))
    drain(desk, [a_waiting("c1", 1), a_waiting("c2", 2)], heads=1)
    assert served(desk) == ["urgent"]


def test_the_line_is_whole_when_a_page_ends_with_it() -> None:
    line = {"c1": a_waiting("c1", 1), "c2": a_waiting("c2", 2)}
    read = reader(a_desk(an_agent("ann")), line, 2)
    assert [(len(page.heads), page.whole) for page in (read(None), read(line["c2"].place))] == [(2, False), (0, True)]


def test_the_place_sorts_by_moment_when_priorities_are_equal() -> None:
    early, late = (Assignment("c", "channel", "contact", "queued", requested_at=moment(at)) for at in (9, 10))
    assert early.place is not None
    assert late.place is not None
    assert early.place < late.place
