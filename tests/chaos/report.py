"""The chaos report: what each kind of fault did and what became of it, as Markdown for people and JSON for programs. Pure."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from tests.chaos.rounds import Round
from tests.chaos.violation import KINDS

HEADINGS = (
    "fault",
    "rounds",
    "requests",
    "confirmed",
    "refused (503 …)",
    "no answer",
    *KINDS,
    "first success s, p50",
    "recovery s, p50",
    "recovery s, max",
    "slowest answer s",
)

# How a reader should take the table.
METHOD = (
    "Real processes on this one machine: RabbitMQ, mongod, two replicas of messaging and of assignment, presence, contacts, two gateways. "
    "Visitors and agents with open streams use all of it the whole time and behave as the documentation asks clients to: the same request again "
    "with the same ids, at another gateway; streams resume at the other gateway with the last id they saw. In each round a fault strikes at a random moment, "
    "is ended, and once everything that was asked has been answered, what clients were told is compared with what is stored and with what each stream "
    "showed. *First success* counts from the fault's beginning to the end of the first request that began after it and succeeded; *recovery* from the "
    "fault's end until one request of every kind has succeeded at every gateway and `/readyz` is 200. *No answer* are refused connections and "
    "requests that a killed or frozen gateway never answered; *slowest answer* is of those that were answered, whatever it was."
)


@dataclass
class Report:
    """A run."""

    made_at: str
    command: str
    seed: int
    machine: Mapping[str, Any]
    titles: Mapping[str, str]
    rounds: Sequence[Round]
    skipped: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def violations(self) -> list[str]:
        """Every one, with its round."""
        return [f"round {each.number}, {each.fault}: {violation}" for each in self.rounds for violation in each.violations]


def to_json(report: Report) -> dict[str, Any]:
    """What docs/chaos-report.json holds."""
    return {
        "made_at": report.made_at,
        "command": report.command,
        "seed": report.seed,
        "seconds": round(report.seconds),
        "machine": dict(report.machine),
        "skipped": dict(report.skipped),
        "totals": _summary(report.rounds),
        "faults": {name: _summary(_of(report, name)) for name in report.titles if _of(report, name)},
        "rounds": [_round_json(each) for each in report.rounds],
    }


def to_markdown(report: Report) -> str:
    """What docs/chaos-report.md holds."""
    totals = _summary(report.rounds)
    wrong = report.violations
    verdict = "**Nothing was lost, doubled, missed or stuck.**" if not wrong else f"**{len(wrong)} violations**, told below."
    parts = [
        "# Chaos report",
        f"Written by `{report.command}` at {report.made_at}: {totals['rounds']} rounds in {report.seconds / 60:.0f} minutes, seed {report.seed}. {verdict}",
        "\n".join(f"- {name}: {value}" for name, value in report.machine.items()),
        METHOD,
        _table(HEADINGS, [_row(report, name) for name in report.titles if _of(report, name)] + [_cells("all", totals)]),
        "\n".join(f"- `{name}`: {title}" for name, title in report.titles.items() if _of(report, name)),
    ]
    if report.skipped:
        parts += ["## Left out", "\n".join(f"- `{name}`: {reason}" for name, reason in report.skipped.items())]
    if wrong:
        parts += ["## Violations", "\n".join(f"- {each}" for each in wrong)]
    return "\n\n".join(parts) + "\n"


def _of(report: Report, name: str) -> list[Round]:
    return [each for each in report.rounds if each.fault == name]


def _summary(rounds: Sequence[Round]) -> dict[str, Any]:
    outcomes: Counter[str] = sum((each.outcomes for each in rounds), Counter())
    told: Counter[str] = sum((Counter(each.told) for each in rounds), Counter())
    found = Counter(violation.kind for each in rounds for violation in each.violations)
    recoveries = [each.recovery for each in rounds if each.recovery is not None]
    first = [each.first_success for each in rounds if each.first_success is not None]
    return {
        "rounds": len(rounds),
        "requests": outcomes.total(),
        "confirmed": outcomes["confirmed"],
        "refused": outcomes["refused"],
        "unanswered": outcomes["unanswered"],
        "other": outcomes["other"],
        "told": dict(told),
        "stream_events": sum(each.events for each in rounds),
        "resets": sum(each.resets for each in rounds),
        "slowest_answer_seconds": round(max((each.slowest for each in rounds), default=0.0), 2),
        "violations": {kind: found[kind] for kind in KINDS},
        "first_success_seconds": _spread(first),
        "recovery_seconds": _spread(recoveries),
    }


def _spread(seconds: Sequence[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "max": None}
    return {"p50": round(statistics.median(seconds), 2), "max": round(max(seconds), 2)}


def _round_json(played: Round) -> dict[str, Any]:
    values = {each.name: getattr(played, each.name) for each in fields(played)}
    values["violations"] = [str(each) for each in played.violations]
    for name in ("recovery", "first_success", "settled", "slowest", "seconds"):
        values[name] = None if values[name] is None else round(values[name], 2)
    return values


def _row(report: Report, name: str) -> list[str]:
    return _cells(f"`{name}`", _summary(_of(report, name)))


def _cells(name: str, summary: Mapping[str, Any]) -> list[str]:
    numbers = [summary[key] for key in ("rounds", "requests", "confirmed", "refused", "unanswered")]
    found = [summary["violations"][kind] for kind in KINDS]
    first, recovery = summary["first_success_seconds"], summary["recovery_seconds"]
    seconds = (first["p50"], recovery["p50"], recovery["max"], summary["slowest_answer_seconds"])
    return [name, *(f"{number:,}" for number in [*numbers, *found]), *map(_seconds, seconds)]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
