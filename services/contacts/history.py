"""The history of a contact's values: what each became and was, who set it and when. Pure.

It lies in the contact's document and is written with the change it tells of, so the two never disagree. The pages of visits
have times of their own and are not in it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.common.ids import new_id

MAX_ENTRIES = 500
MAX_SHOWN = 500  # characters of a value
FIELDS = ("name", "email", "phone", "blocked", "ip", "country", "locale", "time_zone", "browser", "platform", "external_id")
CUSTOM = "fields."

Entry = dict[str, Any]
Position = tuple[datetime, str]


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Entry]:
    """An entry for each value that differs, signed by the later document's `provenance`; `before` is empty for a new contact."""
    entries = []
    for field in FIELDS:
        value, previous = after.get(field), before.get(field)
        by = after["provenance"].get(field)
        # An agent may make the bot's name its own by writing the same one.
        adopted = field == "name" and after["name_source"] != before.get("name_source")
        if by is not None and (adopted or not _same(value, previous)):
            entries.append(_entry(field, value, previous, by))
    had, has = before.get("fields", {}), after["fields"]
    of_custom = after["provenance"].get("custom", {})
    differing = [name for name in dict.fromkeys([*had, *has]) if not _same(has.get(name), had.get(name))]
    return entries + [_entry(CUSTOM + name, has.get(name), had.get(name), of_custom[name]) for name in differing]


def newest_first(entries: Sequence[Entry], after: Position | None, limit: int) -> list[Entry]:
    """Up to `limit` entries behind a position."""
    ordered = sorted(entries, key=position_of, reverse=True)
    return [entry for entry in ordered if after is None or position_of(entry) < after][:limit]


def position_of(entry: Entry) -> Position:
    """What sorts the history."""
    return entry["at"], entry["id"]


def _entry(field: str, value: Any, previous: Any, by: Mapping[str, Any]) -> Entry:
    return {
        "id": new_id(),
        "field": field,
        "value": _shortened(value),
        "previous": _shortened(previous),
        "by": {part: by[part] for part in ("kind", "id", "name")},
        "at": by["at"],
        "conversation_id": by.get("conversation_id"),
    }


def _same(one: Any, other: Any) -> bool:
    # True == 1 in Python, but not in a profile.
    return type(one) is type(other) and bool(one == other)


def _shortened(value: Any) -> Any:
    return value[:MAX_SHOWN] if isinstance(value, str) else value
