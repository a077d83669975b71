"""Which fault comes when, what a round's history keeps for the next one, and how the report tells of it."""

from collections import Counter

import pytest

from tests.chaos.faults.catalogue import FAULTS
from tests.chaos.history import Arrival, Attempt, History, Said
from tests.chaos.report import Report, to_json, to_markdown
from tests.chaos.rounds import Round, plan
from tests.chaos.streams import to_arrival
from tests.chaos.violation import Violation


def test_every_fault_comes_equally_often_and_the_seed_alone_decides_when() -> None:
    names = plan(["a", "b", "c"], 9, seed=5)
    assert Counter(names) == {"a": 3, "b": 3, "c": 3}
    assert names == plan(["a", "b", "c"], 9, seed=5)
    assert any(names != plan(["a", "b", "c"], 9, seed=seed) for seed in range(6, 12))
    assert len(plan(["a", "b", "c"], 100, seed=5)) == 100


def test_names_of_faults_are_their_own_and_each_says_what_it_does() -> None:
    for name, fault in FAULTS.items():
        assert name == fault.name
        assert fault.title
        assert name.replace("-", "").isalnum()


def make_attempt(status: int, began: float = 0.0, code: str = "") -> Attempt:
    return Attempt("say", began, began + 0.5, status, code)


def test_outcomes_tell_honest_refusals_from_silence_and_from_wrong_answers() -> None:
    history = History()
    for status in (201, 503, 429, 0, 500, 404):
        history.note(make_attempt(status))
    assert history.outcomes() == {"confirmed": 1, "refused": 2, "unanswered": 1, "other": 2}


def test_first_success_counts_requests_that_began_after_the_fault() -> None:
    history = History()
    history.note(make_attempt(200, began=0.9))
    assert history.first_success_after(1.0) is None
    history.note(make_attempt(503, began=1.1))
    history.note(make_attempt(200, began=3.0))
    assert history.first_success_after(1.0) == 3.5


def test_settled_history_goes_on_where_the_streams_stand_and_forgets_what_is_over() -> None:
    history = History()
    history.begin_conversation("over", "mia")
    history.begin_conversation("open", "bo")
    history.archived.add("over")
    history.said.append(Said("over", "m1", 1, "visitor", "hi", "key"))
    watching, gone = history.open_stream("ada"), history.open_stream("mia", "mia")
    watching.arrivals = [Arrival("e", 7, "message.created", "m1", 0, "over", 1, "hi")]
    gone.closed = True
    history.settle({"over": 4, "open": 2}, ["over"])
    assert (history.said, history.archived, history.contacts) == ([], set(), {"open": "bo"})
    assert history.finished == {"over"}
    assert [each.text for each in history.all_said] == ["hi"]
    assert history.streams == [watching]
    assert (watching.arrivals, watching.began, watching.known) == ([], ("e", 7), {"open": 2})


@pytest.mark.parametrize(
    ("name", "data", "arrival"),
    [
        (
            "message.created",
            {"id": "m1", "conversation_id": "c1", "seq": 3, "text": "hi"},
            Arrival("e", 9, "message.created", "m1", 0, "c1", 3, "hi"),
        ),
        ("conversation.updated", {"id": "c1", "version": 4}, Arrival("e", 9, "conversation.updated", "c1", 4, "c1")),
        ("conversation.typing", {"conversation_id": "c1"}, Arrival("e", 9, "conversation.typing", "c1", 0, "c1")),
        (
            "assignment.updated",
            {"conversation_id": "c1", "version": 2},
            Arrival("e", 9, "assignment.updated", "c1", 2, "c1"),
        ),
        ("agent.updated", {"id": "a1", "version": 8}, Arrival("e", 9, "agent.updated", "a1", 8)),
        ("team.deleted", {"id": "t1"}, Arrival("e", 9, "team.deleted", "t1")),
    ],
)
def test_arrivals_keep_what_the_checker_compares(name: str, data: dict[str, object], arrival: Arrival) -> None:
    assert to_arrival("e-9", name, data) == arrival


def make_report(*violations: Violation) -> Report:
    outcomes = Counter(confirmed=200, refused=30, unanswered=4)
    rounds = [
        Round(
            1,
            "kill-broker",
            ["killed broker"],
            outcomes,
            Counter({"503 X": 30}),
            {"messages": 50},
            recovery=8.04,
            first_success=7.0,
        ),
        Round(2, "kill-broker", ["killed broker"], outcomes, recovery=12.0, first_success=9.0, violations=list(violations)),
    ]
    titles = {"kill-broker": "SIGKILL of RabbitMQ", "kill-contacts": "SIGKILL of contacts"}
    return Report("2026-11-30", "python -m tests.chaos", 3, {"cores": 2}, titles, rounds, {"disk-full": "It needs root."})


def test_report_counts_by_fault_and_says_that_nothing_was_wrong() -> None:
    text, values = to_markdown(make_report()), to_json(make_report())
    assert "Nothing was lost" in text
    assert "| `kill-broker` | 2 | 468 | 400 | 60 | 8 | 0 | 0 | 0 | 0 | 0 | 0 | 8.0 | 10.0 | 12.0 | 0.0 |" in text
    assert "kill-contacts" not in text
    assert "`disk-full`: It needs root." in text
    assert values["faults"]["kill-broker"]["recovery_seconds"] == {"p50": 10.02, "max": 12.0}
    assert values["rounds"][0]["codes"] == {"503 X": 30}
    assert (values["seed"], values["totals"]["told"]) == (3, {"messages": 50})


def test_report_tells_every_violation_in_full() -> None:
    report = make_report(Violation("lost", "conversation c1", "message m1, seq 4"))
    assert "round 2, kill-broker: lost: conversation c1: message m1, seq 4" in to_markdown(report)
    assert to_json(report)["totals"]["violations"]["lost"] == 1
    assert "1 violations" in to_markdown(report)
