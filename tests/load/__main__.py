"""`python -m tests.load`: measures every scenario and writes its report; with --quick, or of some scenarios, only shows it.

Scenarios of one report are its sections; it is written anew with each, so a run that is stopped leaves what is done.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.process import REPOSITORY
from tests.load import machine
from tests.load.lab import Lab
from tests.load.plots import draw
from tests.load.report import IMAGES, Report, Section, Value, to_json, to_markdown
from tests.load.scenarios import REPORTS, SCENARIOS


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 1 when something was lost, so that the numbers prove nothing."""
    options = _build_parser().parse_args(arguments)
    # The streams' threads must note what arrives when it arrives, not when the sending threads have had their 5 ms.
    sys.setswitchinterval(0.001)
    known = machine.facts()
    target = options.output or (None if options.quick or options.scenarios else REPOSITORY / "docs")
    if target is not None:
        target.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    sections: dict[str, list[Section]] = {}
    with tempfile.TemporaryDirectory(prefix="foyer-load-") as folder:
        lab = Lab(Path(folder), options.quick, lambda text: print(text, file=sys.stderr, flush=True))
        for scenario in (SCENARIOS[name] for name in options.scenarios or SCENARIOS):
            section = scenario.measure(lab)
            sections.setdefault(scenario.report, []).append(section)
            faults += [f"{section.name}: {fault}" for fault in section.faults]
            if target is not None:
                _write(_report(scenario.report, known | lab.versions, sections[scenario.report]), scenario.report, target)
        if target is None:
            for name, found in sections.items():
                print(to_markdown(_report(name, known | lab.versions, found)))
    for fault in faults:
        print(f"load: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _report(name: str, known: dict[str, Value], sections: Sequence[Section]) -> Report:
    return Report(datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), known, sections, REPORTS[name])


def _write(report: Report, name: str, target: Path) -> None:
    (target / f"{name}.md").write_text(to_markdown(report))
    (target / f"{name}.json").write_text(json.dumps(to_json(report), indent=2, ensure_ascii=False) + "\n")
    for plot in report.sections[-1].plots:  # the others are drawn already
        draw(plot, target / IMAGES)
    print(f"Written: {target / name}.md and .json", file=sys.stderr)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load",
        description="Measures the product under load, on loopback, beside the raw ceilings of this machine.",
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; all without any")
    parser.add_argument("--quick", action="store_true", help="a short run that shows that the scenarios work")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write the reports, .md and .json (docs)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
