"""The condition block: one schema per subject of a test, and tests combined by `all`, `any` and `not`."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate, validates_schema

from services.common.validation import Id, trimmed
from services.messaging.flows.conditions import read_date
from services.messaging.flows.countries import COUNTRIES
from services.messaging.flows.schemas import (
    FIELD_NAME,
    MAX_AGENTS,
    MAX_BLOCK_TEXT,
    Block,
    Few,
    Strict,
    check_agents_or_team,
    check_plain,
    way,
)

MAX_CASES = 20
MAX_TESTS = 50
MAX_DEPTH = 5
MAX_VALUES = 100
COMBINATIONS = ("all", "any", "not")

Check = Callable[[object], None]


def single_tests(test: object, depth: int = 1) -> Iterator[object]:
    """Those that it is made of. What is no test, has no parts, or lies too deep, is one: it is refused anyway."""
    combination = next((name for name in COMBINATIONS if name in test), None) if isinstance(test, Mapping) else None
    parts = test[combination] if isinstance(test, Mapping) and combination is not None and depth <= MAX_DEPTH else None
    if not parts:
        yield test
        return
    for part in parts if isinstance(parts, list) else [parts]:
        yield from single_tests(part, depth + 1)


def load_test(test: object, depth: int = 1) -> dict[str, Any]:
    """The test with its defaults filled in. Raises ValidationError with the texts by place."""
    if depth > MAX_DEPTH:
        raise ValidationError(f"Tests are nested at most {MAX_DEPTH} deep.")
    if not isinstance(test, Mapping):
        raise ValidationError("Not a test.")
    combination = next((name for name in COMBINATIONS if name in test), None)
    if combination is not None:
        return _load_combination(test, combination, depth)
    subject = test.get("on")
    if not isinstance(subject, str) or subject not in SUBJECTS:
        raise ValidationError({"on": [f"Must be one of: {', '.join(SUBJECTS)}. A test may have all, any or not instead."]})
    loaded: dict[str, Any] = SUBJECTS[subject].load(test)
    return loaded


def _load_combination(test: Mapping[str, Any], combination: str, depth: int) -> dict[str, Any]:
    errors: dict[str, Any] = {name: ["Unknown field."] for name in test if name != combination}
    parts, loaded = test[combination], {}
    try:
        loaded[combination] = (
            load_test(parts, depth + 1)
            if combination == "not"
            else _load_each(parts, lambda part: load_test(part, depth + 1), maximum=MAX_TESTS)
        )
    except ValidationError as error:
        errors[combination] = error.messages
    if errors:
        raise ValidationError(errors)
    return loaded


def _load_each(parts: object, load: Callable[[object], Any], *, maximum: int) -> list[Any]:
    """All that `load` makes of a list's members. Raises ValidationError with the texts by number."""
    if not isinstance(parts, list) or not 1 <= len(parts) <= maximum:
        raise ValidationError(f"Must be a list with 1 to {maximum} members.")
    loaded, errors = [], {}
    for number, part in enumerate(parts):
        try:
            loaded.append(load(part))
        except ValidationError as error:
            errors[number] = error.messages
    if errors:
        raise ValidationError(errors)
    return loaded


_TEXT = trimmed(maximum=MAX_BLOCK_TEXT)


def _check_text(value: object) -> None:
    _TEXT.deserialize(value)


def _check_bound(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or (isinstance(value, str) and not read_date(value)):
        raise ValidationError("Must be a number or a date such as 2026-03-31.")
    check_plain(value)


def _check_country(value: object) -> None:
    if not isinstance(value, str) or value.upper() not in COUNTRIES:
        raise ValidationError("Not a country's ISO 3166 code of two letters, such as DE.")


def _check_values(value: object) -> None:
    _load_each(value, check_plain, maximum=MAX_VALUES)


def _check_countries(value: object) -> None:
    _load_each(value, _check_country, maximum=MAX_VALUES)


def _relation(*names: str) -> fields.String:
    return fields.String(data_key="is", attribute="is", required=True, validate=validate.OneOf(names))


class _Test(Strict):
    on = fields.String(required=True)


class _ValuedTest(_Test):
    """A test whose relation says what its value must be; a relation without a check takes none."""

    checks: Mapping[str, Check | None] = {}

    value = fields.Raw()

    @validates_schema(skip_on_field_errors=False)
    def check_value(self, data: dict[str, Any], **_: Any) -> None:
        """As the relation wants it."""
        if data.get("is") not in self.checks:
            return
        check = self.checks[data["is"]]
        if ("value" in data) != (check is not None):
            raise ValidationError({"value": ["This relation takes no value." if check is None else "This relation needs one."]})
        if check is not None:
            try:
                check(data["value"])
            except ValidationError as error:
                raise ValidationError({"value": error.messages}) from None


class FieldTest(_ValuedTest):
    """On a field's value."""

    checks = {
        "set": None,
        "empty": None,
        "equal": check_plain,
        "unequal": check_plain,
        "contains": _check_text,
        "starts_with": _check_text,
        "one_of": _check_values,
        "above": _check_bound,
        "below": _check_bound,
    }

    field = fields.String(required=True, validate=FIELD_NAME)
    relation = _relation(*checks)


class CountryTest(_ValuedTest):
    """On the visitor's country."""

    checks = {"one_of": _check_countries, "none_of": _check_countries, "known": None}

    relation = _relation(*checks)


class UrlTest(_Test):
    """On the first or the last page that the visitor was on."""

    page = fields.String(load_default="last", validate=validate.OneOf(["first", "last"]))
    relation = _relation("contains", "starts_with", "equal")
    value = trimmed(maximum=MAX_BLOCK_TEXT, required=True)


class BusinessHoursTest(_Test):
    """On the channel's business hours."""

    relation = _relation("open", "closed")


class AgentsTest(_Test):
    """On whether somebody could take the conversation."""

    relation = _relation("available", "unavailable")
    agents = Few(Id(), maximum=MAX_AGENTS, load_default=None, allow_none=True)
    team = Id(load_default=None, allow_none=True)

    @validates_schema(skip_on_field_errors=False)
    def check_among_whom(self, data: dict[str, Any], **_: Any) -> None:
        """Agents or a team."""
        check_agents_or_team(data)


SUBJECTS: dict[str, Schema] = {
    "field": FieldTest(),
    "country": CountryTest(),
    "url": UrlTest(),
    "business_hours": BusinessHoursTest(),
    "agents": AgentsTest(),
}


class _TestField(fields.Field[dict[str, Any]]):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        return load_test(value)


class CaseSchema(Strict):
    """A test and where to go when it is the first that holds."""

    test = _TestField(data_key="if", attribute="if", required=True)
    next = way(required=True)


class ConditionBlock(Block):
    """Goes on where the first test that holds leads, else elsewhere."""

    cases = Few(fields.Nested(CaseSchema()), maximum=MAX_CASES, required=True)
    otherwise = way(data_key="else", attribute="else", required=True)

    @pre_load
    def check_count(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Bounded as a whole, and counted first: of too many the single ones are not looked at."""
        cases = data.get("cases")
        if not isinstance(cases, list) or len(cases) > MAX_CASES:
            return data  # the field says so
        tests = chain.from_iterable(single_tests(case["if"]) for case in cases if isinstance(case, Mapping) and "if" in case)
        if sum(1 for _ in islice(tests, MAX_TESTS + 1)) > MAX_TESTS:
            raise ValidationError({"cases": [f"A condition has at most {MAX_TESTS} tests."]})
        return data
