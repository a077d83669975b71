"""The lease rules under random sequences of streams, reloads, killed gateways, late renewals and outages."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.presence.connection_changes import MAX_CHANGES, Cause, change_by_leases, remember
from services.presence.leases import (
    Leases,
    Standing,
    Stream,
    Terms,
    close_lease,
    expire_leases,
    open_lease,
    renew_leases,
    standing_of,
)

TERMS = Terms(lease=timedelta(seconds=30), grace=timedelta(seconds=5))
RENEWAL = timedelta(seconds=10)  # how often a living gateway renews
SWEEP = timedelta(seconds=1)


class Presence(RuleBasedStateMachine):
    """A model beside the leases: which streams are really open at living gateways, and when each was last told of."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 24, 8, tzinfo=UTC)
        self.leases: Leases = ()
        self.told = Standing(connected=False, reachable=False)
        self.changes: list[Mapping[str, Any]] = []
        self.turnings = 0
        self.listening_since: datetime | None = self.now - timedelta(days=1)
        self.open: dict[str, Stream] = {}
        self.orphans: dict[str, datetime] = {}  # streams of killed gateways, with when their lease was last extended
        self.closed_at: dict[str, datetime] = {}
        self.last_renewal = self.now
        self.count = 0

    def write(self, leases: Leases, opened_by: Cause = "stream_opened") -> None:
        """As the store does: what the leases turn is told, and a turning of `connected` is remembered."""
        standing = standing_of(leases)
        if standing.connected != self.told.connected:
            self.turnings += 1
            self.changes = remember(self.changes, change_by_leases(self.leases, leases, self.now, opened_by))
        self.leases, self.told = leases, standing

    def begin(self, gateway: str) -> None:
        self.count += 1
        stream = Stream(f"c{self.count}", gateway, "sse")
        self.open[stream.id] = stream
        self.write(open_lease(self.leases, stream, self.now, TERMS))

    def end(self, name: str) -> None:
        del self.open[name]
        self.closed_at[name] = self.now
        self.write(close_lease(self.leases, name, self.now, TERMS))

    def tick(self) -> None:
        self.now += SWEEP
        if self.listening_since is None:
            return
        if self.now - self.last_renewal >= RENEWAL:
            self.last_renewal = self.now
            renewed_leases, renewed = renew_leases(self.leases, self.open.values(), self.now, TERMS)
            assert renewed == len(self.open)
            self.write(renewed_leases, "stream_renewed")
        lost = any(lease.id in self.orphans for lease in self.leases)
        was = self.told
        self.write(expire_leases(self.leases, self.now, self.listening_since, TERMS))
        if self.open:
            assert self.told == was, "a false disconnect"
        if was.connected and not self.told.connected:
            assert self.changes[0]["cause"] == ("lease_expired" if lost else "stream_closed")

    @rule(gateway=st.sampled_from(["g1", "g2"]))
    @precondition(lambda self: self.listening_since is not None and len(self.open) + len(self.orphans) < 20)
    def open_stream(self, gateway: str) -> None:
        self.begin(gateway)

    @rule(data=st.data())
    @precondition(lambda self: self.open and self.listening_since is not None)
    def close_stream(self, data: st.DataObject) -> None:
        self.end(data.draw(st.sampled_from(sorted(self.open))))

    @rule(data=st.data(), seconds=st.integers(0, 4))
    @precondition(lambda self: self.open and self.listening_since is not None)
    def reload(self, data: st.DataObject, seconds: int) -> None:
        turnings = self.turnings
        name = data.draw(st.sampled_from(sorted(self.open)))
        gateway = self.open[name].gateway_id
        self.end(name)
        for _ in range(seconds):
            self.tick()
        self.begin(gateway)
        assert self.turnings == turnings, "a reload within the grace showed"

    @rule(data=st.data())
    @precondition(lambda self: self.closed_at and self.listening_since is not None)
    def renewal_arrives_after_the_close(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.closed_at)))
        if self.now < self.closed_at[name] + TERMS.grace:
            before = self.leases
            after, renewed = renew_leases(self.leases, [Stream(name, "g1", "sse")], self.now, TERMS)
            assert (after, renewed) == (before, 0)

    @rule(gateway=st.sampled_from(["g1", "g2"]))
    def kill_gateway(self, gateway: str) -> None:
        for name, stream in list(self.open.items()):
            if stream.gateway_id == gateway:
                del self.open[name]
                self.orphans[name] = self.now

    @rule()
    def go_away(self) -> None:
        self.listening_since = None

    @rule()
    @precondition(lambda self: self.listening_since is None)
    def come_back(self) -> None:
        self.listening_since = self.now

    @rule(seconds=st.integers(1, 90))
    def let_time_pass(self, seconds: int) -> None:
        for _ in range(seconds):
            self.tick()

    @invariant()
    def who_holds_a_stream_is_connected_and_reachable(self) -> None:
        if self.open:
            assert self.told == Standing(connected=True, reachable=True)
        assert self.told.connected == bool(self.leases)
        assert self.told.connected or not self.told.reachable

    @invariant()
    def nobody_stays_connected_for_ever(self) -> None:
        if self.listening_since is None or self.open or not self.told.connected:
            return
        longest = max(
            [self.listening_since + TERMS.lease]
            + [moment + TERMS.lease for moment in self.orphans.values()]
            + [moment + TERMS.grace for moment in self.closed_at.values()]
        )
        assert self.now <= longest + SWEEP

    @invariant()
    def nobody_stays_reconnecting_beyond_the_grace(self) -> None:
        if not self.told.connected or self.told.reachable:
            return
        assert not any(lease.id in self.orphans for lease in self.leases), "nobody knows that these streams ended"
        if self.listening_since is not None:
            assert self.now <= max(self.listening_since, *self.closed_at.values()) + TERMS.grace + SWEEP

    @invariant()
    def changes_alternate_and_the_newest_is_how_it_stands(self) -> None:
        assert len(self.changes) == min(self.turnings, MAX_CHANGES)
        told = [change["connected"] for change in self.changes]
        assert told == [self.told.connected == (place % 2 == 0) for place in range(len(told))]
        assert self.told.connected == (self.turnings % 2 == 1)

    @invariant()
    def every_lease_has_one_id(self) -> None:
        assert len({lease.id for lease in self.leases}) == len(self.leases)


TestPresence = Presence.TestCase
TestPresence.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
