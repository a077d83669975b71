"""What every process reads from its environment, once, into a frozen value."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

Number = TypeVar("Number", int, float)

_PART = r"(?:[^/?#@:%\[\];]|%[0-9A-Fa-f]{2})*"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|{_PART})(?::\d{{1,5}})?"
_WHO_AND_HOSTS = rf"(?:{_PART}(?::{_PART})?@)?{_HOST}"
# Several brokers may be named, with a `;` between them.
_BROKER = rf"(?:py)?amqps?://{_WHO_AND_HOSTS}(?:/[^@]*)?"
_DATABASE = rf"mongodb(?:\+srv)?://{_WHO_AND_HOSTS}(?:,{_HOST})*(?:/[^@]*)?"
_FORMS = {
    "AMQP_URI": (re.compile(rf"{_BROKER}(?:;{_BROKER})*"), "amqp://user:password@host:5672/vhost"),
    "MONGODB_URI": (re.compile(_DATABASE), "mongodb://user:password@host:27017/database?replicaSet=rs0"),
}


class InvalidSetting(ValueError):
    """A variable holds something unusable; the text names it and what it should hold."""


def read_number(environment: Mapping[str, str], name: str, default: Number, *, minimum: float, maximum: float = 1e12) -> Number:
    """A number between the bounds. Raises InvalidSetting."""
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        value = type(default)(text)
    except ValueError:
        raise InvalidSetting(f"{name}={text!r} is not a number.") from None
    if not minimum <= value <= maximum:
        raise InvalidSetting(f"{name}={text} must lie between {minimum:g} and {maximum:g}.")
    return value


def read_choice(environment: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of the choices. Raises InvalidSetting."""
    value = environment.get(name, "").strip() or default
    if value not in choices:
        raise InvalidSetting(f"{name}={value!r} must be one of {', '.join(choices)}.")
    return value


def read_secret(environment: Mapping[str, str], name: str) -> str | None:
    """The variable's value, or the content of the file that `<name>_FILE` names. None without either. Raises InvalidSetting."""
    value, path = environment.get(name, ""), environment.get(f"{name}_FILE", "").strip()
    if not path:
        return value or None
    if value:
        raise InvalidSetting(f"{name} and {name}_FILE are both set; only one of them may be.")
    try:
        content = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidSetting(f"{name}_FILE={path} can't be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise InvalidSetting(f"{name}_FILE={path} is not text in UTF-8.") from None
    secret = content.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise InvalidSetting(f"{name}_FILE={path} is empty.")
    if "\n" in secret:
        raise InvalidSetting(f"{name}_FILE={path} holds more than one line.")
    return secret


def read_address(environment: Mapping[str, str], name: str, default: str) -> str:
    """The address of the broker or the database, read as a secret. Raises InvalidSetting, which shows nothing of it."""
    address = read_secret(environment, name)
    if address is None:
        return default
    form, looks = _FORMS[name]
    if not form.fullmatch(address):
        given = name if environment.get(name) else f"{name}_FILE"
        raise InvalidSetting(
            f"{given} can't be read as {looks}. In the user and the password, percent-encode all but letters, digits and -._~: "
            "/ is %2F, : is %3A, @ is %40, % is %25."
        )
    return address


@dataclass(frozen=True)
class Settings:
    """The settings of every process; docs/settings.md explains each."""

    amqp_uri: str
    mongodb_uri: str
    log_level: str
    log_format: str
    rpc_timeout: float
    metrics_port: int
    stream_max_age: str
    stream_max_bytes: int
    topology: str
    queue_type: str

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings in `environment` (default: the process's). Raises InvalidSetting."""
        env = os.environ if environment is None else environment
        return cls(
            amqp_uri=read_address(env, "AMQP_URI", "amqp://guest:guest@127.0.0.1:5672/"),
            mongodb_uri=read_address(env, "MONGODB_URI", "mongodb://127.0.0.1:27017/?replicaSet=rs0"),
            log_level=read_choice(env, "FOYER_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
            log_format=read_choice(env, "FOYER_LOG_FORMAT", "json", ("json", "console")),
            rpc_timeout=read_number(env, "FOYER_RPC_TIMEOUT", 3.0, minimum=0.1, maximum=60),
            metrics_port=read_number(env, "FOYER_METRICS_PORT", 0, minimum=0, maximum=65535),
            stream_max_age=env.get("FOYER_STREAM_MAX_AGE") or "7D",
            stream_max_bytes=read_number(env, "FOYER_STREAM_MAX_BYTES", 2_000_000_000, minimum=10_000_000),
            topology=read_choice(env, "FOYER_TOPOLOGY", "declare", ("declare", "given")),
            queue_type=read_choice(env, "FOYER_QUEUE_TYPE", "classic", ("classic", "quorum")),
        )
