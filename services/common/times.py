"""Times: aware UTC datetimes of millisecond precision inside, RFC 3339 text on every wire.

A service goes by its database's clock, which its replicas share (`agree`): leases, delays and silences are reckoned from moments that another replica noted, and one
whose own clock were wrong would end them all, or none. Between two agreements the monotonic clock counts, which no correction moves.
"""

import time
from datetime import UTC, datetime, timedelta

# Closer than this is as good as equal: what is told of the other clock was on its way for a while.
TOLERANCE = timedelta(milliseconds=250)

_agreed: tuple[datetime, float] | None = None  # a moment of the other clock, and what the monotonic one said then
_doubted: timedelta | None = None  # how far the other clock seemed to be behind when it was heard last


def now() -> datetime:
    """The present in UTC, cut to the milliseconds that the database keeps."""
    agreed = _agreed
    moment = datetime.now(UTC) if agreed is None else agreed[0] + timedelta(seconds=time.monotonic() - agreed[1])
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def agree(moment: datetime) -> timedelta | None:
    """Go by a clock of which was heard that it says `moment`. Returns by how much ours differed, if that was worth a correction.

    What was on its way for long, as when this process stood still, tells of the past, never of the future: a clock that seems to be behind is believed when it is
    heard to be so twice.
    """
    global _agreed, _doubted  # noqa: PLW0603 - a process has one present
    difference = moment - now()
    if _agreed is None:
        believed, _doubted = True, None
    elif difference < -TOLERANCE:
        believed = _doubted is not None and abs(difference - _doubted) <= TOLERANCE
        _doubted = None if believed else difference
    else:
        believed, _doubted = difference > TOLERANCE, None
    if believed:
        _agreed = (moment, time.monotonic())
    return difference if believed and abs(difference) > TOLERANCE else None


def to_wire(moment: datetime) -> str:
    """`2026-11-24T07:31:47.120Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def optional_to_wire(moment: datetime | None) -> str | None:
    """`to_wire`, or None for no moment."""
    return None if moment is None else to_wire(moment)


def from_wire(text: str) -> datetime:
    """The moment that an RFC 3339 text names. Raises ValueError, also for a text without an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset from UTC")
    return moment.astimezone(UTC)
