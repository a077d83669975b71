"""Records as the resources that travel."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.common.times import optional_to_wire, to_wire
from services.presence.connection_changes import ConnectionChange, changes_of
from services.presence.explanation import explain
from services.presence.leases import Lease, lease_state, leases_of, standing_of


def agent_view(agent: Mapping[str, Any]) -> dict[str, Any]:
    """The agent, without anything secret."""
    return {
        "id": agent["_id"],
        "name": agent["name"],
        "email": agent["email"],
        "role": agent["role"],
        "connected": agent["connected"],
        "availability": agent["availability"],
        "capacity": agent["capacity"],
        "active_conversations": agent["active_conversations"],
        "active": agent["active"],
        "created_at": to_wire(agent["created_at"]),
        "version": agent["version"],
    }


def presence_view(agent: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Why the agent counts as connected or not, at a moment. Records older than a part of it show that part's default."""
    leases = leases_of(agent)
    changes = changes_of(agent)
    shown = [_change_view(change) for change in changes]
    return {
        "agent_id": agent["_id"],
        "connected": agent["connected"],
        "reachable": agent["connected"] and standing_of(leases).reachable,
        "explanation": explain(agent, leases, changes, now),
        "availability": agent["availability"],
        "availability_since": to_wire(agent.get("availability_since", agent["created_at"])),
        "availability_set_by": agent.get("availability_set_by"),
        "connections": [_lease_view(lease, now) for lease in sorted(leases, key=lambda lease: lease.opened_at, reverse=True)],
        "last_change": shown[0] if shown else None,
        "recent_changes": shown,
        "as_of": to_wire(now),
    }


def team_view(team: Mapping[str, Any]) -> dict[str, Any]:
    """The team."""
    return {
        "id": team["_id"],
        "name": team["name"],
        "agent_ids": team["agent_ids"],
        "created_at": to_wire(team["created_at"]),
        "version": team["version"],
    }


def api_token_view(token: Mapping[str, Any]) -> dict[str, Any]:
    """The API token without its secret."""
    return {
        "id": token["_id"],
        "name": token["name"],
        "scopes": token["scopes"],
        "created_at": to_wire(token["created_at"]),
        "last_used_at": optional_to_wire(token["last_used_at"]),
    }


def _lease_view(lease: Lease, now: datetime) -> dict[str, Any]:
    return {
        "id": lease.id,
        "kind": lease.kind,
        "gateway_id": lease.gateway_id,
        "state": lease_state(lease, now),
        "opened_at": to_wire(lease.opened_at),
        "renewed_at": to_wire(lease.renewed_at),
        "expires_at": to_wire(lease.expires_at),
        "age_seconds": max(0, int((now - lease.opened_at).total_seconds())),
    }


def _change_view(change: ConnectionChange) -> dict[str, Any]:
    return {
        "at": to_wire(change.at),
        "connected": change.connected,
        "cause": change.cause,
        "connection_id": change.connection_id,
    }
