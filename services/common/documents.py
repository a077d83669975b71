"""Records out of mappings that a later version may have written: what this version doesn't know is passed over."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

Record = TypeVar("Record")


def of_known(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """A dataclass of the values that it has fields for. Raises TypeError when one without a default is missing."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in values.items() if name in known})
