"""Writing many documents at once: what of it failed, told without the documents, which the driver's own error quotes whole."""

import re
from collections.abc import Mapping
from typing import Any

from pymongo.errors import BulkWriteError

DUPLICATE_KEY = 11000


class NotWritten(Exception):
    """Some documents were not written. `codes` are the server's."""

    def __init__(self, codes: set[int], count: int) -> None:
        super().__init__(f"{count} not written, codes {sorted(codes)}")
        self.codes = codes


def require_duplicates_only(error: BulkWriteError) -> None:
    """Raise NotWritten unless all that failed were documents whose id, or other unique value, was there already."""
    details: Mapping[str, Any] = error.details
    failures = [*details["writeErrors"], *details["writeConcernErrors"]]
    if codes := {int(failure.get("code", 0)) for failure in failures} - {DUPLICATE_KEY}:
        raise NotWritten(codes, len(failures)) from None


def violated_index(message: str) -> str:
    """The name of the unique index that an insert met, from the server's words."""
    found = re.search(r"index: (\S+)", message)
    return found.group(1) if found else "_id_"
