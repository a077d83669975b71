"""What Graph's answer to a call means: done, try again, or never; pure.

Facebook's errors come as `{"error": {"message", "type", "code", "error_subcode", "is_transient", "fbtrace_id"}}`. Their words are shown to
agents and told to webhooks, and Facebook quotes what it was given: nothing secret of it may get into a refusal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from services.common.redaction import LEFT_OUT, redact_tokens

# An access token that is invalid, expired or withdrawn; a session that ended.
TOKEN_CODES = {190, 102}
# Of the app, the user, the page, the custom limit, and of the Messenger use case.
RATE_CODES = {4, 17, 32, 613, 80006}
# Unknown, service away, "temporary send message failure".
TRANSIENT_CODES = {1, 2, 1200}
# Texts of ours, as Facebook's may quote the token; its subcodes say why it is refused.
REFUSED_ACCESS = "Facebook refuses the page access token."
REFUSALS_OF_ACCESS = {
    "458": "The page access token is refused: the app was removed from the page.",
    "460": "The page access token is refused: somebody's password was changed.",
    "463": "The page access token has expired.",
    "467": "The page access token was withdrawn.",
}
REFUSED_PROOF = (
    "Facebook refuses the proof of the app secret: the secret is not that of the app which the page access token belongs to."
)
LONGEST_PAUSE = 3600.0
MAX_MESSAGE = 300
UNREADABLE = "UNREADABLE"


@dataclass(frozen=True)
class Refusal:
    """Why a call did not succeed. `kind` is transient, rate, token, unknown (it may have succeeded) or final."""

    kind: str
    code: str
    message: str
    pause: float | None = None  # seconds that Facebook asks to wait

    @property
    def reason(self) -> dict[str, str]:
        """As it is shown on a message."""
        return {"code": self.code, "message": self.message}


def read_answer(status: int, headers: Mapping[str, str], body: bytes, secrets: Sequence[str] = ()) -> dict[str, Any] | Refusal:
    """The JSON object of a success, else the refusal, in which none of the secrets is quoted."""
    loaded = _object(body)
    if 200 <= status < 300 and loaded is not None and "error" not in loaded:
        return loaded
    error = (loaded or {}).get("error")
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        return _read_error(status, error, _pause(headers), secrets)
    if 200 <= status < 300:
        return Refusal("unknown", UNREADABLE, "Facebook's answer could not be read.")
    # Not in Facebook's form, so something on the way said it.
    kind = "rate" if status == 429 else "transient"
    return Refusal(kind, f"HTTP_{status}", f"Facebook answered with HTTP status {status}.", _pause(headers))


def hush(text: str, secrets: Sequence[str]) -> str:
    """As much of a text as is shown, without the secrets, as they are or as an address holds them, and without any other token."""
    for secret in secrets:
        for written in (secret, quote(secret, safe="")):
            text = text.replace(written, LEFT_OUT)
    return redact_tokens(text)[:MAX_MESSAGE]


def _read_error(status: int, error: Mapping[str, Any], pause: float | None, secrets: Sequence[str]) -> Refusal:
    code: int = error["code"]
    said = str(error.get("message") or "")
    if code in TOKEN_CODES:
        return Refusal("token", str(code), REFUSALS_OF_ACCESS.get(str(error.get("error_subcode")), REFUSED_ACCESS), pause)
    if "appsecret_proof" in said:  # the secret doesn't belong to the token's app
        return Refusal("token", str(code), REFUSED_PROOF, pause)
    if code in RATE_CODES or status == 429:
        kind = "rate"
    elif code in TRANSIENT_CODES or status >= 500 or error.get("is_transient") is True:
        kind = "transient"
    else:
        kind = "final"
    return Refusal(kind, str(code), hush(said, secrets), pause)


def _pause(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` (seconds) or the use case's usage (minutes until calls are taken again) asks for."""
    known = {name.lower(): value for name, value in headers.items()}
    after = known.get("retry-after", "").strip()
    if after.isascii() and after.isdigit():
        return min(float(after[:6]), LONGEST_PAUSE)
    usages = (_object(known.get("x-business-use-case-usage", "").encode()) or {}).values()
    minutes = [
        usage.get("estimated_time_to_regain_access")
        for listed in usages
        if isinstance(listed, list)
        for usage in listed
        if isinstance(usage, dict) and usage.get("type", "messenger") == "messenger"
    ]
    longest = max((number for number in minutes if isinstance(number, int | float)), default=0)
    return min(longest * 60.0, LONGEST_PAUSE) if longest > 0 else None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        loaded = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return loaded if isinstance(loaded, dict) else None
