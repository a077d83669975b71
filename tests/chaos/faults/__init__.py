"""
What is done to the product while people use it. A fault is a class here; `catalogue` lists all.

A round: `apply` under load, the load goes on for `seconds`, `heal`; then the round waits until all is well and looks for what is wrong.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from tests.chaos.product import ChaosProduct
    from tests.chaos.world import World


class Fault(ABC):
    """One kind of fault. One instance does all rounds of its kind, one after the other; it may keep what `heal` needs."""

    name: ClassVar[str]  # as in --faults and the report: lower case, with hyphens
    title: ClassVar[str]  # what it does to whom, in a line for the report
    seconds: ClassVar[float] = 3.0  # how long the load goes on between `apply` and `heal`
    # A product of its own for this kind's rounds, arranged by `prepare`; the other kinds share one and are not burdened by it.
    own_product: ClassVar[bool] = False
    # Whether streams may be told `reset` because of it: only where the event log itself is gone.
    resets: ClassVar[bool] = False

    def why_not(self) -> str:
        """Why it can't be done on this machine, a sentence for the report; empty if it can. Asked before anything starts."""
        return ""

    def prepare(self, product: "ChaosProduct") -> None:  # noqa: B027 - most have nothing to prepare
        """Arrange the product before it starts; called when `own_product` is set, and may fail with a reason."""

    @abstractmethod
    def apply(self, world: "World") -> None:
        """Begin the fault; return when it is in force. Random choices by `world.random` alone, so that a seed repeats them."""

    @abstractmethod
    def heal(self, world: "World") -> None:
        """End the fault and bring back what an operator or an orchestrator would, not waiting for it; also called when `apply` failed half way."""

    def clear(self, product: "ChaosProduct") -> None:  # noqa: B027 - most have nothing to clear
        """Take away what `prepare` made on the machine (mounts, relays); called after the product has stopped, whatever happened."""
