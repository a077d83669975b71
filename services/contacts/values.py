"""What a field's value may be, and its one normal form: names, e-mail addresses, phone numbers, custom values."""

import math
import re
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

MAX_NAME = 200
MAX_EMAIL = 254  # RFC 5321, 4.5.3.1.3, less the path's brackets
MAX_LOCAL_PART = 64
MAX_PHONE = 50
MAX_VALUE = 2_000
MAX_CUSTOM_FIELDS = 100
MAX_NUMBER = 2**53 - 1  # what every JSON reader keeps exactly

CUSTOM_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
_LOCAL_PART = re.compile(r"[^\s\x00-\x20\x7f\"(),:;<>@\[\\\]]+\Z")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

FieldValue = str | int | float | bool | None


class InvalidValue(ValueError):
    """The value can't be this field's; the text says why, to a person."""


def clean_name(value: object) -> str:
    """A person's name on one line. Raises InvalidValue."""
    if not isinstance(value, str):
        raise InvalidValue("Not a valid string.")
    if _CONTROLS.search(value):
        raise InvalidValue("Must not contain control characters.")
    name = " ".join(value.split())
    if not name:
        raise InvalidValue("Must not be blank.")
    if len(name) > MAX_NAME:
        raise InvalidValue(f"Longer than maximum length {MAX_NAME}.")
    return name


def clean_email(value: object) -> str | None:
    """An address (RFC 5321's unquoted form, RFC 6531's letters) with its domain in lower case; None clears. Raises InvalidValue."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidValue("Not a valid string.")
    local, at, domain = value.strip().rpartition("@")
    domain = domain.lower()
    if (
        not at
        or len(local) > MAX_LOCAL_PART
        or len(local) + 1 + len(domain) > MAX_EMAIL
        or not _LOCAL_PART.match(local)
        or local.startswith(".")
        or local.endswith(".")
        or ".." in local
        or not _is_domain(domain)
    ):
        raise InvalidValue("Not a valid email address.")
    return f"{local}@{domain}"


def _is_domain(domain: str) -> bool:
    try:
        labels = domain.encode("idna").decode().lower().split(".")
    except UnicodeError:
        return False
    return len(labels) > 1 and all(_LABEL.match(label) for label in labels) and not labels[-1].isdigit()


def clean_phone(value: object, region: str | None) -> str | None:
    """A number in E.164, read as one of `region` (an ISO country code) unless international; None clears. Raises InvalidValue.

    A number counts when its length and form are possible: which ranges are in use changes faster than any copy of the list.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidValue("Not a valid string.")
    if len(value) > MAX_PHONE:
        raise InvalidValue(f"Longer than maximum length {MAX_PHONE}.")
    try:
        number = phonenumbers.parse(value, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise InvalidValue("Give the number with its country code, like +49 30 123456.") from None
        raise InvalidValue("Not a valid phone number.") from None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise InvalidValue("Not a valid phone number.")
    text: str = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return text


def clean_custom(value: Any) -> FieldValue:
    """A custom field's value: text (also a date's), a number, true or false; None clears. Raises InvalidValue."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > MAX_NUMBER:
            raise InvalidValue("Not a number of a usable size.")
        return value
    if not isinstance(value, str):
        raise InvalidValue("Must be text, a number, true, false or null.")
    if len(value) > MAX_VALUE:
        raise InvalidValue(f"Longer than maximum length {MAX_VALUE}.")
    if "\x00" in value:
        raise InvalidValue("Must not contain NUL.")
    return value


def national_digits(phone: str | None) -> str | None:
    """The digits of an E.164 number as dialled within its country, without a trunk prefix."""
    if phone is None:
        return None
    number: str = phonenumbers.national_significant_number(phonenumbers.parse(phone))
    return number
