"""`python -m tests.containers RECORDS…`: what the container tests recorded, as docs/container-report.md."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.containers.recording import read

REPORT = Path(__file__).parents[2] / "docs" / "container-report.md"
FAULTS = {"kill": "killed (SIGKILL)", "pause": "frozen for {away:.0f} s", "partition": "cut off for {away:.0f} s"}
Rows = Sequence[Sequence[object]]


def main(arguments: Sequence[str]) -> int:
    """Write the report from the records of one or more runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.containers", description="Writes docs/container-report.md.")
    parser.add_argument("records", nargs="+", help="files that FOYER_CONTAINER_RECORDS named")
    parser.add_argument("--note", default="", help="a sentence on the machine or the images, for the head of the report")
    options = parser.parse_args(arguments)
    found: dict[str, list[dict[str, Any]]] = {}
    for name in options.records:
        for kind, lines in read(Path(name)).items():
            found.setdefault(kind, []).extend(lines)
    REPORT.write_text(render(found, options.note))
    return 0


def render(found: dict[str, list[dict[str, Any]]], note: str = "") -> str:
    """The report's text."""
    parts = [
        "# What was seen of the containers",
        (
            "Written by `python -m tests.containers RECORDS`, from what `FOYER_CONTAINER_RECORDS=RECORDS make test-containers` noted on a machine with "
            f"{os.cpu_count()} cores ({platform.machine()}), the load, all containers and the tests on it. Times tell of that machine; "
            "what must hold everywhere (nothing lost, nothing doubled, all well again) is asserted by the tests."
        ),
        *([note] if note else []),
        *_story(found),
        *_faults(found),
        *_rolling(found),
        *_backup(found),
    ]
    return "\n\n".join(parts) + "\n"


def _story(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    rows = [[f"{each['up_seconds']} s", f"{each['replay_seconds']} s"] for each in found.get("story", [])]
    images = {each["image"]: each for each in found.get("image", [])}
    sizes = [[name, _mb(each["bytes"]), _mb(each["over_base"]), _mb(each["own"])] for name, each in images.items()]
    return [
        "## From nothing to a proven replay",
        _table(["`up --build --wait` from nothing but the base images", "replay of the built-in dialogues"], rows),
        "## Images",
        "All but the balancer share the layer of packages, so on one machine it is there once.",
        _table(["image", "in all", "on top of the base image", "of its own"], sizes),
    ]


def _faults(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    rows = [
        [
            each["broker"],
            each["part"],
            FAULTS[each["fault"]].format(away=each["away_seconds"]),
            each["failed_attempts"],
            f"{each['served_again_seconds']} s",
            f"{each['slowest_seconds']} s",
            f"{each['healthy_seconds']} s",
        ]
        for each in found.get("faults", [])
    ]
    replays = [
        [
            each["broker"],
            each["part"],
            each["dialogues"],
            each["messages"],
            each["lost"],
            each["doubled"],
            each["out_of_order"],
            each["reconnects"],
            _reasons(each),
        ]
        for each in found.get("fault_replays", [])
    ]
    return [
        "## Parts broken under load",
        (
            "Two replicas of each service and of the gateway; one of them, or the only broker or database, is broken while dialogues are replayed and a visitor "
            "posts about four times a second. Times count from the fault, so those of a part that is away for 15 s contain them."
        ),
        _table(
            [
                "RabbitMQ",
                "part",
                "what happened",
                "failed posts of the visitor",
                "last failed post",
                "slowest post",
                "all containers healthy",
            ],
            rows,
        ),
        "The replay that ran meanwhile, over all three faults of a part:",
        _table(
            [
                "RabbitMQ",
                "part",
                "dialogues",
                "messages",
                "lost",
                "doubled",
                "out of order",
                "streams reconnected",
                "requests repeated",
            ],
            replays,
        ),
    ]


def _rolling(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    rows = [[each["part"], f"{each['seconds']} s", f"{each['served_again_seconds']} s"] for each in found.get("rolling", [])]
    replays = [
        [each["dialogues"], each["messages"], each["lost"], each["doubled"], each["reconnects"], _reasons(each)]
        for each in found.get("rolling_replay", [])
    ]
    return [
        "## Everything restarted, one container after the other",
        _table(["part", "until all its containers were healthy again", "last failed post after it began"], rows),
        _table(["dialogues", "messages", "lost", "doubled", "streams reconnected", "requests repeated"], replays),
    ]


def _backup(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    rows = [
        [each["messages_before"], f"{each['backup_seconds']} s", _mb(each["bytes"]), f"{each['restore_seconds']} s"]
        for each in found.get("backup", [])
    ]
    return [
        "## A backup under load",
        _table(["messages before it began, all restored", "backup with its verification", "file", "restore"], rows),
    ]


def _reasons(each: dict[str, Any]) -> str:
    return ", ".join(f"{count} of {reason}" for reason, count in sorted(each["retried_for"].items())) or "none"


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _table(head: Sequence[str], rows: Rows) -> str:
    if not rows:
        return "Not run."
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
