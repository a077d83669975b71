"""The report: its numbers, its failures, and the sentence that the exit status follows."""

import pytest

from deploy.replay.performance import Totals
from deploy.replay.report import format_table, percentile, summarize


def totals(**changes: object) -> Totals:
    values: dict[str, object] = {"dialogues": 2, "played": 2, "messages": 30, "seconds": 1.5, "latencies": [0.004, 0.0121]}
    return Totals(**{**values, **changes})  # type: ignore[arg-type]


def test_percentile_is_a_measured_value_when_there_are_any() -> None:
    values = [float(number) for number in range(200, 0, -1)]
    assert (percentile(values, 50), percentile(values, 99), percentile(values, 100)) == (100.0, 198.0, 200.0)
    assert (percentile([3.0], 50), percentile([3.0], 99), percentile([], 99)) == (3.0, 3.0, None)


def test_run_is_proven_when_nothing_is_wrong() -> None:
    summary = summarize(totals())
    assert (summary["messages_per_second"], summary["p50_ms"], summary["p99_ms"], summary["proven"]) == (20.0, 4.0, 12.1, True)
    assert format_table(totals()).endswith("every stream saw each of its events exactly once.")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"failures": {"a": ["1 lost"]}, "lost": 1}, "1 dialogues failed"),
        ({"resets": 2}, "2 streams were reset"),
        ({"played": 1}, "1 dialogues were not played to their end"),
    ],
)
def test_run_is_not_proven_when_anything_is_wrong(changes: dict[str, object], complaint: str) -> None:
    assert not totals(**changes).proven
    assert format_table(totals(**changes)).endswith(f"Not proven: {complaint}.")


def test_first_ten_failures_are_shown_when_there_are_more() -> None:
    failures = {f"d{number}": ["one", "two", "three", "four"] for number in range(13)}
    table = format_table(totals(dialogues=13, played=13, failures=failures))
    assert "  d9: one; two; three; and 1 more\n  and 3 more\n" in table
    assert "d10" not in table


def test_table_is_printed_when_nothing_was_played() -> None:
    table = format_table(totals(played=0, messages=0, seconds=0.0, latencies=[]))
    assert "0 of 2" in table
    assert "post to arrival, p99" in table
