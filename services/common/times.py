"""Times: aware UTC datetimes of millisecond precision inside, RFC 3339 text on every wire."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present in UTC, cut to the milliseconds that the database keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_wire(moment: datetime) -> str:
    """`2026-11-24T07:31:47.120Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def optional_to_wire(moment: datetime | None) -> str | None:
    """`to_wire`, or None for no moment."""
    return None if moment is None else to_wire(moment)


def from_wire(text: str) -> datetime:
    """The moment that an RFC 3339 text names. Raises ValueError, also for a text without an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset from UTC")
    return moment.astimezone(UTC)
