"""What the command shows: aligned tables, ages and sizes for people, JSON for programs, and questions before what can't be undone."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from deploy.ops.errors import Declined

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def format_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as their widest cell; None is shown as a dash, numbers stand right."""
    body = [list(row) for row in rows]
    cells = [list(heads), *[["-" if cell is None else str(cell) for cell in row] for row in body]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    right = [bool(body) and all(isinstance(row[column], int | float | None) for row in body) for column in range(len(heads))]
    lines = [
        "  ".join(
            cell.rjust(width) if aligned else cell.ljust(width) for cell, width, aligned in zip(row, widths, right, strict=True)
        )
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def show_json(value: Any) -> None:
    """The value as indented JSON on standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str).decode())


def say(text: str) -> None:
    """How the work goes, on standard error, so that standard output stays the result."""
    print(text, file=sys.stderr, flush=True)


def format_age(seconds: float | None) -> str | None:
    """`41 s`, `12 min`, `3 h`, `2 d`: the largest unit that makes a whole number."""
    if seconds is None:
        return None
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def format_size(count: int) -> str:
    """`812 B`, `4.1 MB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def count_of(number: int, thing: str, things: str | None = None) -> str:
    """`1 letter`, `3 letters`; `things` where the plural is another."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal unless `yes`. Raises Declined, also where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        say(f"{question} Nobody can be asked here: give --yes.")
        raise Declined
    say(f"{question} [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Declined
