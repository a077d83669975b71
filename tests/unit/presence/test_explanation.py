"""What people are told when they ask why an agent counts as connected or not."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.presence.connection_changes import Cause, ConnectionChange
from services.presence.explanation import explain, in_words
from services.presence.leases import Lease
from services.presence.views import presence_view

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def lease(name: str = "c1", *, opened: float = 60, renewed: float = 4, left: float = 26, closed: bool = False) -> Lease:
    return Lease(name, "g1", "sse", ago(opened), ago(renewed), NOW + timedelta(seconds=left), closed)


def said(*leases: Lease, cause: Cause | None = None, active: bool = True) -> str:
    changes = [] if cause is None else [ConnectionChange(ago(180), False, cause, None)]
    return explain({"active": active, "connected": bool(leases)}, leases, changes, NOW)


def test_open_streams_are_counted_when_connected() -> None:
    assert said(lease()) == "Connected: 1 open stream, last renewed 4 s ago."
    streams = (lease(), lease("c2", renewed=2), lease("c3", closed=True), lease("c4", left=-1))
    assert said(*streams) == "Connected: 2 open streams, last renewed 2 s ago."


def test_renewal_is_awaited_when_all_unclosed_leases_are_overdue() -> None:
    assert said(lease(renewed=31, left=-1), lease("c2", closed=True)) == (
        "Still counted as connected: the last renewal came 31 s ago and the next is overdue; without it the agent is disconnected."
    )


def test_rest_of_the_grace_is_told_when_all_streams_are_closed() -> None:
    assert said(lease(left=3, closed=True), lease("c2", left=1, closed=True)) == (
        "Reconnecting: the last stream was closed; without another within 3 s the agent counts as disconnected."
    )
    assert "the grace is over" in said(lease(left=-1, closed=True))


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("stream_closed", "the last stream was closed and no other was opened within the grace"),
        ("lease_expired", "the last stream was no longer renewed, so its gateway ended or can't reach this service"),
        ("deactivated", "the account was deactivated, and no stream was opened since it is active again"),
    ],
)
def test_cause_and_time_are_told_when_disconnected(cause: Cause, reason: str) -> None:
    assert said(cause=cause) == f"Not connected for 3 min: {reason}."


def test_deactivation_is_told_whatever_came_before() -> None:
    assert said(cause="stream_closed", active=False) == "Not connected: the account is deactivated."


def test_no_past_is_invented_when_none_is_known() -> None:
    assert said() == "Not connected: no stream is open."


@pytest.mark.parametrize(("seconds", "words"), [(-3, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 d")])
def test_duration_is_said_in_its_largest_unit(seconds: int, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


def make(**values: Any) -> dict[str, Any]:
    """A record as the first release wrote it."""
    return {
        "_id": "a1",
        "active": True,
        "connected": False,
        "connections": [],
        "availability": "available",
        "created_at": ago(3_600),
        **values,
    }


def test_view_shows_defaults_when_the_record_is_older_than_the_keeping() -> None:
    assert presence_view(make(), NOW) == {
        "agent_id": "a1",
        "connected": False,
        "reachable": False,
        "explanation": "Not connected: no stream is open.",
        "availability": "available",
        "availability_since": "2026-11-24T07:00:00.000Z",
        "availability_set_by": None,
        "connections": [],
        "last_change": None,
        "recent_changes": [],
        "as_of": "2026-11-24T08:00:00.000Z",
    }


def test_view_shows_the_newest_connection_and_change_first() -> None:
    leases = [lease("c1", opened=90.9), lease("c2", opened=10, left=-1), lease("c3", opened=50, left=2, closed=True)]
    changes = [
        asdict(ConnectionChange(ago(90), True, "stream_opened", "c1")),
        asdict(ConnectionChange(ago(95), False, "deactivated", None)),
    ]
    record = make(connected=True, connections=[asdict(each) for each in leases], connection_changes=changes)
    view = presence_view(record, NOW)
    shown = [(each["id"], each["state"], each["age_seconds"]) for each in view["connections"]]
    assert shown == [("c2", "overdue", 10), ("c3", "grace", 50), ("c1", "open", 90)]
    assert view["connections"][0] == {
        "id": "c2",
        "kind": "sse",
        "gateway_id": "g1",
        "state": "overdue",
        "opened_at": "2026-11-24T07:59:50.000Z",
        "renewed_at": "2026-11-24T07:59:56.000Z",
        "expires_at": "2026-11-24T07:59:59.000Z",
        "age_seconds": 10,
    }
    assert (view["connected"], view["reachable"]) == (True, True)
    assert (
        view["last_change"]
        == view["recent_changes"][0]
        == {
            "at": "2026-11-24T07:58:30.000Z",
            "connected": True,
            "cause": "stream_opened",
            "connection_id": "c1",
        }
    )
    assert [change["cause"] for change in view["recent_changes"]] == ["stream_opened", "deactivated"]
