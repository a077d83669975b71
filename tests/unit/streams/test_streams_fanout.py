"""The fan-out: the handover from catching up to live, under fire."""

import threading

import pytest

from gateway.streams.catalogue import to_entry
from gateway.streams.fanout import PAGE, Fanout, OtherEpoch
from gateway.streams.limits import Limits
from gateway.streams.positions import Position
from gateway.streams.subscriber import Reason, Viewer
from services.common.envelope import Event
from services.common.times import now

AGENT = Viewer.agent("agent-1", "session-1")


def accept(fanout: Fanout, offset: int, *, event_id: str | None = None) -> None:
    event = Event(
        id=event_id or f"event-{offset}",
        type="message_posted",
        source="messaging",
        kind="message",
        entity_id="m",
        version=1,
        at=now(),
        data={"seq": offset},
        contact_id="contact-1",
    )
    fanout.accept(offset, event, to_entry(event, Position("e", offset)))


def warm_fanout(limits: Limits | None = None) -> Fanout:
    fanout = Fanout(limits or Limits())
    fanout.restart("e", -1)
    accept(fanout, 0)
    fanout.warmed()
    return fanout


def test_nothing_is_missing_or_twice_when_a_client_becomes_live_while_events_are_accepted() -> None:
    fanout = warm_fanout()
    last = 20_000

    def feed() -> None:
        for offset in range(1, last + 1):
            accept(fanout, offset)

    feeding = threading.Thread(target=feed)
    feeding.start()
    for start in (0, 5, 300):
        assert fanout.wait_for(Position("e", start), 5)
        subscriber = fanout.subscriber(AGENT)
        subscriber._length = last
        seen: list[str] = []
        at, live = start, False
        while not live:
            step = fanout.advance(subscriber, Position("e", at))
            if step is None:  # fell behind what is remembered: the log would be read
                break
            seen += [payload.id for payload in step.payloads]
            at, live = step.offset, step.live
        while live and (not seen or seen[-1] != f"e-{last}"):
            batch = subscriber.take(5)
            assert batch
            seen += [payload.id for payload in batch]
        assert seen == [f"e-{offset}" for offset in range(start + 1, start + 1 + len(seen))]
        fanout.leave(subscriber)
    feeding.join()


def test_client_gets_pages_and_is_not_yet_live_when_it_missed_more_than_a_page() -> None:
    fanout = warm_fanout()
    for offset in range(1, PAGE + 11):
        accept(fanout, offset)
    subscriber = fanout.subscriber(AGENT)
    first = fanout.advance(subscriber, Position("e", 0))
    assert first is not None
    assert (len(first.payloads), first.offset, first.live) == (PAGE, PAGE, False)
    accept(fanout, PAGE + 11)
    assert subscriber.idle
    second = fanout.advance(subscriber, Position("e", first.offset))
    assert second is not None
    assert (len(second.payloads), second.live) == (11, True)
    accept(fanout, PAGE + 12)
    assert [payload.id for payload in subscriber.take(0)] == [f"e-{PAGE + 12}"]


def test_log_has_to_be_read_when_the_recent_entries_do_not_reach_back() -> None:
    fanout = warm_fanout(Limits(recent_count=5))
    for offset in range(1, 20):
        accept(fanout, offset)
    assert fanout.advance(fanout.subscriber(AGENT), Position("e", 13)) is None
    assert fanout.advance(fanout.subscriber(AGENT), Position("e", 14)) is not None


def test_repeat_is_neither_sent_nor_remembered_when_an_event_id_comes_again() -> None:
    fanout = warm_fanout()
    subscriber = fanout.subscriber(AGENT)
    fanout.follow(subscriber)
    accept(fanout, 1, event_id="same")
    accept(fanout, 2, event_id="same")
    assert [payload.id for payload in subscriber.take(0)] == ["e-1"]
    step = fanout.advance(fanout.subscriber(AGENT), Position("e", 0))
    assert step is not None
    assert [payload.id for payload in step.payloads] == ["e-1"]
    assert step.offset == 2


def test_full_client_alone_is_cut_off_when_events_go_to_many() -> None:
    fanout = warm_fanout(Limits(queue_length=3))
    slow, quick = fanout.subscriber(AGENT), fanout.subscriber(AGENT)
    fanout.follow(slow)
    fanout.follow(quick)
    taken = 0
    for offset in range(1, 8):
        accept(fanout, offset)
        taken += len(quick.take(0))
    assert slow.ended is Reason.OVERFLOW
    assert (quick.ended, taken) == (None, 7)


def test_live_clients_are_told_and_old_positions_refused_when_the_log_is_another() -> None:
    fanout = warm_fanout()
    subscriber = fanout.subscriber(AGENT)
    fanout.follow(subscriber)
    accept(fanout, 1)
    fanout.restart("f", 41)
    accept(fanout, 42)
    with pytest.raises(OtherEpoch):
        fanout.advance(fanout.subscriber(AGENT), Position("f", 41))  # not before it is read to its end
    fanout.warmed()
    accept(fanout, 43)
    assert [(payload.name, payload.id) for payload in subscriber.take(0)] == [("reset", "f-42"), ("message.created", "e-43")]
    with pytest.raises(OtherEpoch):
        fanout.advance(fanout.subscriber(AGENT), Position("e", 1))


def test_position_is_vouched_for_only_when_the_client_has_taken_everything() -> None:
    fanout = warm_fanout()
    subscriber = fanout.subscriber(AGENT)
    fanout.follow(subscriber)
    accept(fanout, 1)
    assert fanout.settled(subscriber) is None
    subscriber.take(0)
    assert fanout.settled(subscriber) == Position("e", 1)


def test_new_streams_end_at_once_when_the_process_stops() -> None:
    fanout = warm_fanout()
    before = fanout.subscriber(AGENT)
    fanout.stop()
    after = fanout.subscriber(AGENT)
    assert (before.ended, after.ended) == (Reason.STOPPING, Reason.STOPPING)
    assert not fanout.wait_empty(0)
    fanout.leave(before)
    fanout.leave(after)
    assert fanout.wait_empty(0)


def test_streams_of_who_was_not_verified_end_when_the_contact_becomes_a_user() -> None:
    fanout = warm_fanout()
    anonymous, catching_up = fanout.subscriber(Viewer.visitor("contact-1")), fanout.subscriber(Viewer.visitor("contact-1"))
    user = fanout.subscriber(Viewer.visitor("contact-1", is_user=True))
    others = [fanout.subscriber(Viewer.visitor("contact-2")), fanout.subscriber(AGENT)]
    for subscriber in (anonymous, user, *others):
        fanout.follow(subscriber)
    fanout.identify("contact-1")
    accept(fanout, 1)
    late = fanout.subscriber(Viewer.visitor("contact-1"))
    assert {one.ended for one in (anonymous, catching_up, late)} == {Reason.REVOKED}
    assert anonymous.take(0) == []
    assert [one.ended for one in (user, *others)] == [None] * 3
    assert [payload.id for payload in user.take(0)] == ["e-1"]
    again = fanout.subscriber(Viewer.visitor("contact-1", is_user=True))
    assert again.ended is None
    for subscriber in (anonymous, catching_up, late, user, again, *others):
        fanout.leave(subscriber)
    fanout.stop()
    assert fanout.wait_empty(0)
