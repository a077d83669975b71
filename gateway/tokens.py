"""Signed tokens: what agents and visitors carry, made and read with the gateways' shared key."""

import time
from dataclasses import dataclass, field
from typing import Any

import jwt

from gateway.settings import GatewaySettings
from services.common.errors import Unauthenticated

ALGORITHM = "HS256"
AGENT = "agent"
VISITOR = "visitor"
MAX_REMEMBERED = 20_000


@dataclass(frozen=True)
class Signer:
    """Issues tokens and reads them back; tokens of one gateway are good on every other with the same key."""

    key: str
    access_token_seconds: int
    visitor_token_seconds: int
    # Claims by token: a client sends the same one with each request, and checking a signature takes a tenth of a millisecond.
    _checked: dict[str, dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, settings: GatewaySettings) -> "Signer":
        """The signer of a gateway."""
        return cls(settings.secret_key, settings.access_token_seconds, settings.visitor_token_days * 86_400)

    def issue_access_token(self, agent: dict[str, Any], session_id: str) -> str:
        """An agent's token, good for `access_token_seconds` unless the session is revoked earlier."""
        claims = {"sub": agent["id"], "name": agent["name"], "role": agent["role"], "sid": session_id}
        return self._sign(AGENT, claims, self.access_token_seconds)

    def issue_visitor_token(self, contact_id: str, channel_id: str, *, user: bool = False) -> str:
        """A visitor's token for their own contact in one channel; `user` marks that of a session whose user was verified."""
        claims: dict[str, Any] = {"sub": contact_id, "channel": channel_id}
        return self._sign(VISITOR, claims | ({"user": True} if user else {}), self.visitor_token_seconds)

    def read_visitor(self, token: str | None, channel_id: str) -> str | None:
        """The contact whose token this is, in this channel; None for any other token, and for none."""
        if not token:
            return None
        try:
            claims = self.read(token)
        except Unauthenticated:
            return None
        return str(claims["sub"]) if claims["typ"] == VISITOR and claims["channel"] == channel_id else None

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token of either kind. Raises Unauthenticated (TOKEN_EXPIRED, TOKEN_INVALID)."""
        claims = self._checked.get(token)
        if claims is None:
            claims = self._check(token)
            if len(self._checked) >= MAX_REMEMBERED:
                self._checked.clear()
            self._checked[token] = claims
        if claims["exp"] <= time.time():
            raise Unauthenticated("This token has expired.", code="TOKEN_EXPIRED")
        return claims

    def _check(self, token: str) -> dict[str, Any]:
        try:
            # A token that another gateway has just made is of the future where the clock is a second behind: RFC 7519, 4.1.6 refuses nothing for it.
            claims: dict[str, Any] = jwt.decode(
                token, self.key, algorithms=[ALGORITHM], options={"require": ["sub", "typ", "iat", "exp"], "verify_iat": False}
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("This token has expired.", code="TOKEN_EXPIRED") from None
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise Unauthenticated("This token is not valid.", code="TOKEN_INVALID") from None
        required: tuple[str, ...] | None = {AGENT: ("name", "role", "sid"), VISITOR: ("channel",)}.get(claims["typ"])
        if required is None or not all(isinstance(claims.get(name), str) for name in required):
            raise Unauthenticated("This token is not valid.", code="TOKEN_INVALID")
        return claims

    def _sign(self, kind: str, claims: dict[str, Any], seconds: int) -> str:
        now = int(time.time())
        return jwt.encode({**claims, "typ": kind, "iat": now, "exp": now + seconds}, self.key, algorithm=ALGORITHM)
