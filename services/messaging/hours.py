"""Business hours: a channel's weekly schedule in its own time zone; pure.

A schedule speaks of the clock on the wall: an hour that the clocks leave out in spring is never open, one that comes twice in
autumn is open twice. Stored and sent as `{"time_zone": "Europe/Berlin", "weekly": {"monday": [["09:00", "17:00"]]}}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_SPANS = 24
_TIME = re.compile(r"(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)\Z")
_MIDNIGHT = 24 * 60
_DAY = timedelta(days=1)
# A weekly opening can fall into the hour or, at the date line, the day that the clocks leave out: then it is a week later.
_SEARCHED = timedelta(days=22)
# Zones of the machine, not of a place.
_NO_PLACES = {"Factory", "localtime", "posixrules"}

Span = tuple[int, int]  # opens, closes: minutes since midnight


@dataclass(frozen=True)
class Hours:
    """A schedule that was read: the spans of each weekday, in order."""

    zone: ZoneInfo
    weekly: tuple[tuple[Span, ...], ...]


def read_hours(document: Mapping[str, Any] | None) -> Hours | None:
    """A schedule that was checked before; None, which is always open, stays None."""
    if document is None:
        return None
    weekly = document["weekly"]
    return Hours(ZoneInfo(document["time_zone"]), tuple(read_day(weekly.get(day, [])) for day in DAYS))


def read_day(spans: object) -> tuple[Span, ...]:
    """The spans of one day, `[["09:00", "12:30"], …]`. Raises ValueError, whose text says what is wrong."""
    if not (isinstance(spans, list) and len(spans) <= MAX_SPANS):
        raise ValueError(f'Not a list of up to {MAX_SPANS} spans such as ["09:00", "17:00"].')
    read: list[Span] = []
    for number, span in enumerate(spans, 1):
        opens, closes = _read_span(span, number)
        if read and opens < read[-1][1]:
            raise ValueError(f"Span {number} begins before the one before it has ended.")
        read.append((opens, closes))
    return tuple(read)


def is_known_zone(name: str) -> bool:
    """Whether it names a time zone of the IANA database."""
    return name in _zones()


def is_open(hours: Hours | None, at: datetime) -> bool:
    """Whether the moment lies within business hours; a span's end does not."""
    if hours is None:
        return True
    wall = at.astimezone(hours.zone)
    minute = wall.hour * 60 + wall.minute
    return any(opens <= minute < closes for opens, closes in hours.weekly[wall.weekday()])


def next_opening(hours: Hours | None, at: datetime) -> datetime | None:
    """The first moment from `at` on that lies within business hours, in UTC; None when none ever does."""
    moment = at.astimezone(UTC)
    if hours is None:
        return moment
    horizon = moment + _SEARCHED
    # From one change of the clocks to the next, at most a day at a time: in between, the wall's time is plain arithmetic.
    while moment < horizon:
        if is_open(hours, moment):
            return moment
        until = _clocks_change(hours.zone, moment, moment + _DAY)
        opening = moment + _wait(hours, moment.astimezone(hours.zone).replace(tzinfo=None))
        if opening < until:
            return opening
        moment = until
    return None


def _read_span(span: object, number: int) -> Span:
    if not isinstance(span, list) or len(span) != 2:
        raise ValueError(f"Span {number} is not a pair of times.")
    opens, closes = (_read_time(text, number) for text in span)
    if closes <= opens:
        raise ValueError(f"Span {number} does not end after its start.")
    return opens, closes


def _read_time(text: object, number: int) -> int:
    found = _TIME.match(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"Span {number} has a time that is not HH:MM.")
    return int(found[1]) * 60 + int(found[2]) if found[1] else _MIDNIGHT


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)


def _wait(hours: Hours, wall: datetime) -> timedelta:
    """From a time on the wall to the next span's start; a whole day when none begins within it."""
    for day in (wall.date(), wall.date() + _DAY):
        for opens, _ in hours.weekly[day.weekday()]:
            start = datetime.combine(day, time()) + timedelta(minutes=opens)
            if start > wall:
                return start - wall
    return _DAY


def _clocks_change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """The moment between the two at which the zone's clocks change, else `end`."""
    offset = start.astimezone(zone).utcoffset()
    before, after = int(start.timestamp()), int(end.timestamp())
    if end.astimezone(zone).utcoffset() == offset:
        return end
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return datetime.fromtimestamp(after, UTC)
