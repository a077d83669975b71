"""The lease rules under random sequences of streams, reloads, killed gateways, late renewals and outages."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.presence.leases import Leases, Stream, Terms, close_lease, expire_leases, open_lease, renew_leases

TERMS = Terms(lease=timedelta(seconds=30), grace=timedelta(seconds=5))
RENEWAL = timedelta(seconds=10)  # how often a living gateway renews
SWEEP = timedelta(seconds=1)


class Presence(RuleBasedStateMachine):
    """A model beside the leases: which streams are really open at living gateways, and when each was last told of."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 24, 8, tzinfo=UTC)
        self.leases: Leases = ()
        self.connected = False
        self.listening_since: datetime | None = self.now - timedelta(days=1)
        self.open: dict[str, Stream] = {}
        self.orphans: dict[str, datetime] = {}  # streams of killed gateways, with when their lease was last extended
        self.closed_at: dict[str, datetime] = {}
        self.last_renewal = self.now
        self.count = 0

    @rule(gateway=st.sampled_from(["g1", "g2"]))
    @precondition(lambda self: self.listening_since is not None and len(self.open) + len(self.orphans) < 20)
    def open_stream(self, gateway: str) -> None:
        self.count += 1
        stream = Stream(f"c{self.count}", gateway, "sse")
        self.open[stream.id] = stream
        self.leases = open_lease(self.leases, stream, self.now, TERMS)
        self.connected = True

    @rule(data=st.data())
    @precondition(lambda self: self.open and self.listening_since is not None)
    def close_stream(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.open)))
        del self.open[name]
        self.closed_at[name] = self.now
        self.leases = close_lease(self.leases, name, self.now, TERMS)

    @rule(data=st.data())
    @precondition(lambda self: self.closed_at and self.listening_since is not None)
    def renewal_arrives_after_the_close(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.closed_at)))
        if self.now < self.closed_at[name] + TERMS.grace:
            before = self.leases
            self.leases, renewed = renew_leases(self.leases, [Stream(name, "g1", "sse")], self.now, TERMS)
            assert (self.leases, renewed) == (before, 0)

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
            self.now += SWEEP
            if self.listening_since is None:
                continue
            if self.now - self.last_renewal >= RENEWAL:
                self.last_renewal = self.now
                self.leases, renewed = renew_leases(self.leases, self.open.values(), self.now, TERMS)
                assert renewed == len(self.open)
                self.connected = bool(self.leases)
            was = self.connected
            self.leases = expire_leases(self.leases, self.now, self.listening_since, TERMS)
            self.connected = bool(self.leases)
            assert not (was and not self.connected and self.open), "a false disconnect"

    @invariant()
    def who_holds_a_stream_is_connected(self) -> None:
        if self.open:
            assert self.connected
        assert self.connected == bool(self.leases)

    @invariant()
    def nobody_stays_connected_for_ever(self) -> None:
        if self.listening_since is None or self.open or not self.connected:
            return
        longest = max(
            [self.listening_since + TERMS.lease]
            + [moment + TERMS.lease for moment in self.orphans.values()]
            + [moment + TERMS.grace for moment in self.closed_at.values()]
        )
        assert self.now <= longest + SWEEP

    @invariant()
    def every_lease_has_one_id(self) -> None:
        assert len({lease.id for lease in self.leases}) == len(self.leases)


TestPresence = Presence.TestCase
TestPresence.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
