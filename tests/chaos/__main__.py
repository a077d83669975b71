"""`python -m tests.chaos`: plays rounds of faults under load and writes docs/chaos-report.*; exit status 1 when anything was wrong."""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.process import REPOSITORY
from tests.chaos.faults.catalogue import FAULTS
from tests.chaos.report import Report, to_json, to_markdown
from tests.chaos.rounds import Ended, Round, Run, plan
from tests.load import machine

ROUNDS = 104
QUICK = ("kill-messaging", "kill-gateway", "kill-broker", "kill-database")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was wrong, 1 otherwise."""
    options = _parser().parse_args(arguments)
    names = options.faults or (list(QUICK) if options.quick else list(FAULTS))
    rounds = options.rounds or (len(names) if options.quick or options.faults else ROUNDS)
    target = options.output or (None if options.quick or options.faults else REPOSITORY / "docs")
    known = machine.facts()
    began = time.monotonic()
    run = Run(options.seed, say=_say, done=_tell)
    whole = False
    try:
        run.play_all(plan(names, rounds, options.seed), FAULTS)
        whole = True
    except (KeyboardInterrupt, Ended):
        _say("interrupted: the report tells of the rounds until now")
    except Exception:  # what was played is told of all the same
        traceback.print_exc()
    report = Report(
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        command=_command(options, rounds),
        seed=options.seed,
        machine=known | run.versions,
        titles={name: fault.title for name, fault in FAULTS.items()},
        rounds=sorted(run.rounds, key=lambda each: each.number),
        skipped=run.skipped,
        seconds=time.monotonic() - began,
    )
    if target is None:
        print(to_markdown(report))
    else:
        (target / "chaos-report.md").write_text(to_markdown(report))
        (target / "chaos-report.json").write_text(json.dumps(to_json(report), indent=1, ensure_ascii=False) + "\n")
        _say(f"Written: {target / 'chaos-report'}.md and .json")
    return 0 if whole and report.rounds and not report.violations else 1


def _command(options: argparse.Namespace, rounds: int) -> str:
    parts = ["python -m tests.chaos", f"--rounds {rounds}", f"--seed {options.seed}"]
    return " ".join(parts + ([f"--faults {','.join(options.faults)}"] if options.faults else []))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _tell(played: Round) -> None:
    recovery = "not recovered" if played.recovery is None else f"recovered after {played.recovery:.1f} s"
    counts = ", ".join(f"{number} {name}" for name, number in sorted(played.outcomes.items()))
    _say(f"  {'; '.join(played.notes)}: {counts}; {recovery}; {played.seconds:.0f} s in all")
    for violation in played.violations:
        _say(f"  WRONG: {violation}")


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(FAULTS)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Kills, freezes and starves the product's parts under load, and checks that nothing of what it told was untrue.",
    )
    parser.add_argument("--rounds", type=int, help=f"how many ({ROUNDS}; one of each kind with --faults or --quick)")
    parser.add_argument("--seed", type=int, default=1, help="which fault comes when, whom it hits and for how long (1)")
    parser.add_argument("--faults", type=_names, metavar="A,B", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write the report, .md and .json (docs)")
    parser.add_argument("--quick", action="store_true", help="a few rounds, shown and not written")
    return parser


if __name__ == "__main__":
    sys.exit(main())
