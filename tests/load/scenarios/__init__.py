"""What can be measured: a scenario is a function from the lab to its section, and the report that it is published in."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.load.lab import Lab
from tests.load.report import Section
from tests.load.scenarios import assigned, assignment, bot, console, delivery, growth, lists, memory, messages, replicas, streams


@dataclass(frozen=True)
class Scenario:
    """`report` is the name of its files in docs."""

    measure: Callable[[Lab], Section]
    report: str


PERFORMANCE = "performance-report"
REPORTS = {"load-report": "Load report", "console-report": "Load report", PERFORMANCE: "Performance report"}
"""The titles of the reports, whose files in docs are named so."""

SCENARIOS = {
    assignment.NAME: Scenario(assignment.measure, "load-report"),
    console.NAME: Scenario(console.measure, "console-report"),
    messages.NAME: Scenario(messages.measure, PERFORMANCE),
    delivery.NAME: Scenario(delivery.measure, PERFORMANCE),
    bot.NAME: Scenario(bot.measure, PERFORMANCE),
    assigned.NAME: Scenario(assigned.measure, PERFORMANCE),
    lists.NAME: Scenario(lists.measure, PERFORMANCE),
    memory.NAME: Scenario(memory.measure, PERFORMANCE),
    streams.NAME: Scenario(streams.measure, PERFORMANCE),
    replicas.NAME: Scenario(replicas.measure, PERFORMANCE),
    growth.NAME: Scenario(growth.measure, PERFORMANCE),
}
