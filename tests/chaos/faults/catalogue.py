"""All faults by name, in the order of the report."""

from collections.abc import Mapping

from tests.chaos.faults import Fault, clock, disk, freeze, kill, partition, slow, wiped

FAULTS: Mapping[str, type[Fault]] = {
    fault.name: fault for module in (kill, freeze, wiped, disk, clock, slow, partition) for fault in module.FAULTS
}
