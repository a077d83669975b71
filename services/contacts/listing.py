"""Where a listing goes on in the database: behind a position among documents that are sorted by a time and their ids."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING

from services.common.paging import decode_cursor

Position = tuple[datetime, str]

NEWEST_SEEN = (("last_seen_at", DESCENDING), ("_id", DESCENDING))
NEWEST_MADE = (("created_at", DESCENDING), ("_id", DESCENDING))
OLDEST_MADE = (("created_at", ASCENDING), ("_id", ASCENDING))

# No time lies before it, and what has no time at all is no part of the index's range: erased documents are passed over.
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def read_position(cursor: str | None) -> Position | None:
    """The position in a cursor, None for none. Raises Invalid (CURSOR_INVALID)."""
    if cursor is None:
        return None
    moment, document_id = decode_cursor(cursor, datetime, str)
    return moment, document_id


def made(record: Mapping[str, Any]) -> Position:
    """The position of a note, a ticket or a comment."""
    return record["created_at"], record["_id"]


def seen(contact: Mapping[str, Any]) -> Position:
    """The position of a contact."""
    return contact["last_seen_at"], contact["_id"]


def before(key: str, after: Position | None) -> dict[str, Any]:
    """What a listing of the newest first still has to show."""
    if after is None:
        return {key: {"$gt": _BEGINNING}}
    moment, document_id = after
    # The first condition is implied by the second, and bounds the index's scan.
    return {key: {"$lte": moment}, "$or": [{key: {"$lt": moment}}, {key: moment, "_id": {"$lt": document_id}}]}


def since(key: str, after: Position | None) -> dict[str, Any]:
    """What a listing of the oldest first still has to show."""
    if after is None:
        return {key: {"$gt": _BEGINNING}}
    moment, document_id = after
    return {key: {"$gte": moment}, "$or": [{key: {"$gt": moment}}, {key: moment, "_id": {"$gt": document_id}}]}
