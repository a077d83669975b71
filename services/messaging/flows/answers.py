"""What a visitor's text means as an answer of each kind."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import phonenumbers
from dateutil import parser as dates

# One @, a dotted domain, no blanks: whether an address exists only a mail can tell.
_EMAIL = re.compile(
    r"^[^@\s<>\"(),:;\[\]\\]{1,64}@(?=.{1,253}\Z)([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z"
)
_NUMBER = re.compile(r"^[+-]?\d{1,15}([.,]\d{1,9})?\Z")
MAX_NAME = 100
MAX_ANSWER = 2_000
MAX_DATE = 100

RETRY = {
    "name": "Please tell me your name in up to 100 characters.",
    "email": "That does not look like an e-mail address.",
    "phone": "That does not look like a phone number. With the country code, please: +44 20 7946 0018.",
    "number": "Please answer with a number.",
    "date": "Please answer with a date, such as 2026-03-31.",
    "text": "Please answer with a few words.",
    "choice": "Please choose one of the options.",
}


class NotAnAnswer(ValueError):
    """The text is no answer of the wanted kind."""


def read_answer(kind: str, text: str) -> str | int | float:
    """The value that `text` gives for a question of `kind`. Raises NotAnAnswer."""
    text = " ".join(text.split()) if kind != "text" else text.strip()
    if not text or len(text) > MAX_ANSWER:
        raise NotAnAnswer(kind)
    value: str | int | float = _READERS[kind](text)
    return value


def read_option(options: Sequence[Mapping[str, Any]], text: str, choice: str | None) -> Mapping[str, Any]:
    """The option that was pressed (`choice`, its value) or typed (its label, value or number). Raises NotAnAnswer."""
    for option in options:
        if choice is not None and option["value"] == choice:
            return option
    typed = (choice if choice is not None else text).strip().casefold()
    for option in options:
        if typed in {option["label"].strip().casefold(), option["value"].strip().casefold()}:
            return option
    for number, option in enumerate(options, 1):
        if typed == str(number):
            return option
    raise NotAnAnswer("choice")


def _name(text: str) -> str:
    if len(text) > MAX_NAME or not any(character.isalnum() for character in text):
        raise NotAnAnswer("name")
    return text


def _email(text: str) -> str:
    if not _EMAIL.match(text):
        raise NotAnAnswer("email")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise NotAnAnswer("phone") from None
    if not phonenumbers.is_possible_number(number):
        raise NotAnAnswer("phone")
    formatted: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return formatted


def _number(text: str) -> int | float:
    if not _NUMBER.match(text):
        raise NotAnAnswer("number")
    value = float(text.replace(",", "."))
    return int(value) if value.is_integer() else value


def _date(text: str) -> str:
    if len(text) > MAX_DATE:
        raise NotAnAnswer("date")
    try:
        # A text without a year, month or day would silently take today's.
        first, second = (
            dates.parse(text, default=_moment(default), ignoretz=True) for default in (date(2000, 1, 1), date(2001, 2, 2))
        )
    except (ValueError, ArithmeticError, TypeError):
        raise NotAnAnswer("date") from None
    if first.date() != second.date():
        raise NotAnAnswer("date")
    return first.date().isoformat()


def _moment(day: date) -> datetime:
    return datetime.combine(day, time())


_READERS: dict[str, Any] = {
    "name": _name,
    "email": _email,
    "phone": _phone,
    "number": _number,
    "date": _date,
    "text": lambda text: text,
    "choice": lambda text: text,
}
