"""Agents: who may create and change them, and what a change entails."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.common.errors import Forbidden
from services.common.spelling import spelling_key
from services.presence.connection_changes import deactivation, remember
from services.presence.errors import AccountInactive

Agent = Mapping[str, Any]
Actor = Mapping[str, Any]

MIN_PASSWORD = 10
MAX_PASSWORD = 200  # bounds what is hashed; a passphrase fits
DEFAULT_CAPACITY = 4
MAX_CAPACITY = 1000
OWN_FIELDS = frozenset({"availability", "name", "password"})


@dataclass(frozen=True)
class Change:
    """What an update writes, and what must happen in the same commit."""

    fields: dict[str, Any]
    ends_sessions: bool
    loses_admin: bool


def email_key(email: str) -> str:
    """What makes two spellings of an e-mail the same."""
    return spelling_key(email)


def new_agent(
    agent_id: str, *, name: str, email: str, role: str, capacity: int, password_hash: str, now: datetime, mark: str | None = None
) -> dict[str, Any]:
    """The record of an agent who was just made: not connected, available once they are."""
    return {
        "_id": agent_id,
        "name": name.strip(),
        "email": email.strip(),
        "email_key": email_key(email),
        "role": role,
        "capacity": capacity,
        "availability": "available",
        "availability_since": now,
        "availability_set_by": None,
        "active": True,
        "connected": False,
        "reachable": False,
        "connections": [],
        "connections_version": 0,
        "connection_changes": [],
        "active_conversations": 0,
        "load_version": 0,
        "password_hash": password_hash,
        "credentials_version": 1,
        "fingerprint": mark,
        "created_at": now,
        "version": 1,
    }


def new_api_token(token_id: str, *, name: str, scopes: list[str], token_hash: str, actor: Actor, now: datetime) -> dict[str, Any]:
    """The record of an API token that was just made."""
    return {
        "_id": token_id,
        "name": name.strip(),
        "scopes": sorted(set(scopes)),
        "token_hash": token_hash,
        "created_at": now,
        "created_by": _signature(actor),
        "last_used_at": None,
        "revoked_at": None,
    }


def check_is_admin(actor: Actor, doing: str) -> None:
    """Raise Forbidden unless the actor administers; `doing` says what was tried ("create agents")."""
    if not _administers(actor):
        raise Forbidden(f"Only admins may {doing}.")


def check_may_change(agent_id: str, fields: Iterable[str], actor: Actor) -> None:
    """Raise Forbidden unless the actor may change these fields of this agent."""
    if _administers(actor):
        return
    if actor["kind"] != "agent" or actor["id"] != agent_id:
        raise Forbidden("Only admins may change other agents.")
    foreign = sorted(set(fields) - OWN_FIELDS)
    if foreign:
        raise Forbidden(
            f"Only admins may change {', '.join(foreign)}; your own {', '.join(sorted(OWN_FIELDS))} are yours to change."
        )


def check_may_end_session(owner_id: str, actor: Actor) -> None:
    """Raise Forbidden unless it is the actor's own session or the actor administers."""
    if not _administers(actor) and (actor["kind"] != "agent" or actor["id"] != owner_id):
        raise Forbidden("Only admins may end another agent's session.")


def check_active(agent: Agent) -> None:
    """Raise AccountInactive for a deactivated account."""
    if not agent["active"]:
        raise AccountInactive


def decide_change(agent: Agent, wanted: Mapping[str, Any], actor: Actor, now: datetime) -> Change:
    """What must be written to give the agent the wanted values; `password_hash` stands for a new password.

    Empty fields: everything is as wanted already. A new password or a deactivation ends the agent's sessions; a deactivation
    ends the connections too. Who set another availability is kept, and since when.
    """
    values = dict(wanted)
    for text in ("name", "email"):
        if text in values:
            values[text] = values[text].strip()
    fields = {field: value for field, value in values.items() if agent[field] != value}
    if "email" in fields:
        fields["email_key"] = email_key(fields["email"])
    # An access token carries the role it was issued with, so a changed role must not live on in one.
    ends_sessions = "password_hash" in fields or "role" in fields or fields.get("active") is False
    if ends_sessions:
        fields["credentials_version"] = agent["credentials_version"] + 1
    if "availability" in fields:
        fields |= {"availability_since": now, "availability_set_by": _signature(actor)}
    if fields.get("active") is False:
        fields |= _without_connections(agent, now)
    loses_admin = _is_active_admin(agent) and not _is_active_admin({**agent, **fields})
    return Change(fields=fields, ends_sessions=ends_sessions, loses_admin=loses_admin)


def decide_load(agent: Agent, active_conversations: int, load_version: int) -> dict[str, Any]:
    """What to write when assignment reports a load; nothing when a newer report was applied already."""
    if load_version <= agent["load_version"]:
        return {}
    return {"active_conversations": active_conversations, "load_version": load_version}


def _without_connections(agent: Agent, now: datetime) -> dict[str, Any]:
    ended = {"connected": False, "reachable": False, "connections": [], "connections_version": agent["connections_version"] + 1}
    if agent["connected"]:
        ended["connection_changes"] = remember(agent.get("connection_changes", ()), deactivation(now))
    return ended


def _signature(actor: Actor) -> dict[str, Any]:
    return {"kind": actor["kind"], "id": actor["id"], "name": actor["name"]}


def _administers(actor: Actor) -> bool:
    return bool(actor["kind"] == "system" or (actor["kind"] == "agent" and actor["role"] == "admin"))


def _is_active_admin(agent: Agent) -> bool:
    return bool(agent["active"] and agent["role"] == "admin")
