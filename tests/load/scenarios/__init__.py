"""What can be measured: a scenario is a function from the lab to its section of the report."""

from collections.abc import Callable

from tests.load.lab import Lab
from tests.load.report import Section
from tests.load.scenarios import assignment

SCENARIOS: dict[str, Callable[[Lab], Section]] = {
    assignment.NAME: assignment.measure,
}
