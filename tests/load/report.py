"""The load report: what was measured, as sections of tables, written as Markdown for people and JSON for programs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Value = int | float | str | None


@dataclass(frozen=True)
class Column:
    """A column: its key in the JSON, its heading (with the unit) for people, and to how many decimals they are shown it."""

    key: str
    heading: str
    decimals: int = 0


@dataclass(frozen=True)
class Table:
    """Rows of values by column key; a value that is missing or None was not measured."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[dict[str, Value]]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """What a scenario found. `faults` are sentences on what should not have happened: a report with some proves nothing."""

    name: str
    title: str
    text: str
    tables: Sequence[Table]
    faults: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """Everything, with the machine's facts in the order in which they are shown."""

    made_at: str
    machine: dict[str, Value]
    sections: Sequence[Section] = field(default_factory=tuple)

    @property
    def faults(self) -> list[str]:
        """Those of all sections."""
        return [f"{section.name}: {fault}" for section in self.sections for fault in section.faults]


def to_json(report: Report) -> dict[str, Any]:
    """What docs/load-report.json holds."""
    return {
        "made_at": report.made_at,
        "machine": report.machine,
        "faults": report.faults,
        "scenarios": {
            section.name: {"title": section.title, "tables": [_table_json(table) for table in section.tables]}
            for section in report.sections
        },
    }


def to_markdown(report: Report) -> str:
    """What docs/load-report.md holds."""
    parts = [
        "# Load report",
        f"Written by `make bench` at {report.made_at}, with broker, database, services, gateway and the load itself on this one machine:",
        "\n".join(f"- {name}: {_show(value, 0)}" for name, value in report.machine.items()),
    ]
    if report.faults:
        parts += ["**Something went wrong, so the numbers prove nothing:**", "\n".join(f"- {fault}" for fault in report.faults)]
    for section in report.sections:
        parts += [f"## {section.title}", section.text]
        for table in section.tables:
            parts += [f"### {table.title}", _table_markdown(table)]
            parts += [table.note] if table.note else []
    return "\n\n".join(parts) + "\n"


def _table_json(table: Table) -> dict[str, Any]:
    rows = [{column.key: _rounded(row.get(column.key)) for column in table.columns} for row in table.rows]
    return {"title": table.title, "columns": {column.key: column.heading for column in table.columns}, "rows": rows}


def _table_markdown(table: Table) -> str:
    lines = [[column.heading for column in table.columns], ["---:"] * len(table.columns)]
    lines += [[_show(row.get(column.key), column.decimals) for column in table.columns] for row in table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _rounded(value: Value) -> Value:
    return round(value, 3) if isinstance(value, float) else value


def _show(value: Value, decimals: int) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:,.{decimals}f}"
        case int():
            return f"{value:,}"
        case _:
            return value
