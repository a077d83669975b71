"""The secrets: their names, what each may look like, and where each value comes from."""

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.setup.definitions import OPERATOR, USERS
from services.common.settings import InvalidSetting
from services.common.topology import SERVICES

BROKER_USERS = tuple(USERS)
DATABASE_USERS = (*SERVICES, OPERATOR)


@dataclass(frozen=True)
class Kind:
    """What a secret must match, how that is said, and how one is made."""

    pattern: str
    rule: str
    make: Callable[[], str]


def _token() -> str:
    # One that began with a hyphen would be an option to every command line it is pasted into.
    while (token := secrets.token_urlsafe(32)).startswith("-"):
        pass
    return token


def _keyfile() -> str:
    return base64.b64encode(secrets.token_bytes(96)).decode()


SIGNING_KEY = Kind(r"[^\r\n]{32,1024}", "must be one line of at least 32 characters", _token)
ACCOUNT = Kind(r"[^\r\n]{10,200}", "must be one line of 10 to 200 characters", _token)
# They stand in URIs and in rabbitmq.conf, where other characters mean something.
PASSWORD = Kind(r"[A-Za-z0-9._~+/=@:!,-]{8,200}", "must be 8 to 200 letters, digits or characters of ._~+/=@:!,-", _token)
# RabbitMQ 4 takes what stands before a colon in its configuration for a kind of encryption, and doesn't start.
FIRST_PASSWORD = Kind(
    r"[A-Za-z0-9._~+/=@!,-]{8,200}",
    "must be 8 to 200 letters, digits or characters of ._~+/=@!,- (no colon: with one in it RabbitMQ 4 does not start)",
    _token,
)
KEYFILE = Kind(r"[A-Za-z0-9+/=]{6,1024}", "must be 6 to 1024 characters of base64, as mongod wants it", _keyfile)
COOKIE = Kind(r"[A-Za-z0-9]{20,255}", "must be 20 to 255 letters and digits", lambda: secrets.token_hex(32))

# Each by its name: its kind, and where in the operator's volume the last value is kept.
SECRETS: dict[str, tuple[Kind, str]] = {
    "secret_key": (SIGNING_KEY, "secret_key"),
    "admin_password": (ACCOUNT, "admin_password"),
    "database_keyfile": (KEYFILE, "database_keyfile"),
    "broker_cookie": (COOKIE, "broker_cookie"),
    **{f"broker_{user}_password": (PASSWORD, f"broker_passwords/{user}") for user in BROKER_USERS},
    f"broker_{OPERATOR}_password": (FIRST_PASSWORD, f"broker_passwords/{OPERATOR}"),
    **{f"database_{user}_password": (PASSWORD, f"database_passwords/{user}") for user in DATABASE_USERS},
}


@dataclass(frozen=True)
class Secret:
    """A value, where it is from (`file`, `variable`, `kept` or `made`), and the value before it when that was another."""

    value: str
    origin: str
    before: str | None = None


def gather(environment: Mapping[str, str], given: Path, kept: Path) -> dict[str, Secret]:
    """Every secret: from a file in `given`, else its variable, else as it was `kept`, else made. Raises InvalidSetting."""
    return {name: _find(name, environment, given / name, kept / place) for name, (_, place) in SECRETS.items()}


def _find(name: str, environment: Mapping[str, str], given: Path, kept: Path) -> Secret:
    kind = SECRETS[name][0]
    before = _read(kept)
    variable = f"FOYER_{name.upper()}"
    if (value := _read(given)) is not None:
        found, origin, said = value, "file", f"The secret {name} in {given}"
    elif value := environment.get(variable, ""):
        found, origin, said = value, "variable", variable
    elif before is not None:
        found, origin, said = before, "kept", f"The secret {name} in {kept}"
    else:
        found, origin, said = kind.make(), "made", f"The secret {name}"
    if kind is KEYFILE:  # such files are often made in lines
        found = "".join(found.split())
    if not re.fullmatch(kind.pattern, found):
        raise InvalidSetting(f"{said} {kind.rule}.")
    return Secret(found, origin, before if before != found else None)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{path} can't be read: {getattr(error, 'strerror', None) or 'it is not text in UTF-8'}.") from None
