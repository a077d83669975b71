"""Secrets that are shown once and stored as hashes: refresh tokens, stream tickets, API tokens.

They are random (256 bits), so a plain SHA-256 keeps them: there is nothing to guess that a slow hash would slow down.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

API_TOKEN_PREFIX = "foyer_"  # noqa: S105 - what secret scanners recognise, not a secret
TICKET_LIFE = timedelta(seconds=30)


@dataclass(frozen=True)
class RefreshToken:
    """`<family>.<secret>`: the family is the session's for its whole life, the secret changes at every refresh."""

    text: str

    @classmethod
    def begin(cls) -> "RefreshToken":
        """The first token of a new session."""
        return cls(f"{_secret()}.{_secret()}")

    def next(self) -> "RefreshToken":
        """Another token of the same session."""
        return RefreshToken(f"{self.text.partition('.')[0]}.{_secret()}")

    @property
    def family_hash(self) -> str:
        """Finds the session, also for a token that was rotated long ago."""
        return digest(self.text.partition(".")[0])

    @property
    def hash(self) -> str:
        """Tells this token from the session's others."""
        return digest(self.text)


def new_ticket() -> str:
    """A stream ticket."""
    return _secret()


def new_api_token() -> str:
    """An API token."""
    return f"{API_TOKEN_PREFIX}{_secret()}"


def digest(secret: str) -> str:
    """What is stored in a secret's place."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _secret() -> str:
    return secrets.token_urlsafe(32)
