"""Makes arrivals happen when they are due, whatever became of the earlier ones."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import urllib3

START_SECONDS = 0.2  # from the call to the first arrival, so that the workers are awake


@dataclass
class Arrival:
    """One of a run; moments in seconds of `time.perf_counter`. Latencies count from `due`: waiting in line is part of them."""

    number: int
    due: float
    begun: float = 0.0
    answered: float = 0.0
    fault: str = ""


@dataclass(frozen=True)
class Run:
    """What happened to a schedule."""

    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def lateness(self) -> float:
        """By how many seconds the driver itself was late at most: much of it means that it was the bottleneck."""
        return max((arrival.begun - arrival.due for arrival in self.arrivals if arrival.begun), default=0.0)

    @property
    def faults(self) -> list[str]:
        """One sentence for each kind of failure."""
        faults = [arrival.fault for arrival in self.arrivals if arrival.fault]
        return [f"{faults.count(fault)} of {len(self.arrivals)} arrivals failed: {fault}" for fault in sorted(set(faults))]


def drive(schedule: Sequence[float], act: Callable[[int], None], *, workers: int, timeout: float) -> Run:
    """Call `act` with the number of each arrival when it is due, in one of `workers` threads; return when all have answered.

    What `act` raises, or what has no answer `timeout` seconds after the last was due, is the arrival's fault.
    """
    began = time.perf_counter() + START_SECONDS
    arrivals = [Arrival(number, began + seconds) for number, seconds in enumerate(schedule)]

    def perform(arrival: Arrival) -> None:
        arrival.begun = time.perf_counter()
        try:
            act(arrival.number)
        except Exception as error:  # whatever it is, it goes into the report
            arrival.fault = f"{type(error).__name__}: {error}"[:200]
        arrival.answered = time.perf_counter()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="arrival")
    try:
        ready = threading.Barrier(workers + 1)
        for _ in range(workers):
            pool.submit(ready.wait, 10)
        ready.wait(10)
        futures = []
        for arrival in arrivals:
            time.sleep(max(0.0, arrival.due - time.perf_counter()))
            futures.append(pool.submit(perform, arrival))
        wait(futures, timeout)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    for arrival in arrivals:
        if not arrival.answered:
            arrival.fault = f"no answer within {timeout:g} s"
    return Run(arrivals)


class Caller:
    """Requests to one gateway over connections that are kept; no proxy of the environment, no repetition."""

    def __init__(self, url: str, connections: int) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._pool = urllib3.HTTPConnectionPool(host, int(port), maxsize=connections, block=True, timeout=15, retries=False)

    def send(self, method: str, path: str, body: object, token: str | None = None) -> object:
        """The decoded body of a 2xx answer. Raises RuntimeError for any other."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._pool.request(method, path, json=body, headers=headers)
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}")
        return answer.json() if answer.data else None

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
