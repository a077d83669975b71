"""What a gateway remembers, and how a client's queue is bounded."""

import random
import threading

from gateway.streams.entries import Audience, Entry, Payload, reset
from gateway.streams.recent import Recent, Seen
from gateway.streams.subscriber import Reason, Subscriber, Viewer


def entry(offset: int, size: int = 10) -> Entry:
    return Entry(offset, {Audience.AGENTS: Payload(f"e-{offset}", "x", b"x" * size)})


def offsets(recent: Recent, after: int) -> list[int]:
    return [one.offset for one in recent.after(after)]


def test_recent_entries_are_told_from_any_offset_when_they_reach_back() -> None:
    recent = Recent(floor=4, count=100, size=10**6)
    for offset in (5, 7, 8, 20):  # between them lies what clients don't see
        recent.append(entry(offset))
    assert offsets(recent, 4) == [5, 7, 8, 20]
    assert offsets(recent, 6) == [7, 8, 20]
    assert offsets(recent, 8) == [20]
    assert offsets(recent, 20) == offsets(recent, 99) == []
    assert recent.reaches(4)
    assert not recent.reaches(3)


def test_floor_rises_with_every_entry_that_leaves_when_the_count_is_reached() -> None:
    recent = Recent(floor=-1, count=50, size=10**6)
    expected: list[int] = []
    offset = 0
    rng = random.Random(7)
    for _ in range(5_000):
        offset += rng.choice([1, 1, 1, 3])
        recent.append(entry(offset))
        expected.append(offset)
        assert len(recent) == min(len(expected), 50)
        assert offsets(recent, recent.floor) == expected[-50:]
    assert recent.floor == expected[-51]


def test_oldest_entries_leave_when_the_bytes_are_reached() -> None:
    recent = Recent(floor=-1, count=1_000, size=100_000)
    for offset in range(100):
        recent.append(entry(offset, size=1_000))
    assert 20 < len(recent) < 30
    assert sum(one.cost for one in recent.after(-1)) <= 100_000
    assert offsets(recent, -1)[-1] == 99
    recent.append(entry(100, size=200_000))  # one that alone is too large is still told
    assert offsets(recent, 0) == [100]


def test_event_is_a_repeat_when_its_id_was_seen_at_an_earlier_offset() -> None:
    seen = Seen(3)
    assert seen.add("a", 1)
    assert not seen.add("a", 2)
    assert seen.is_repeat("a", 5)
    assert not seen.is_repeat("a", 1)  # itself
    assert not seen.is_repeat("b", 5)
    for offset, event_id in enumerate("bcd", 3):
        assert seen.add(event_id, offset)
    assert seen.add("a", 9)  # forgotten


def payload(number: int) -> Payload:
    return Payload(f"e-{number}", "x", b"{}")


def subscriber(length: int) -> Subscriber:
    return Subscriber(Viewer.agent("agent-1", None), length)


def test_queue_ends_with_an_abort_when_it_overflows() -> None:
    full = subscriber(3)
    aborts: list[int] = []
    full.on_abort(lambda: aborts.append(1))
    assert all(full.offer(payload(number)) for number in range(3))
    assert not full.offer(payload(3))
    assert full.ended is Reason.OVERFLOW
    assert full.take(0) == []
    assert not full.offer(payload(4))
    assert aborts == [1]


def test_abort_is_made_up_for_when_the_overflow_came_before_the_socket_was_known() -> None:
    full = subscriber(0)
    full.offer(payload(0))
    aborts: list[int] = []
    full.on_abort(lambda: aborts.append(1))
    assert aborts == [1]


def test_everything_is_taken_in_order_when_it_is_offered_from_another_thread() -> None:
    queue = subscriber(10_000)
    sent = [payload(number) for number in range(5_000)]
    thread = threading.Thread(target=lambda: [queue.offer(one) for one in sent])
    taken: list[Payload] = []
    thread.start()
    while len(taken) < len(sent):
        batch = queue.take(5)
        assert batch, "nothing came within 5 s"
        taken += batch
    thread.join()
    assert taken == sent
    assert queue.idle


def test_waiting_client_is_released_when_its_stream_ends() -> None:
    waiting = subscriber(3)
    threading.Timer(0.05, lambda: waiting.end(Reason.REVOKED)).start()
    assert waiting.take(10) == []
    waiting.end(Reason.GONE)
    assert waiting.ended is Reason.REVOKED


def test_what_waits_is_replaced_when_the_client_has_to_start_over() -> None:
    queue = subscriber(3)
    for number in range(3):
        queue.offer(payload(number))
    notice = reset("e-9", 9).payloads[Audience.AGENTS]
    queue.replace(notice)
    assert queue.take(0) == [notice]
