"""Sign-in sessions: how refresh tokens rotate, and what betrays a stolen one (RFC 9700, 4.14.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

SESSION_LIFE = timedelta(days=30)  # since the last refresh
# A laptop that changes its network or sleeps in the midst of a refresh gives the first answer up after 15 s or more, and tries again.
REUSE_GRACE = timedelta(seconds=60)
MAX_SESSIONS = 200  # live ones per agent; the oldest ends for the newest

Session = Mapping[str, Any]


@dataclass(frozen=True)
class Rotation:
    """What presenting a refresh token does to its session."""

    fields: dict[str, Any]
    stolen: bool = False


def new_session(session_id: str, *, agent: Mapping[str, Any], family_hash: str, token_hash: str, now: datetime) -> dict[str, Any]:
    """The record of a session that was just begun."""
    return {
        "_id": session_id,
        "agent_id": agent["_id"],
        "credentials_version": agent["credentials_version"],
        "family_hash": family_hash,
        "current": [token_hash],
        "spent": None,
        "created_at": now,
        "refreshed_at": now,
        "expires_at": now + SESSION_LIFE,
        "revoked_at": None,
    }


def is_usable(session: Session, agent: Mapping[str, Any], now: datetime) -> bool:
    """Whether it can still be refreshed; one begun with credentials that have changed since can't, even if nobody revoked it."""
    return bool(
        session["revoked_at"] is None
        and session["expires_at"] > now
        and agent["active"]
        and session["credentials_version"] == agent["credentials_version"]
    )


def rotate(session: Session, token_hash: str, new_hash: str, now: datetime) -> Rotation:
    """Exchange a token of this session for a new one.

    A token just exchanged may be exchanged once more within REUSE_GRACE, since the first answer may have got lost. Which of
    the two answers arrived is unknown, so both new tokens are current until one of them is used; any other token was stolen.
    """
    spent = session["spent"]
    if token_hash in session["current"]:
        current = [new_hash]
        spent = {"hash": token_hash, "until": now + REUSE_GRACE}
    elif spent is not None and token_hash == spent["hash"] and now < spent["until"]:
        current = [*session["current"], new_hash]
        spent = None
    else:
        return Rotation({"revoked_at": now}, stolen=True)
    return Rotation({"current": current, "spent": spent, "refreshed_at": now, "expires_at": now + SESSION_LIFE})
