"""Requests as bytes, what became of each, and what a run of many was. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson


def request(
    method: str, path: str, *, token: str | None = None, body: object = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """All bytes of a request whose body, if any, is JSON."""
    lines = {"Host": "127.0.0.1"} | ({"Authorization": f"Bearer {token}"} if token else {}) | dict(headers or {})
    content = b"" if body is None else orjson.dumps(body)
    if body is not None:
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content


@dataclass(slots=True)
class Exchange:
    """A request and what became of it; moments of `time.perf_counter`. `number` is the sender's, or the place in the schedule."""

    number: int
    due: float
    begun: float = 0.0
    answered: float = 0.0
    status: int = 0
    body: bytes = b""
    fault: str = ""


@dataclass(frozen=True)
class Load:
    """What a run was: `began` is its first moment, `seconds` how long it was to last (or lasted, when it ended sooner)."""

    exchanges: Sequence[Exchange]
    began: float
    seconds: float

    @property
    def confirmed(self) -> list[Exchange]:
        """Those that were answered with 2xx."""
        return [exchange for exchange in self.exchanges if not exchange.fault]

    @property
    def latencies(self) -> list[float]:
        """Seconds from when each was due until it was confirmed; in an open loop waiting in line is part of them."""
        return [exchange.answered - exchange.due for exchange in self.confirmed]

    @property
    def rate(self) -> float:
        """Confirmed requests a second, while all were sending."""
        end = self.began + self.seconds
        return sum(exchange.answered <= end for exchange in self.confirmed) / self.seconds if self.seconds > 0 else 0.0

    @property
    def lateness(self) -> float:
        """By how many seconds a request was sent too late at most: the load itself, or no connection was free."""
        return max((exchange.begun - exchange.due for exchange in self.exchanges if exchange.begun), default=0.0)

    @property
    def faults(self) -> list[str]:
        """One sentence for each kind of failure; with any, the run proves nothing."""
        found = [exchange.fault for exchange in self.exchanges if exchange.fault]
        return [f"{found.count(fault)} of {len(self.exchanges)} requests failed: {fault}" for fault in sorted(set(found))]
