"""Contact documents for the pure rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.contacts.profiles import Visit, new_contact

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def contact(**parts: Any) -> dict[str, Any]:
    return new_contact("contact-1", "channel-1", Visit(at=START)) | {"version": 1} | parts
