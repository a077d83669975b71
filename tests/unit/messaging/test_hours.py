from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.hours import DAYS, MAX_SPANS, Hours, is_known_zone, is_open, next_opening, read_day, read_hours

STEP = timedelta(minutes=15)


def schedule(zone: str = "Europe/Berlin", **weekly: Any) -> Hours:
    hours = read_hours({"time_zone": zone, "weekly": weekly})
    assert hours is not None
    return hours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


OFFICE = schedule(monday=[["09:00", "12:30"], ["13:00", "17:00"]], friday=[["22:00", "24:00"]], saturday=[["00:00", "02:00"]])


@pytest.mark.parametrize(
    ("moment", "open_then"),
    [
        ("2026-01-05T07:59:59.999+00:00", False),
        ("2026-01-05T08:00:00+00:00", True),
        ("2026-01-05T11:29:59.999+00:00", True),
        ("2026-01-05T11:30:00+00:00", False),
        ("2026-01-05T12:00:00+00:00", True),
        ("2026-01-05T16:00:00+00:00", False),
        ("2026-01-06T10:00:00+00:00", False),
        ("2026-07-06T07:00:00+00:00", True),  # the same wall time, an hour earlier in summer
        ("2026-07-06T15:00:00+00:00", False),
        ("2026-01-05T09:00:00+01:00", True),
        ("2026-01-09T23:59:59+01:00", True),  # `24:00` leads over into the next day's first span
        ("2026-01-10T00:00:00+01:00", True),
        ("2026-01-10T02:00:00+01:00", False),
    ],
)
def test_channel_is_open_when_the_wall_clock_is_within_a_span(moment: str, open_then: bool) -> None:
    assert is_open(OFFICE, at(moment)) is open_then


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-01-05T06:00:00+01:00", "2026-01-05T09:00:00+01:00"),
        ("2026-01-05T10:17:42.250+01:00", "2026-01-05T10:17:42.250+01:00"),
        ("2026-01-05T12:30:00+01:00", "2026-01-05T13:00:00+01:00"),
        ("2026-01-05T17:00:00+01:00", "2026-01-09T22:00:00+01:00"),
        ("2026-01-10T02:00:00+01:00", "2026-01-12T09:00:00+01:00"),
        ("2026-03-28T12:00:00+01:00", "2026-03-30T09:00:00+02:00"),  # over the change to summer time
        ("2026-10-24T12:00:00+02:00", "2026-10-26T09:00:00+01:00"),
    ],
)
def test_next_opening_is_the_next_span_or_now_when_asked(moment: str, opens: str) -> None:
    assert next_opening(OFFICE, at(moment)) == at(opens)


def test_schedule_knows_neither_closing_nor_opening_when_there_is_none() -> None:
    moment = at("2026-01-05T03:00:00+01:00")
    assert read_hours(None) is None
    assert is_open(None, moment)
    assert next_opening(None, moment) == moment


@pytest.mark.parametrize("weekly", [{}, {"monday": [], "sunday": []}])
def test_channel_never_opens_when_its_week_is_empty(weekly: dict[str, Any]) -> None:
    hours = schedule(**weekly)
    assert not is_open(hours, at("2026-01-05T10:00:00+01:00"))
    assert next_opening(hours, at("2026-01-05T10:00:00+01:00")) is None


def test_channel_is_always_open_when_every_day_is_whole() -> None:
    weekly: dict[str, Any] = {day: [["00:00", "24:00"]] for day in DAYS}
    hours = schedule(**weekly)
    for hour in range(24 * 8):
        assert is_open(hours, at("2026-03-27T00:00:00+00:00") + timedelta(hours=hour))


@pytest.mark.parametrize(
    ("span", "opens"),
    [
        (["01:00", "04:00"], "2026-03-29T00:00:00+00:00"),
        (["02:30", "04:00"], "2026-03-29T01:00:00+00:00"),  # 02:00 to 03:00 is left out: open as soon as 03:00 is there
        (["02:15", "02:45"], "2026-04-05T00:15:00+00:00"),  # wholly left out: a week later
        (["03:00", "04:00"], "2026-03-29T01:00:00+00:00"),
    ],
)
def test_left_out_hour_is_not_open_when_the_clocks_go_forward(span: list[str], opens: str) -> None:
    hours = schedule(sunday=[span])
    assert next_opening(hours, at("2026-03-28T12:00:00+00:00")) == at(opens)


def test_repeated_hour_is_open_twice_when_the_clocks_go_back() -> None:
    hours = schedule(sunday=[["02:15", "02:45"]])
    assert is_open(hours, at("2026-10-25T02:30:00+02:00"))
    assert not is_open(hours, at("2026-10-25T02:50:00+02:00"))
    assert next_opening(hours, at("2026-10-25T02:50:00+02:00")) == at("2026-10-25T02:15:00+01:00")
    assert is_open(hours, at("2026-10-25T02:30:00+01:00"))


