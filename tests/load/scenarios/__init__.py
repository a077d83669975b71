"""What can be measured: a scenario is a function from the lab to its section, and the report that it is published in."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.load.lab import Lab
from tests.load.report import Section
from tests.load.scenarios import assignment, console


@dataclass(frozen=True)
class Scenario:
    """`report` is the name of its files in docs."""

    measure: Callable[[Lab], Section]
    report: str


SCENARIOS = {
    assignment.NAME: Scenario(assignment.measure, "load-report"),
    console.NAME: Scenario(console.measure, "console-report"),
}
