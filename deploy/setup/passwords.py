"""Reading the passwords that the keys put into the operator's folders."""

from collections.abc import Iterable
from pathlib import Path

from services.common.settings import InvalidSetting


def read_passwords(folder: Path, users: Iterable[str], variable: str) -> dict[str, str]:
    """Each user's password from the file of its name. Raises InvalidSetting naming `variable` when one is missing."""
    found = {}
    for user in users:
        try:
            found[user] = (folder / user).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise InvalidSetting(f"{variable}={folder} has no password of {user}: {error.strerror}.") from None
        if not found[user]:
            raise InvalidSetting(f"{variable}={folder} has an empty password of {user}.")
    return found


def with_previous(password: str, file: Path) -> list[str]:
    """The password, then those before it, which the file's `.previous` keeps until they are changed everywhere."""
    previous = file.with_name(f"{file.name}.previous")
    try:
        earlier = previous.read_text(encoding="utf-8").splitlines()
    except OSError:
        earlier = []
    return [password, *(line for line in earlier if line and line != password)]
