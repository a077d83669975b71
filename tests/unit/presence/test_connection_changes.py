"""What caused a turning of `connected`, and what an agent's record keeps of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.presence.connection_changes import (
    MAX_CHANGES,
    ConnectionChange,
    change_by_leases,
    changes_of,
    deactivation,
    remember,
)
from services.presence.leases import Lease, Leases

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def lease(name: str, expires: float = 30, *, closed: bool = False) -> Lease:
    return Lease(name, "g1", "sse", NOW, NOW, NOW + timedelta(seconds=expires), closed)


def ended(*leases: Lease) -> tuple[str, str | None]:
    change = change_by_leases(leases, (), NOW, "stream_opened")
    assert not change.connected
    return change.cause, change.connection_id


def test_stream_that_opened_is_the_cause() -> None:
    after: Leases = (lease("c1"),)
    assert change_by_leases((), after, NOW, "stream_opened") == ConnectionChange(NOW, True, "stream_opened", "c1")
    assert change_by_leases((), after, NOW, "stream_renewed") == ConnectionChange(NOW, True, "stream_renewed", "c1")


def test_last_stream_to_run_out_is_the_cause_when_all_were_closed() -> None:
    assert ended(lease("c1", 3, closed=True), lease("c2", 5, closed=True), lease("c3", 4, closed=True)) == ("stream_closed", "c2")


def test_stream_that_was_not_closed_is_the_cause_when_both_kinds_run_out_at_once() -> None:
    assert ended(lease("c1", 5, closed=True), lease("c2", 2), lease("c3", 3)) == ("lease_expired", "c3")


def test_record_keeps_the_last_twenty_newest_first() -> None:
    kept: list[Any] = []
    for number in range(MAX_CHANGES + 5):
        kept = remember(kept, deactivation(NOW + timedelta(minutes=number)))
    assert len(kept) == MAX_CHANGES
    assert changes_of({"connection_changes": kept})[0] == ConnectionChange(
        NOW + timedelta(minutes=24), False, "deactivated", None
    )
    assert kept[-1]["at"] == NOW + timedelta(minutes=5)


def test_nothing_is_known_when_the_record_is_older_than_the_keeping() -> None:
    assert changes_of({}) == []
