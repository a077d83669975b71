"""Connections over RPC, the sweep that ends them, and why an agent counts as connected."""

import contextlib
from typing import Any

from services.common.errors import StaleDocument
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.timers import timer
from services.common.times import now
from services.presence import domain, leases, metrics, schemas
from services.presence.entrypoints.means import Means
from services.presence.leases import leases_of
from services.presence.views import agent_view, presence_view

log = get_logger(__name__)

SWEEP_SECONDS = 1.0

Wire = dict[str, Any]


class ConnectionMethods(Means):
    """Open, renew, close and sweep connections, and explain what follows from them."""

    @rpc(schemas.OpenConnection)
    def open_connection(self, *, agent_id: str, connection_id: str, gateway_id: str, kind: str) -> Wire:
        """The agent, who holds a lease for this stream now. AGENT_NOT_FOUND, FORBIDDEN when deactivated, CONFLICT beyond 100."""
        stream = leases.Stream(connection_id, gateway_id, kind)

        def attempt() -> Document:
            agent = self.store.get_agent(agent_id)
            domain.check_active(agent)
            moment = now()
            return self.store.save_leases(agent, leases.open_lease(leases_of(agent), stream, moment, self.keeping.terms), moment)

        return agent_view(retry_stale(attempt))

    @rpc(schemas.RenewConnections)
    def renew_connections(self, *, gateway_id: str, connections: list[Wire]) -> Wire:
        """`{renewed: n}` of up to 5,000 streams. Opens leases it doesn't know; leaves those closed, and deactivated agents."""
        streams: dict[str, list[leases.Stream]] = {}
        for each in connections:
            streams.setdefault(each["agent_id"], []).append(leases.Stream(each["connection_id"], gateway_id, each["kind"]))
        moment = now()

        def attempt() -> int:
            renewed = 0
            writes = []
            for agent in self.store.find_agents(list(streams)):
                if agent["active"]:
                    held, count = leases.renew_leases(leases_of(agent), streams[agent["_id"]], moment, self.keeping.terms)
                    renewed += count
                    writes.append((agent, held))
            self.store.save_many_leases(writes, moment)
            return renewed

        return {"renewed": retry_stale(attempt)}

    @rpc(schemas.CloseConnection)
    def close_connection(self, *, agent_id: str, connection_id: str) -> Wire:
        """The agent, still connected while another lease lives or the grace lasts, but not reachable in the grace. AGENT_NOT_FOUND."""

        def attempt() -> Document:
            agent = self.store.get_agent(agent_id)
            moment = now()
            held = leases.close_lease(leases_of(agent), connection_id, moment, self.keeping.terms)
            return self.store.save_leases(agent, held, moment)

        return agent_view(retry_stale(attempt))

    @rpc(schemas.AgentId)
    def explain_presence(self, *, agent_id: str) -> Wire:
        """Why the agent counts as connected or not: the leases and their age, the last changes and their causes. AGENT_NOT_FOUND."""
        return presence_view(self.store.get_agent(agent_id), now())

    @timer(interval=metrics.EVERY_SECONDS, eager=True)
    def measure_leases(self) -> None:
        """Show how many leases there are."""
        try:
            metrics.show(*self.store.count_leases())
        except Exception as error:
            if not is_outage(error):
                raise

    @timer(interval=SWEEP_SECONDS)
    def expire_connections(self) -> None:
        """Drop leases that ran out; who holds none any more is disconnected, by one event however many replicas sweep."""
        moment = now()
        since = self.keeping.listening_since(moment)
        if since is None:
            return
        try:
            for agent in self.store.agents_with_expired_leases(moment):
                with contextlib.suppress(StaleDocument):  # changed this moment: the next round looks again
                    held = leases.expire_leases(leases_of(agent), moment, since, self.keeping.terms)
                    self.store.save_leases(agent, held, moment)
        except Exception as error:
            if not is_outage(error):
                raise
            self.keeping.note_outage()
            log.warning("leases_not_swept", reason=type(error).__name__)
