"""Signatures as the Standard Webhooks specification wants them (standardwebhooks.com); pure.

HMAC-SHA256 over `id.timestamp.body` with the secret's bytes, which its text holds in base64 behind `whsec_`.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

Document = dict[str, Any]

PREFIX = "whsec_"
SECRET_BYTES = 32
# Receivers take the new secret over in this time; until then both sign.
OVERLAP = timedelta(hours=24)


def make_secret() -> str:
    """A new secret."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """One signature: `v1,` and the HMAC in base64."""
    key = b64decode(secret.removeprefix(PREFIX))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()


def make_headers(secrets_in_use: Sequence[str], webhook_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt."""
    timestamp = int(moment.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, webhook_id, timestamp, body) for secret in secrets_in_use),
    }


def rotate(webhook: Mapping[str, Any], moment: datetime) -> Document:
    """A new secret; the last one signs too for a day. What an earlier rotation left signs no more."""
    return {"secret": make_secret(), "old_secret": webhook["secret"], "old_secret_until": moment + OVERLAP}


def secrets_in_use(webhook: Mapping[str, Any], moment: datetime) -> list[str]:
    """Those that sign now, the newest first."""
    until = webhook.get("old_secret_until")
    old = [webhook["old_secret"]] if until is not None and moment < until else []
    return [webhook["secret"], *old]
