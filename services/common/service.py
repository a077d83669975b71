"""The base of the four services: what each has without saying so."""

from typing import Any

from nameko.extensions import DependencyProvider

from services.common import logs
from services.common.rpc import Rpc, rpc
from services.common.storage import Storage
from services.common.version import VERSION


class RequestContext(DependencyProvider):
    """Gives each worker the id of the request that caused it, for its logs and events."""

    def worker_setup(self, worker_ctx: Any) -> None:
        """Bind the id in the worker's own context."""
        logs.request_id.set(worker_ctx.data.get("request_id"))


class Health(DependencyProvider):
    """Whether this process can do its work: tried, not assumed."""

    def check(self) -> dict[str, Any]:
        """`{service, status: ok|degraded, database, broker, version}`."""
        database = all(p.answers() for p in self.container.dependencies if isinstance(p, Storage))
        broker = all(e.server.connected for e in self.container.entrypoints if isinstance(e, Rpc))
        return {
            "service": self.container.service_name,
            "status": "ok" if database and broker else "degraded",
            "database": database,
            "broker": broker,
            "version": VERSION,
        }

    def get_dependency(self, worker_ctx: Any) -> "Health":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self


class Service:
    """Inherit from it; add a `name`, a `store = Storage(…)`, methods with `@rpc` and `@subscribe`."""

    context = RequestContext()
    health = Health()

    @rpc
    def get_health(self) -> dict[str, Any]:
        """`{service, status: ok|degraded, database: bool, broker: bool, version}`, tried at this moment."""
        return self.health.check()
