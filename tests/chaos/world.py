"""A running product with its crowd, and what a fault may do to it."""

import os
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.clients import Caller
from tests.chaos.history import History
from tests.chaos.load import RATE, VISITORS, Crowd
from tests.chaos.numbering import Numbering
from tests.chaos.product import SERVERS, ChaosProduct
from tests.chaos.witness import Witness


class Ended(Exception):
    """The run is to end."""


class World:
    """`open` when the product has started, `close` before it is stopped."""

    def __init__(self, product: ChaosProduct, say: Callable[[str], None]) -> None:
        self.product = product
        self.say = say
        self.random = random.Random()
        self.notes: list[str] = []
        self.ending = threading.Event()
        self.history = History()
        self.caller = Caller([gateway.url for gateway in product.gateways.values()], self.history, self.ending)
        self._numbers = Numbering()
        self.crowd: Crowd
        self.witnesses: list[tuple[Witness, str]] = []

    def open(self, *, rate: float = RATE, visitors: int = VISITORS) -> None:
        """Let the people in; they do nothing before the crowd is resumed."""
        self.crowd = Crowd(self.caller, self._numbers, rate=rate, visitors=visitors)
        self.crowd.begin()
        for number, url in enumerate(self.caller.urls, 1):
            self.witnesses.append((Witness(self.caller, self._numbers, self.crowd, f"Witness {number}"), url))

    def close(self) -> None:
        """Everybody goes."""
        self.ending.set()
        if hasattr(self, "crowd"):
            self.crowd.end()
        for witness, _ in self.witnesses:
            witness.leave()
        self.caller.close()

    def kill(self, *labels: str) -> None:
        """SIGKILL to all of them, at once; `broker` and `database` are labels too. Each is dead when this returns."""
        self._signal(labels, signal.SIGKILL)
        for label in labels:
            if label == "broker":
                self.product.broker.kill()
            elif label == "database":
                self.product.database.kill()
            else:
                self.product.process(label).kill()

    def revive(self, *labels: str) -> None:
        """Start again what does not run. Services don't wait for the servers, as nothing makes them."""
        servers = [label for label in labels if label in SERVERS and not self.product.process(label).running]
        for label in labels:
            if label not in SERVERS and not self.product.process(label).running:
                self.product.process(label).start()
        if not servers:
            return
        starts = {"broker": self.product.broker.start, "database": self.product.database.start}
        with ThreadPoolExecutor(len(servers)) as pool:
            for started in [pool.submit(starts[label]) for label in servers]:
                started.result()

    def freeze(self, *labels: str) -> None:
        """SIGSTOP to all that belongs to each."""
        self._signal(labels, signal.SIGSTOP)

    def thaw(self, *labels: str) -> None:
        """SIGCONT."""
        self._signal(labels, signal.SIGCONT)

    def wait(self, seconds: float) -> None:
        """The load goes on meanwhile. Raises Ended."""
        if self.ending.wait(seconds):
            raise Ended

    def note(self, text: str) -> None:
        """For the round's entry in the report."""
        self.notes.append(text)

    def _signal(self, labels: tuple[str, ...], number: signal.Signals) -> None:
        for label in labels:
            pid = self.product.process(label).pid
            if pid is not None:
                os.killpg(pid, number)
