"""The services as the streams' background threads call them."""

import threading
from collections.abc import Callable
from typing import Any


class RecordingRpc:
    """Remembers the calls, and answers what a test says."""

    def __init__(self, answer: Callable[[str, dict[str, Any]], Any]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, method: str, /, *, timeout: float | None = None, **kwargs: Any) -> Any:
        with self._lock:
            self.calls.append((f"{service}.{method}", kwargs))
        return self._answer(f"{service}.{method}", kwargs)

    def asked(self, name: str) -> list[dict[str, Any]]:
        """The arguments of each call of a method."""
        with self._lock:
            return [arguments for called, arguments in self.calls if called == name]
