"""Identifiers: opaque on the wire, ordered by time where they are made."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import orjson
import uuid_utils

NAMESPACE = UUID("6f1c5a0e-1d0f-4a55-9d55-0f0f6e7a4b11")


def new_id() -> str:
    """32 hexadecimal characters of a UUIDv7 (RFC 9562), so that an index grows at its end."""
    return uuid_utils.uuid7().hex


def derived_id(*parts: str | None) -> str:
    """The same id for the same parts, always: what makes a repeated creation find its first result."""
    return uuid5(NAMESPACE, "\x1f".join(part or "" for part in parts)).hex


def fingerprint(arguments: Mapping[str, Any]) -> str:
    """The same text for the same arguments: tells a repeat from another call that uses the same key."""
    return hashlib.sha256(orjson.dumps(dict(arguments), option=orjson.OPT_SORT_KEYS)).hexdigest()
