"""Records as the resources that travel."""

from collections.abc import Mapping
from typing import Any

from services.common.times import optional_to_wire, to_wire


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


def api_token_view(token: Mapping[str, Any]) -> dict[str, Any]:
    """The API token without its secret."""
    return {
        "id": token["_id"],
        "name": token["name"],
        "scopes": token["scopes"],
        "created_at": to_wire(token["created_at"]),
        "last_used_at": optional_to_wire(token["last_used_at"]),
    }
