"""What this service measures. Each replica measures the same agents: take the largest, not the sum."""

from prometheus_client import Gauge

LEASES = Gauge("foyer_leases", "Connections of agents, on all gateways: live, or closed and in their grace", ["state"])
CONNECTED = Gauge("foyer_agents_connected", "Agents who count as connected, on all gateways")
EVERY_SECONDS = 15.0


def show(live: int, grace: int, agents: int) -> None:
    """Set the gauges."""
    LEASES.labels("live").set(live)
    LEASES.labels("grace").set(grace)
    CONNECTED.set(agents)
