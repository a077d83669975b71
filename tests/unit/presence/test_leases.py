"""The lease rules, one by one; the state machine beside this file tries them in any order."""

from datetime import UTC, datetime, timedelta

import pytest

from services.presence.errors import TooMany
from services.presence.leases import (
    MAX_LEASES,
    Leases,
    Standing,
    Stream,
    Terms,
    close_lease,
    expire_leases,
    lease_state,
    open_lease,
    renew_leases,
    standing_of,
    told_standing,
)

TERMS = Terms(lease=timedelta(seconds=30), grace=timedelta(seconds=5))
START = datetime(2026, 11, 24, 8, tzinfo=UTC)
LONG_AGO = START - timedelta(days=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def stream(number: int = 1, gateway: str = "g1") -> Stream:
    return Stream(f"c{number}", gateway, "sse")


def opened(*numbers: int) -> Leases:
    leases: Leases = ()
    for number in numbers:
        leases = open_lease(leases, stream(number), START, TERMS)
    return leases


def left_at(leases: Leases, seconds: float) -> set[str]:
    return {lease.id for lease in expire_leases(leases, at(seconds), LONG_AGO, TERMS)}


def test_lease_runs_out_when_not_renewed() -> None:
    leases = opened(1)
    assert left_at(leases, 29.999) == {"c1"}
    assert left_at(leases, 30) == set()


def test_lease_goes_on_when_renewed() -> None:
    leases, renewed = renew_leases(opened(1), [stream(1)], at(20), TERMS)
    assert renewed == 1
    assert left_at(leases, 49) == {"c1"}
    assert left_at(leases, 50) == set()


def test_renewal_changes_nothing_when_repeated() -> None:
    leases, _ = renew_leases(opened(1, 2), [stream(1), stream(3)], at(10), TERMS)
    assert renew_leases(leases, [stream(1), stream(3)], at(10), TERMS) == (leases, 2)


def test_renewal_never_shortens_when_it_arrives_late() -> None:
    leases, _ = renew_leases(opened(1), [stream(1)], at(20), TERMS)
    assert renew_leases(leases, [stream(1)], at(10), TERMS)[0] == leases


def test_renewal_opens_when_lease_is_unknown() -> None:
    leases, renewed = renew_leases((), [stream(1)], START, TERMS)
    assert (left_at(leases, 1), renewed) == ({"c1"}, 1)


def test_renewal_does_not_reopen_when_lease_was_closed() -> None:
    closed = close_lease(opened(1), "c1", at(1), TERMS)
    assert renew_leases(closed, [stream(1)], at(2), TERMS) == (closed, 0)


def test_closed_lease_lasts_for_the_grace() -> None:
    leases = close_lease(opened(1), "c1", at(10), TERMS)
    assert left_at(leases, 14.999) == {"c1"}
    assert left_at(leases, 15) == set()


def test_nobody_is_without_lease_when_reload_opens_within_grace() -> None:
    leases = close_lease(opened(1), "c1", at(10), TERMS)
    leases = open_lease(leases, stream(2), at(12), TERMS)
    assert left_at(leases, 15) == {"c2"}


def test_others_live_on_when_two_of_three_close() -> None:
    leases = opened(1, 2, 3)
    for name in ("c1", "c3"):
        leases = close_lease(leases, name, at(1), TERMS)
    assert left_at(leases, 10) == {"c2"}


def test_closed_lease_lasts_for_the_grace_when_it_was_overdue() -> None:
    leases = close_lease(opened(1), "c1", at(31), TERMS)
    assert not standing_of(leases).reachable
    assert renew_leases(leases, [stream(1)], at(32), TERMS) == (leases, 0)
    assert left_at(leases, 35) == {"c1"}
    assert left_at(leases, 36) == set()


def test_closing_is_harmless_when_repeated_or_unknown() -> None:
    leases = close_lease(opened(1), "c1", at(1), TERMS)
    assert close_lease(leases, "c1", at(3), TERMS) == leases
    assert close_lease(leases, "c9", at(3), TERMS) == leases


def test_opening_begins_anew_when_id_was_closed() -> None:
    leases = open_lease(close_lease(opened(1), "c1", at(1), TERMS), stream(1), at(2), TERMS)
    assert len(leases) == 1
    assert left_at(leases, 31) == {"c1"}


def test_nothing_runs_out_when_renewals_could_not_arrive() -> None:
    leases = opened(1)
    back = at(100)
    assert expire_leases(leases, at(129.9), back, TERMS) == leases
    assert expire_leases(leases, at(130), back, TERMS) == ()


def test_closed_lease_waits_for_a_grace_only_when_service_was_away() -> None:
    leases = close_lease(opened(1), "c1", at(1), TERMS)
    assert expire_leases(leases, at(104.9), at(100), TERMS) == leases
    assert expire_leases(leases, at(105), at(100), TERMS) == ()


def test_opening_is_refused_when_hundred_others_live() -> None:
    leases = opened(*range(MAX_LEASES))
    with pytest.raises(TooMany) as refused:
        open_lease(leases, stream(MAX_LEASES), at(1), TERMS)
    assert refused.value.error_code == "CONFLICT"
    assert len(open_lease(leases, stream(5), at(1), TERMS)) == MAX_LEASES


def test_opening_takes_the_place_of_the_closed_and_late_when_there_are_too_many() -> None:
    leases = close_lease(opened(*range(MAX_LEASES)), "c7", at(1), TERMS)
    assert "c7" not in {lease.id for lease in open_lease(leases, stream(MAX_LEASES), at(2), TERMS)}
    assert [lease.id for lease in open_lease(leases, stream(MAX_LEASES), at(40), TERMS)] == [f"c{MAX_LEASES}"]


def test_renewal_skips_unknown_when_there_are_too_many() -> None:
    leases = opened(*range(MAX_LEASES))
    renewed, count = renew_leases(leases, [stream(MAX_LEASES), stream(1)], at(1), TERMS)
    assert count == 1
    assert {lease.id for lease in renewed} == {lease.id for lease in leases}


def test_agent_is_connected_and_not_reachable_when_all_its_leases_are_in_their_grace() -> None:
    leases = opened(1, 2)
    assert standing_of(leases) == Standing(connected=True, reachable=True)
    leases = close_lease(leases, "c1", at(1), TERMS)
    assert standing_of(leases) == Standing(connected=True, reachable=True)
    leases = close_lease(leases, "c2", at(2), TERMS)
    assert standing_of(leases) == Standing(connected=True, reachable=False)
    assert standing_of(open_lease(leases, stream(3), at(3), TERMS)) == Standing(connected=True, reachable=True)
    assert standing_of(expire_leases(leases, at(7), LONG_AGO, TERMS)) == Standing(connected=False, reachable=False)


def test_agent_is_reachable_when_its_lease_is_overdue_and_not_dropped_yet() -> None:
    leases = opened(1)
    assert lease_state(leases[0], at(31)) == "overdue"
    assert standing_of(leases) == Standing(connected=True, reachable=True)


def test_state_of_a_lease_is_open_then_grace_then_overdue() -> None:
    (lease,) = opened(1)
    (closed,) = close_lease((lease,), "c1", at(10), TERMS)
    assert [lease_state(lease, at(10)), lease_state(closed, at(14)), lease_state(closed, at(15))] == ["open", "grace", "overdue"]


def test_reachability_was_told_to_nobody_when_the_record_is_older_than_it() -> None:
    assert told_standing({"connected": True}) == Standing(connected=True, reachable=False)
