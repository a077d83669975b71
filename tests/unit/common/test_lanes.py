"""What of lanes needs no database: pauses, and how many workers they take."""

from typing import Any

from services.common.lanes import backoff, count_workers, in_order


def test_pause_doubles_from_a_second_to_a_minute_and_differs() -> None:
    for attempts, seconds in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (1000, 60)]:
        pauses = [backoff(attempts) for _ in range(30)]
        assert 0.75 * seconds <= min(pauses) <= max(pauses) <= 1.25 * seconds
        assert len(set(pauses)) > 20


def test_workers_of_all_lanes_are_counted() -> None:
    class Two:
        @in_order("one")
        def first(self, item: dict[str, Any]) -> None: ...

        @in_order("two", at_once=3)
        def second(self, item: dict[str, Any]) -> None: ...

        def third(self) -> None: ...

    assert count_workers(Two) == 19
    assert count_workers(object) == 0
