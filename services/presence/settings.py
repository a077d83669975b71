"""What presence alone reads from the environment: lease times and the first admin's account."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from services.common.settings import InvalidSetting, read_number, read_secret
from services.presence.domain import MAX_PASSWORD, MIN_PASSWORD
from services.presence.leases import Terms

DEFAULT_ADMIN_EMAIL = "admin@foyer.localhost"


def read_terms(environment: Mapping[str, str] | None = None) -> Terms:
    """FOYER_LEASE_SECONDS and FOYER_GRACE_SECONDS. Raises InvalidSetting."""
    env = os.environ if environment is None else environment
    lease = read_number(env, "FOYER_LEASE_SECONDS", 30.0, minimum=1, maximum=3600)
    grace = read_number(env, "FOYER_GRACE_SECONDS", 5.0, minimum=0, maximum=3600)
    return Terms(lease=timedelta(seconds=lease), grace=timedelta(seconds=grace))


@dataclass(frozen=True)
class FirstAdminSettings:
    """The account made when there is no agent at all; without a password one is generated and shown once."""

    email: str
    password: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """FOYER_ADMIN_EMAIL and FOYER_ADMIN_PASSWORD. Raises InvalidSetting."""
        env = os.environ if environment is None else environment
        email = env.get("FOYER_ADMIN_EMAIL", "").strip() or DEFAULT_ADMIN_EMAIL
        password = read_secret(env, "FOYER_ADMIN_PASSWORD")
        if "@" not in email.strip("@"):
            raise InvalidSetting("FOYER_ADMIN_EMAIL is not an e-mail address.")
        if password is not None and not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise InvalidSetting(f"FOYER_ADMIN_PASSWORD must have {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
        return cls(email=email, password=password)
