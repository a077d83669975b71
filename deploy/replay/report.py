"""What a run shows: the progress bar, the table at the end, and the same numbers as JSON."""

import math
import shutil
import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from deploy.replay.performance import Totals

SHOWN_FAILURES = 10
_SHOWN_REASONS = 3


def open_progress(total: int | None) -> tuple[Callable[[int], None], Callable[[], None]]:
    """A bar on standard error, if that is a terminal: how to tell it the number played so far, and how to end it."""
    # A terminal that does not know its size says 0, and tqdm then shows nothing.
    columns, lines = shutil.get_terminal_size()
    hidden = not sys.stderr.isatty()
    bar = tqdm(total=total, unit="dialogue", ncols=columns, nrows=lines, disable=hidden, file=sys.stderr, leave=False)

    def show(played: int) -> None:
        bar.update(played - bar.n)

    return show, bar.close


def percentile(values: list[float], percent: float) -> float | None:
    """The nearest-rank percentile; None without values."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def summarize(totals: Totals) -> dict[str, Any]:
    """The numbers of a run, under the names of the JSON report; latencies in milliseconds."""
    p50, p99 = percentile(totals.latencies, 50), percentile(totals.latencies, 99)
    return {
        "dialogues": totals.dialogues,
        "played": totals.played,
        "messages": totals.messages,
        "seconds": round(totals.seconds, 3),
        "messages_per_second": round(totals.messages / totals.seconds, 1) if totals.seconds else 0.0,
        "p50_ms": None if p50 is None else round(p50 * 1000, 1),
        "p99_ms": None if p99 is None else round(p99 * 1000, 1),
        "lost": totals.lost,
        "doubled": totals.doubled,
        "out_of_order": totals.out_of_order,
        "resets": totals.resets,
        "reconnects": totals.reconnects,
        "retries": totals.retries,
        "throttled": totals.throttled,
        "retried_for": totals.retried_for,
        "failed": [{"id": dialogue, "reasons": reasons} for dialogue, reasons in totals.failures.items()],
        "proven": totals.proven,
    }


def format_table(totals: Totals) -> str:
    """The table, the first failures with their reasons, and the verdict in one sentence."""
    numbers = summarize(totals)
    rows = [
        ("dialogues", f"{totals.played} of {totals.dialogues}" if totals.played < totals.dialogues else str(totals.dialogues)),
        ("messages", str(totals.messages)),
        ("messages per second", str(numbers["messages_per_second"])),
        ("post to arrival, p50", _milliseconds(numbers["p50_ms"])),
        ("post to arrival, p99", _milliseconds(numbers["p99_ms"])),
        ("lost", str(totals.lost)),
        ("doubled", str(totals.doubled)),
        ("out of order", str(totals.out_of_order)),
        ("stream resets", str(totals.resets)),
        ("stream reconnects", str(totals.reconnects)),
        ("repeated requests", str(totals.retries)),
        ("of them too fast", str(totals.throttled)),
        ("failed dialogues", str(len(totals.failures))),
    ]
    width = max(len(value) for _, value in rows)
    lines = [f"{name:<22}{value:>{width}}" for name, value in rows]
    for dialogue, reasons in list(totals.failures.items())[:SHOWN_FAILURES]:
        more = f"; and {len(reasons) - _SHOWN_REASONS} more" if len(reasons) > _SHOWN_REASONS else ""
        lines.append(f"  {dialogue}: {'; '.join(reasons[:_SHOWN_REASONS])}{more}")
    if len(totals.failures) > SHOWN_FAILURES:
        lines.append(f"  and {len(totals.failures) - SHOWN_FAILURES} more")
    return "\n".join([*lines, "", _conclude(totals)])


def _conclude(totals: Totals) -> str:
    if totals.proven:
        return "Every transcript equals its input, and every stream saw each of its events exactly once."
    complaints = []
    if totals.failures:
        complaints.append(f"{len(totals.failures)} dialogues failed")
    if totals.resets:
        complaints.append(f"{totals.resets} streams were reset")
    if totals.played < totals.dialogues:
        complaints.append(f"{totals.dialogues - totals.played} dialogues were not played to their end")
    return f"Not proven: {', '.join(complaints)}."


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value} ms"