def test_channel_opens_at_the_change_itself_when_the_clocks_go_back_into_a_span() -> None:
    hours = schedule(sunday=[["01:00", "02:30"]])
    assert next_opening(hours, at("2026-10-25T02:40:00+02:00")) == at("2026-10-25T02:00:00+01:00")


def test_opening_is_a_week_later_when_the_date_line_leaves_out_the_day() -> None:
    hours = schedule("Pacific/Apia", friday=[["09:00", "17:00"]])
    assert next_opening(hours, at("2011-12-28T12:00:00+00:00")) == at("2012-01-06T09:00:00+14:00")


def test_half_hours_count_when_the_clocks_change_by_less_than_one() -> None:
    hours = schedule("Australia/Lord_Howe", sunday=[["02:10", "02:20"]])
    assert next_opening(hours, at("2026-10-03T00:00:00+00:00")) == at("2026-10-11T02:10:00+11:00")


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ("09:00-17:00", "Not a list of up to 24 spans"),
        ({"09:00": "17:00"}, "Not a list of up to 24 spans"),
        ([["00:00", "00:01"]] * (MAX_SPANS + 1), "Not a list of up to 24 spans"),
        (["09:00", "17:00"], "Span 1 is not a pair of times."),
        ([["09:00"]], "Span 1 is not a pair of times."),
        ([["09:00", "10:00", "11:00"]], "Span 1 is not a pair of times."),
        ([["9:00", "17:00"]], "Span 1 has a time that is not HH:MM."),
        ([["09:00", "17:60"]], "Span 1 has a time that is not HH:MM."),
        ([["09:00", "24:01"]], "Span 1 has a time that is not HH:MM."),
        ([["09:00", "17:00\n"]], "Span 1 has a time that is not HH:MM."),
        ([["0\u0669:00", "17:00"]], "Span 1 has a time that is not HH:MM."),
        ([[9, 17]], "Span 1 has a time that is not HH:MM."),
        ([[None, "17:00"]], "Span 1 has a time that is not HH:MM."),
        ([["09:00", "09:00"]], "Span 1 does not end after its start."),
        ([["22:00", "02:00"]], "Span 1 does not end after its start."),
        ([["24:00", "24:00"]], "Span 1 does not end after its start."),
        ([["09:00", "12:00"], ["11:59", "17:00"]], "Span 2 begins before the one before it has ended."),
        ([["13:00", "17:00"], ["09:00", "12:00"]], "Span 2 begins before the one before it has ended."),
    ],
)
def test_day_is_refused_with_the_reason_when_it_is_wrong(spans: object, problem: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_day(spans)
    assert str(refused.value).startswith(problem)


def test_spans_may_touch_when_they_are_read() -> None:
    assert read_day([["00:00", "12:00"], ["12:00", "24:00"]]) == ((0, 720), (720, 1440))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Europe/Berlin", True),
        ("UTC", True),
        ("America/Argentina/Buenos_Aires", True),
        ("Europe", False),
        ("europe/berlin", False),
        ("Mars/Olympus", False),
        ("localtime", False),
        ("posix/Europe/Berlin", False),
        ("../etc/passwd", False),
        ("", False),
    ],
)
def test_zone_is_known_when_the_database_has_it(name: str, known: bool) -> None:
    assert is_known_zone(name) is known


# Quarter hours throughout: then looking at every quarter of an hour misses nothing.
quarters = st.lists(st.integers(0, 96), min_size=0, max_size=6, unique=True).map(sorted)
weeks = st.dictionaries(
    st.sampled_from(DAYS),
    quarters.map(lambda times: [[clock(a), clock(b)] for a, b in zip(times[::2], times[1::2], strict=False)]),
)
zones = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
)
# Around changes of the clocks in these zones, and where there are none.
dates = st.sampled_from(["2026-02-15", "2026-03-08", "2026-03-28", "2026-04-04", "2026-06-30", "2026-10-03", "2026-10-24"])


def clock(quarter: int) -> str:
    return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"


@given(zones, weeks, dates, st.integers(0, 4 * 48))
def test_next_opening_is_the_first_moment_that_is_open_when_every_one_is_tried(
    zone: str, weekly: dict[str, Any], date: str, quarter: int
) -> None:
    hours = schedule(zone, **weekly)
    start = datetime.fromisoformat(date).replace(tzinfo=UTC) + quarter * STEP
    expected = next((moment for step in range(4 * 24 * 15) if is_open(hours, moment := start + step * STEP)), None)
    assert next_opening(hours, start) == expected


@given(zones, weeks, dates, st.integers(0, 48 * 3600))
def test_opening_stays_the_same_when_it_is_asked_for_at_any_second_before(
    zone: str, weekly: dict[str, Any], date: str, second: int
) -> None:
    hours = schedule(zone, **weekly)
    start = datetime.fromisoformat(date).replace(tzinfo=UTC) + timedelta(seconds=second)
    opens = next_opening(hours, start)
    if opens is None:
        return
    assert opens >= start
    assert is_open(hours, opens)
    assert opens == start or not is_open(hours, opens - timedelta(milliseconds=1))
    assert next_opening(hours, start + (opens - start) / 2) == opens if not is_open(hours, start) else opens == start
