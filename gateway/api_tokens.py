"""Integrations' tokens: verified by presence, and remembered for a few seconds."""

import hashlib
import re
import time
from dataclasses import dataclass

from services.common.errors import Unauthenticated
from services.common.rpc_client import RpcClient

# How long a revoked token may still be taken by this process.
REMEMBER_SECONDS = 10.0
MAX_REMEMBERED = 10_000
_FORM = re.compile(r"[A-Za-z0-9_\-]{16,200}")


@dataclass(frozen=True)
class ApiToken:
    """What a token stands for."""

    id: str
    name: str
    scopes: tuple[str, ...]


class ApiTokens:
    """Asks presence about each token at most every REMEMBER_SECONDS; keeps hashes, no tokens."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._known: dict[bytes, tuple[ApiToken, float]] = {}

    def recall(self, token: str) -> ApiToken | None:
        """The token's meaning if it was verified not long ago."""
        found = self._known.get(_digest(token))
        return found[0] if found is not None and found[1] > time.monotonic() else None

    def verify(self, token: str) -> ApiToken:
        """The token's meaning. Raises Unauthenticated (TOKEN_INVALID), Unavailable."""
        if not _FORM.fullmatch(token):
            raise Unauthenticated("This token is not valid.", code="TOKEN_INVALID")
        known = self.recall(token)
        if known is not None:
            return known
        answer = self._rpc.call("presence", "verify_api_token", token=token)
        verified = ApiToken(answer["id"], answer["name"], tuple(answer["scopes"]))
        if len(self._known) >= MAX_REMEMBERED:
            self._known.clear()
        self._known[_digest(token)] = (verified, time.monotonic() + REMEMBER_SECONDS)
        return verified

    def forget(self, token_id: str) -> None:
        """The token was revoked through this process."""
        for digest, (token, _) in list(self._known.items()):
            if token.id == token_id:
                self._known.pop(digest, None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
