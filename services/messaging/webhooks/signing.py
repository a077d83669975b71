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
# Somebody who got no answer rotates again: what the receiver knows may be several rotations old.
MAX_OLD_SECRETS = 5


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
    """A new secret. The replaced ones sign too, each for a day from when it was replaced; the latest ones, if there are many."""
    replaced = {"secret": webhook["secret"], "until": moment + OVERLAP}
    old = [replaced, *(each for each in webhook["old_secrets"] if moment < each["until"])]
    return {"secret": make_secret(), "old_secrets": old[:MAX_OLD_SECRETS]}


def secrets_in_use(webhook: Mapping[str, Any], moment: datetime) -> list[str]:
    """Those that sign now, the newest first."""
    return [webhook["secret"], *(each["secret"] for each in webhook["old_secrets"] if moment < each["until"])]
