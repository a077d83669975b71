"""Calls to the services, timed."""

import time
from typing import Any

from prometheus_client import Histogram

from services.common.metrics import LATENCY_BUCKETS
from services.common.rpc_client import RpcClient

CALL_SECONDS = Histogram(
    "foyer_gateway_rpc_seconds", "Time from a call to its answer or failure", ["service", "method"], buckets=LATENCY_BUCKETS
)


class TimedRpcClient(RpcClient):
    """An RpcClient whose every call is observed."""

    def call(self, service: str, method: str, /, *, timeout: float | None = None, **kwargs: Any) -> Any:
        """As RpcClient.call."""
        began = time.perf_counter()
        try:
            return super().call(service, method, timeout=timeout, **kwargs)
        finally:
            CALL_SECONDS.labels(service, method).observe(time.perf_counter() - began)
