"""Looking for what should be forgotten: every text in every collection of a database."""

from collections.abc import Iterator
from typing import Any

from pymongo.database import Database


def find_remains(database: Database[dict[str, Any]], *markers: str) -> list[str]:
    """Where a text (a key, too) contains one of the markers, whatever its case: `collection/path: text`."""
    sought = [marker.casefold() for marker in markers]
    return [
        f"{name}/{path}: {text[:80]}"
        for name in database.list_collection_names()
        for document in database[name].find()
        for path, text in _texts(document)
        if any(marker in text.casefold() for marker in sought)
    ]


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path, str(key)
            yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{number}")
    else:
        yield path, str(value)
