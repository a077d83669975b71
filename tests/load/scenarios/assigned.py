"""The assignment scenario's stages once more, shorter, so that their figures stand in the same run beside the others."""

from tests.load.lab import Lab
from tests.load.latency import number
from tests.load.report import Column, Figure, Section, Table
from tests.load.scenarios.assignment import Rows, Stage, measure_stages

NAME = "assigned"
STAGES = (Stage(5, 100), Stage(20, 300))
QUICK = (Stage(20, 20),)
FLOOR = "a bare broker message and a bare transaction"
TITLE = "From the visitor's wish to the agent's screen"

TEXT = (
    "A visitor answers the bot's last question, and the flow asks for one of ten connected agents: from the moment at which the POST was "
    "due until `conversation.assigned` is on the stream of the agent who got it. [The load report](load-report.md) has this at higher "
    "rates, in bursts and with more replicas, and says what lies on the way.\n\n"
    "The floor is one broker message published, consumed and acknowledged, and one transaction of two journaled writes, both bare, one "
    "after the other, with the same product idle beside them."
)


def measure(lab: Lab) -> Section:
    """With one process of each service."""
    rows = Rows()
    lab.say(f"{NAME}: starting a product")
    with lab.product() as world:
        measure_stages(lab, world, 1, QUICK if lab.quick else STAGES, rows)
    columns = [
        Column("rate", "arrivals/s"),
        Column("arrivals", "arrivals"),
        Column("lost", "lost"),
        Column("p50", "p50 ms", 1),
        Column("p99", "p99 ms", 1),
        Column("max", "max ms", 1),
        Column("floor_p50", "floor p50 ms", 1),
        Column("ratio_p50", "p50 / floor", 1),
        Column("floor_p99", "floor p99 ms", 1),
        Column("ratio_p99", "p99 / floor", 1),
    ]
    figures = [
        Figure(
            f"wish → the agent's stream at {number(row['rate']):g}/s, {key}",
            "ms",
            number(row[key]),
            FLOOR,
            number(row[f"floor_{key}"]),
        )
        for row in rows.stages
        for key in ("p50", "p99")
    ]
    return Section(NAME, TITLE, TEXT, [Table("With enough agents", columns, rows.stages)], rows.faults, (), figures)
