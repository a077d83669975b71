"""The base of the four services: what each has without saying so."""

import threading
import time
from typing import Any

from nameko.extensions import DependencyProvider

from services.common import logs, metrics, tracing
from services.common.events import Subscription
from services.common.rpc import Rpc, rpc
from services.common.storage import Storage
from services.common.version import VERSION
from services.common.workers import Workers

log = logs.get_logger(__name__)

WATCH_SECONDS = 15.0  # unless somebody asked meanwhile


class RequestContext(DependencyProvider):
    """Gives each worker the id of the request that caused it, for its logs and events, and its place in the trace."""

    def worker_setup(self, worker_ctx: Any) -> None:
        """Bind them in the worker's own context."""
        request_id = worker_ctx.data.get("request_id")
        logs.request_id.set(request_id if isinstance(request_id, str) else None)
        sent_at = worker_ctx.data.get("sent_at")
        if isinstance(sent_at, int | float):
            # Clocks that differ make it negative.
            metrics.RPC_WAIT_SECONDS.labels(self.container.service_name).observe(max(0.0, time.time() - sent_at))
        if tracing.active():
            worker_ctx.span = self._start_span(worker_ctx)

    def worker_result(self, worker_ctx: Any, result: Any = None, exc_info: Any = None) -> None:  # noqa: ARG002 - nameko's signature
        """End its span."""
        span = getattr(worker_ctx, "span", None)
        if span is not None:
            span.end(exc_info[1] if exc_info else None)

    def _start_span(self, worker_ctx: Any) -> tracing.Span | None:
        entrypoint, parent = worker_ctx.entrypoint, worker_ctx.data.get("traceparent")
        if isinstance(entrypoint, Subscription):
            event = worker_ctx.args[0]
            attributes = {"messaging.system": "rabbitmq", "messaging.message.id": event.id}
            return tracing.start(f"{event.source}.{event.type}", "consumer", parent=parent, **attributes).enter()
        if isinstance(entrypoint, Rpc) and entrypoint.method_name != tracing.UNTRACED:
            name = f"{self.container.service_name}.{entrypoint.method_name}"
            return tracing.start(name, "server", parent=parent, **{"rpc.system": "amqp", "rpc.method": name}).enter()
        return None


class Health(DependencyProvider):
    """Whether this process can do its work: tried, not assumed."""

    def setup(self) -> None:
        """Nothing was tried yet."""
        self._checked_at = 0.0
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to try by itself, for the metrics."""
        self.container.spawn_managed_thread(self._watch, identifier="health")

    def stop(self) -> None:
        """No longer."""
        self._stopping.set()

    kill = stop

    def check(self) -> dict[str, Any]:
        """`{service, instance, status: ok|degraded, database, broker, events, outbox, workers, version}`."""
        parts = {
            "database": all(provider.answers() for provider in self._dependencies(Storage)),
            "broker": all(entrypoint.server.alive for entrypoint in self._entrypoints(Rpc)),
            "events": all(entrypoint.consumer.connected for entrypoint in self._entrypoints(Subscription)),
            "outbox": all(provider.relay.gets_on for provider in self._dependencies(Storage)),
            "workers": not self.hanging(),
        }
        self._checked_at = time.monotonic()
        for part, well in parts.items():
            metrics.HEALTH.labels(part).set(well)
        status = "ok" if all(parts.values()) else "degraded"
        return {"service": self.container.service_name, "instance": logs.INSTANCE, "status": status, **parts, "version": VERSION}

    def hanging(self) -> list[str]:
        """The kinds of workers that hang, which nothing but a new process mends."""
        return [kind for workers in self._dependencies(Workers) for kind in workers.hanging()]

    def get_dependency(self, worker_ctx: Any) -> "Health":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self

    def _watch(self) -> None:
        while not self._stopping.wait(1.0):
            try:
                self._take_calls_again()
                if time.monotonic() - self._checked_at >= WATCH_SECONDS:
                    self.check()
            except Exception:  # the gauges keep what was found last
                self._checked_at = time.monotonic()
                log.exception("health_not_checked")

    def _take_calls_again(self) -> None:
        behind = [entrypoint.server for entrypoint in self._entrypoints(Rpc) if entrypoint.server.behind]
        if behind and all(provider.answers() for provider in self._dependencies(Storage)):
            behind[0].stand_beside()  # all methods share one

    def _dependencies(self, kind: type) -> list[Any]:
        return [provider for provider in self.container.dependencies if isinstance(provider, kind)]

    def _entrypoints(self, kind: type) -> list[Any]:
        return [entrypoint for entrypoint in self.container.entrypoints if isinstance(entrypoint, kind)]


class Service:
    """Inherit from it; add a `name`, a `store = Storage(…)`, methods with `@rpc` and `@subscribe`."""

    context = RequestContext()
    health = Health()
    workers = Workers()

    @rpc
    def get_health(self) -> dict[str, Any]:
        """`{service, instance, status: ok|degraded, database, broker, events, outbox, workers, version}`, tried at this moment."""
        return self.health.check()
