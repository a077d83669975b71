"""A report: what was measured, as sections of tables and plots, written as Markdown for people and JSON for programs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.load.numbers import ratio

Value = int | float | str | None
IMAGES = "images/performance"  # beside the report


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
class Series:
    """Points of a plot in the order of x: numbers, or names where they are bars. A `reference` is what is compared with, drawn fainter."""

    label: str
    points: Sequence[tuple[float | str, float]]
    reference: bool = False


@dataclass(frozen=True)
class Plot:
    """A picture of what tables say, drawn as `name`.svg: lines over numbers, or, `stacked`, bars over names. Labels have the units."""

    name: str
    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    stacked: bool = False
    x_log: bool = False
    y_log: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure that sums a section up, beside the raw ceiling of the same machine that it is to be compared with."""

    what: str
    unit: str
    value: float
    beside: str = ""
    ceiling: float | None = None
    decimals: int = 1


@dataclass(frozen=True)
class Section:
    """What a scenario found. `faults` are sentences on what should not have happened: a report with some proves nothing."""

    name: str
    title: str
    text: str
    tables: Sequence[Table]
    faults: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    figures: Sequence[Figure] = ()


@dataclass(frozen=True)
class Report:
    """Everything, with the machine's facts in the order in which they are shown."""

    made_at: str
    machine: dict[str, Value]
    sections: Sequence[Section] = field(default_factory=tuple)
    title: str = "Load report"

    @property
    def faults(self) -> list[str]:
        """Those of all sections."""
        return [f"{section.name}: {fault}" for section in self.sections for fault in section.faults]


def to_json(report: Report) -> dict[str, Any]:
    """What the report's .json holds."""
    figures = [_figure_json(figure) for section in report.sections for figure in section.figures]
    return {
        "made_at": report.made_at,
        "machine": report.machine,
        "faults": report.faults,
        **({"figures": figures} if figures else {}),
        "scenarios": {
            section.name: {"title": section.title, "tables": [_table_json(table) for table in section.tables]}
            for section in report.sections
        },
    }


def to_markdown(report: Report) -> str:
    """What the report's .md holds."""
    parts = [
        f"# {report.title}",
        f"Written by `make bench` at {report.made_at}, with broker, database, services, gateway and the load itself on this one machine:",
        "\n".join(f"- {name}: {_show(value, 0)}" for name, value in report.machine.items()),
    ]
    if report.faults:
        parts += ["**Something went wrong, so the numbers prove nothing:**", "\n".join(f"- {fault}" for fault in report.faults)]
    if any(section.figures for section in report.sections):
        parts += ["## At a glance", _figures_markdown(report.sections)]
    for section in report.sections:
        parts += [f"## {section.title}", section.text]
        parts += [f"![{plot.title}]({IMAGES}/{plot.name}.svg)" for plot in section.plots]
        for table in section.tables:
            parts += [f"### {table.title}", _table_markdown(table)]
            parts += [table.note] if table.note else []
    return "\n\n".join(parts) + "\n"


def _figures_markdown(sections: Sequence[Section]) -> str:
    lines = [["figure", "measured", "raw ceiling", "", "measured / ceiling"], ["---", "---:", "---:", "---", "---:"]]
    for figure in (figure for section in sections for figure in section.figures):
        value, ceiling = (_show(each, figure.decimals) for each in (figure.value, figure.ceiling))
        share = None if figure.ceiling is None else ratio(figure.value, figure.ceiling)
        known = "" if figure.ceiling is None else f"{ceiling} {figure.unit}"
        lines.append([figure.what, f"{value} {figure.unit}", known, figure.beside, "" if share is None else _show(share, 2)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _figure_json(figure: Figure) -> dict[str, Value]:
    known = {"what": figure.what, "unit": figure.unit, "value": _rounded(figure.value)}
    return known if figure.ceiling is None else known | {"beside": figure.beside, "ceiling": _rounded(figure.ceiling)}


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
