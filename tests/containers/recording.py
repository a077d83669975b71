"""What a run of the container tests measured, one JSON object a line, for `python -m tests.containers` to make a report of."""

import json
import os
from pathlib import Path
from typing import Any

VARIABLE = "FOYER_CONTAINER_RECORDS"


def record(kind: str, values: dict[str, Any]) -> None:
    """Add a line to the file that FOYER_CONTAINER_RECORDS names; nothing without it."""
    if name := os.environ.get(VARIABLE):
        with Path(name).open("a") as file:
            file.write(json.dumps({"kind": kind} | values) + "\n")


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The lines of a file by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text().splitlines():
        values = json.loads(line)
        found.setdefault(values.pop("kind"), []).append(values)
    return found
