"""Events that are worth nothing a moment later (typing): published at once, neither stored nor confirmed."""

from typing import Any

from nameko.extensions import DependencyProvider

from services.common.amqp import BROKER_ERRORS
from services.common.envelope import NewEvent
from services.common.outbox import to_message
from services.common.rpc import RpcServer


class TransientEvents(DependencyProvider):
    """`self.transient.publish(event, entity_id)`; an event that can't be sent now is dropped."""

    server = RpcServer()

    def publish(self, event: NewEvent, entity_id: str) -> bool:
        """Send it over the calls' link. Returns whether it left."""
        try:
            self.server.publish(to_message(self.container.service_name, event.entry(entity_id, 0)))
        except BROKER_ERRORS:
            return False
        return True

    def get_dependency(self, worker_ctx: Any) -> "TransientEvents":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self
