"""What commands that were killed left behind: unfinished files beside the backups, and databases that one was tried out in."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo

from deploy.ops.context import Context
from deploy.ops.load import TRIAL_PREFIX
from deploy.ops.places import lock
from deploy.ops.tables import count_of, say

Document = dict[str, Any]

_UNFINISHED_FILE = re.compile(r"\..+\.[0-9a-f]{8}\.unfinished")


def tidy_up(context: Context, folder: Path) -> None:
    """Remove all of it, from a folder and from the database. Only for who is alone: no other's databases are there then."""
    files = sum(_remove(path) for path in left_files(folder))
    databases = left_databases(context.database)
    for name in databases:
        context.database.drop_database(name)
    if files or databases:
        say(f"Removed what a killed backup had left: {count_of(files, 'file')}, {count_of(len(databases), 'database')}.")


def left_files(folder: Path) -> Iterator[Path]:
    """The unfinished files in a folder that nobody is writing."""
    try:
        paths = sorted(each for each in folder.iterdir() if _UNFINISHED_FILE.fullmatch(each.name))
    except OSError:
        return
    yield from (path for path in paths if _is_left(path))


def left_databases(client: "pymongo.MongoClient[Document]") -> list[str]:
    """Databases that a backup was tried out in, or is at this moment."""
    return sorted(name for name in client.list_database_names() if name.startswith(TRIAL_PREFIX))


def _is_left(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return lock(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
