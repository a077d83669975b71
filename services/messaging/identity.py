"""A website's word for who its signed-in user is: the channel's secret, and the signature by it over the user's id; pure."""

import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from services.common.errors import Conflict, Forbidden
from services.messaging import errors

SECRET_BYTES = 32


def make_secret() -> str:
    """A new secret: 64 hexadecimal digits, whose text is the key."""
    return secrets.token_hex(SECRET_BYTES)


def sign(secret: str, user_id: str) -> str:
    """The HMAC-SHA256 of the id in hexadecimal, as the website computes it."""
    return hmac.new(secret.encode(), user_id.encode(), sha256).hexdigest()


def check_may_keep(channel: Mapping[str, Any], actor: Mapping[str, Any]) -> None:
    """Raise FORBIDDEN unless an admin acts, CONFLICT unless the channel is a website."""
    if actor["kind"] != "agent" or actor["role"] != "admin":
        raise Forbidden("Identity secrets are managed by admins.")
    if channel["kind"] != "web":
        raise Conflict("Only a website has signed-in users to speak for.")


def check(channel: Mapping[str, Any], user_id: str, signature: str) -> None:
    """Raise IDENTITY_NOT_VERIFIED unless the signature, in letters of either case, is that of the id by the channel's secret."""
    secret = channel.get("identity_secret")
    if secret is None:
        raise errors.identity_not_verified("The channel has no identity secret, so nobody can speak for its users.")
    if not hmac.compare_digest(sign(secret, user_id), signature.lower()):
        raise errors.identity_not_verified("The hash is not that of the id by the channel's identity secret.")
