"""Whether everything behind the gateway can do its work: asked of all services, once a second at most, whoever wants to know."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from services.common.errors import DomainError
from services.common.rpc_client import RpcClient
from services.common.topology import SERVICES

HEALTH_SECONDS = 2.0  # a service whose database is silent needs up to 1.4
SHARED_SECONDS = 1.0


class Readiness:
    """One per process; use from any thread."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._lock = threading.Lock()
        self._known_until = 0.0
        self._known: dict[str, Any] = {}

    def report(self) -> dict[str, Any]:
        """`{status: ok|unavailable, broker, services}`, a second old at most; who asks while somebody else does waits for that."""
        with self._lock:
            if time.monotonic() >= self._known_until:
                self._known = self._ask()
                self._known_until = time.monotonic() + SHARED_SECONDS
            return self._known

    def _ask(self) -> dict[str, Any]:
        with ThreadPoolExecutor(len(SERVICES)) as pool:
            asked = {service: pool.submit(copy_context().run, self._ask_health, service) for service in SERVICES}
            services = {service: future.result() for service, future in asked.items()}
        connected = self._rpc.connected
        ready = connected and all(health.get("status") == "ok" for health in services.values())
        return {"status": "ok" if ready else "unavailable", "broker": connected, "services": services}

    def _ask_health(self, service: str) -> dict[str, Any]:
        try:
            health: dict[str, Any] = self._rpc.call(service, "get_health", timeout=HEALTH_SECONDS)
        except DomainError as error:
            return {"status": "unavailable", "detail": error.text}
        return health
