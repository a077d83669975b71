"""What is counted of a turn."""

from prometheus_client import REGISTRY

from services.assignment.metrics import count_turn
from tests.unit.assignment.builders import ALICE, a_desk, a_waiting, a_wish, an_agent, drain, moment


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_the_wait_and_the_estimates_error_are_observed_when_one_in_line_gets_an_agent() -> None:
    names = [f"foyer_assignment_{what}_seconds_{which}" for what in ("wait", "estimate_error") for which in ("count", "sum")]
    before = [value(name) for name in names]
    desk = a_desk(an_agent("ann", capacity=3), clock=lambda: moment(101))
    desk.assign("by_hand", "channel", "contact", "ann", ALICE)
    desk.request("at_once", 1, a_wish(101))
    drain(desk, [a_waiting("c1", 1, promised=70)])
    count_turn(desk)
    assert [value(name) - known for name, known in zip(names, before, strict=True)] == [2, 100, 1, 30]


def test_every_decision_is_counted_when_a_turn_makes_two_on_one_conversation() -> None:
    labels = [{"action": "assigned", "rule": "manual"}, {"action": "unassigned", "rule": "manual"}]
    before = [value("foyer_assignment_decisions_total", **each) for each in labels]
    desk = a_desk(an_agent("ann"))
    desk.assign("c1", "channel", "contact", "ann", ALICE)
    desk.unassign("c1", ALICE)
    count_turn(desk)
    assert [value("foyer_assignment_decisions_total", **each) - known for each, known in zip(labels, before, strict=True)] == [
        1,
        1,
    ]
