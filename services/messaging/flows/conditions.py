"""Whether a condition's test holds. What it asks of the world is read only when the outcome depends on it."""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from services.messaging.flows.facts import Facts
from services.messaging.flows.templates import Value, is_empty

Test = Mapping[str, Any]
Fields = Mapping[str, Value]

MAX_FOLDED = 4_000  # twice what a value has

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,9})?\Z", re.ASCII)


def holds(test: Test, fields: Fields, facts: Facts) -> bool:
    """Whether the test holds for these fields in this world."""
    if "all" in test:
        return all(holds(one, fields, facts) for one in test["all"])
    if "any" in test:
        return any(holds(one, fields, facts) for one in test["any"])
    if "not" in test:
        return not holds(test["not"], fields, facts)
    match test["on"]:
        case "field":
            return _holds_for_field(test, fields.get(test["field"]))
        case "country":
            return _holds_for_country(test, facts.country())
        case "url":
            return _compare(test["is"], facts.url(test["page"]), test["value"])
        case "business_hours":
            return facts.is_open() is bool(test["is"] == "open")
        case _:
            return facts.is_available(test["agents"], test["team"]) is bool(test["is"] == "available")


def weigh(test: Test) -> int:
    """How many comparisons it may take."""
    if "not" in test:
        return weigh(test["not"])
    parts = test.get("all") or test.get("any")
    if parts is not None:
        return sum(map(weigh, parts))
    value = test.get("value")
    return len(value) if isinstance(value, list) else 1


def read_date(text: str) -> date | None:
    """The day of an ISO date (2026-03-31), or None."""
    try:
        return date.fromisoformat(text) if _DATE.match(text) else None
    except ValueError:
        return None


def _holds_for_field(test: Test, value: Value | None) -> bool:
    match test["is"]:
        case "set":
            return not is_empty(value)
        case "empty":
            return is_empty(value)
        case "unequal":
            return not _compare("equal", value, test["value"])
        case "one_of":
            return any(_compare("equal", value, one) for one in test["value"])
        case relation:
            return _compare(relation, value, test["value"])


def _holds_for_country(test: Test, country: str | None) -> bool:
    if test["is"] == "known":
        return country is not None
    named = country is not None and country.upper() in {code.upper() for code in test["value"]}
    return named is bool(test["is"] == "one_of")


def _compare(relation: str, value: Value | None, wanted: Value) -> bool:
    """Whether the value stands in the relation to what is wanted; one that is empty never does."""
    if value is None or is_empty(value):
        return False
    match relation:
        case "equal":
            return _are_equal(value, wanted)
        case "contains":
            return _plain(wanted) in _plain(value)
        case "starts_with":
            return _plain(value).startswith(_plain(wanted))
        case _:
            return _is_beyond(relation, value, wanted)


def _are_equal(value: Value, wanted: Value) -> bool:
    if _is_number(value) or _is_number(wanted):
        first, second = _read_number(value), _read_number(wanted)
        return first is not None and first == second
    return _plain(value) == _plain(wanted)


def _is_beyond(relation: str, value: Value, wanted: Value) -> bool:
    """Above or below, in numbers or in days: what is no such thing is neither."""
    read = _read_day if isinstance(wanted, str) else _read_number
    first, second = read(value), read(wanted)
    if first is None or second is None:
        return False
    return first > second if relation == "above" else first < second


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_number(value: Value) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if isinstance(value, int) or math.isfinite(value) else None
    text = value.strip()
    return float(text.replace(",", ".")) if _NUMBER.match(text) else None


def _read_day(value: Value) -> int | None:
    day = read_date(value.strip().partition("T")[0]) if isinstance(value, str) else None
    return day.toordinal() if day is not None else None


def _plain(value: Value) -> str:
    """As text without case, and with letters that look alike written alike."""
    text = str(value)
    return text.casefold().strip() if text.isascii() else _fold(text)


@lru_cache(maxsize=128)
def _fold(text: str) -> str:
    """Remembered, and cut where few letters stand for very many: a flow may ask one long value a thousand things in one turn."""
    return unicodedata.normalize("NFKC", text).casefold().strip()[:MAX_FOLDED]
