"""Draws the report's plots as SVG: the same numbers give the same bytes, and letters are drawn, so no font is needed to read them."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from tests.load.report import Plot, Series

SIZE = (7.6, 4.2)  # inches; the text column of a rendered page
# Okabe and Ito's, which people with any colour vision can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b8a900")
MARKERS = "osD^vPX*"
FAINT = "#777777"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "foyer",
    "path.simplify": False,
}


def draw(plot: Plot, folder: Path) -> Path:
    """Write `<name>.svg` into the folder, which is made when it isn't there, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{plot.name}.svg"
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        if plot.stacked:
            _stack(axes, plot)
        else:
            _line(axes, plot)
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
        axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
        axes.grid(axis="y", color="#dddddd", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        if not plot.y_log:
            axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5), reverse=plot.stacked)
        figure.savefig(path, format="svg", metadata={"Date": None})
    return path


def _line(axes: Axes, plot: Plot) -> None:
    if plot.x_log:
        axes.set_xscale("log")
    if plot.y_log:
        axes.set_yscale("log")
    measured = 0
    for number, series in enumerate(plot.series):
        xs, ys = [float(x) for x, _ in series.points], [y for _, y in series.points]
        if series.reference:
            axes.plot(
                xs, ys, label=series.label, color=FAINT, linestyle="--", marker=MARKERS[number % len(MARKERS)], markersize=4
            )
            continue
        colour = COLOURS[measured % len(COLOURS)]
        axes.plot(xs, ys, label=series.label, color=colour, marker=MARKERS[number % len(MARKERS)], linewidth=1.8)
        measured += 1
    ticks = sorted({float(x) for series in plot.series for x, _ in series.points})
    axes.set_xticks(ticks, [_plain(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())


def _stack(axes: Axes, plot: Plot) -> None:
    names = list(dict.fromkeys(str(x) for series in plot.series for x, _ in series.points))
    below = dict.fromkeys(names, 0.0)
    for number, series in enumerate(plot.series):
        heights = _heights(series, names)
        axes.bar(names, heights, bottom=list(below.values()), label=series.label, color=COLOURS[number % len(COLOURS)], width=0.6)
        below = {name: below[name] + height for name, height in zip(names, heights, strict=True)}


def _heights(series: Series, names: list[str]) -> list[float]:
    found = {str(x): y for x, y in series.points}
    return [found.get(name, 0.0) for name in names]


def _plain(value: float, _position: object = None) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"
