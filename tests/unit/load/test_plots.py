"""The report's pictures."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.load.plots import draw
from tests.load.report import Plot, Series

LINES = Plot(
    "lines",
    "Rates",
    "senders",
    "a second",
    [Series("ours", [(1, 100), (64, 640)]), Series("bare", [(1, 900), (64, 3000)], reference=True)],
)
LOG = Plot("log", "Growth", "messages", "ms", [Series("p50", [(1_000, 5), (1_000_000, 9)])], x_log=True, y_log=True)
BARS = Plot(
    "bars", "Cost", "senders", "ms", [Series("gateway", [("1", 0.3), ("16", 0.2)]), Series("broker", [("16", 0.1)])], stacked=True
)


@pytest.mark.parametrize("plot", [LINES, LOG, BARS], ids=lambda plot: plot.name)
def test_same_numbers_give_the_same_picture(plot: Plot, tmp_path: Path) -> None:
    first, second = draw(plot, tmp_path / "first"), draw(plot, tmp_path / "second")
    assert first.name == f"{plot.name}.svg"
    assert first.read_bytes() == second.read_bytes()
    assert ET.parse(first).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own


def test_other_numbers_give_another_picture(tmp_path: Path) -> None:
    other = Plot("lines", "Rates", "senders", "a second", [Series("ours", [(1, 100), (64, 641)])])
    assert draw(LINES, tmp_path / "first").read_bytes() != draw(other, tmp_path / "second").read_bytes()
