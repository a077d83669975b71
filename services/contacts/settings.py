"""What the contacts service reads from its environment, besides the settings of every process."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.contacts.geoip import SHIPPED_DATABASE


@dataclass(frozen=True)
class ContactsSettings:
    """The service's own settings."""

    geoip_database: Path

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings in `environment` (default: the process's)."""
        env = os.environ if environment is None else environment
        return cls(geoip_database=Path(env.get("GEOIP_DATABASE") or SHIPPED_DATABASE))
