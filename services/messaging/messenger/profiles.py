"""What Facebook says of a visitor as the contacts service takes it; pure."""

from collections.abc import Mapping
from typing import Any

# Locale and time zone need a leave of their own, the name goes with the page's messages.
ALL_FIELDS = "first_name,last_name,locale,timezone"
NAME_FIELDS = "first_name,last_name"


def read_profile(answer: Mapping[str, Any]) -> dict[str, str | None]:
    """`{name, locale, time_zone}`, None for what isn't said."""
    names = (answer.get(part) for part in ("first_name", "last_name"))
    name = " ".join(" ".join(part.split()) for part in names if isinstance(part, str) and part.strip())
    locale = answer.get("locale")
    return {
        "name": name[:100].strip() or None,
        "locale": locale.replace("_", "-")[:35] if isinstance(locale, str) and locale.strip() else None,
        "time_zone": _zone(answer.get("timezone")),
    }


def _zone(hours: object) -> str | None:
    """Facebook tells the present offset from UTC; the zones named by whole hours have their signs the other way round."""
    if isinstance(hours, bool) or not isinstance(hours, int | float) or hours != int(hours) or not -12 <= hours <= 14:
        return None
    return f"Etc/GMT{-int(hours):+d}" if hours else "Etc/GMT"
