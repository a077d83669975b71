"""Repeated creations: the first result answers, unless the key came with other arguments."""

from collections.abc import Mapping
from typing import Any

from services.contacts.errors import KeyReused


def check_repeat(existing: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> None:
    """Raise KeyReused when what this key made before was asked for with other arguments. An erased one tells nothing any more."""
    if existing is not None and existing.get("fingerprint", wanted["fingerprint"]) != wanted["fingerprint"]:
        raise KeyReused("This idempotency key came before, with other arguments.")
