"""What Graph's answer to a call means: done, try again, or never; pure.

Facebook's errors come as `{"error": {"message", "type", "code", "error_subcode", "is_transient", "fbtrace_id"}}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

# An access token that is invalid, expired or withdrawn; a session that ended.
TOKEN_CODES = {190, 102}
# Of the app, the user, the page, the custom limit, and of the Messenger use case.
RATE_CODES = {4, 17, 32, 613, 80006}
# Unknown, service away, "temporary send message failure".
TRANSIENT_CODES = {1, 2, 1200}
LONGEST_PAUSE = 3600.0
MAX_MESSAGE = 300


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


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any] | Refusal:
    """The JSON object of a success, else the refusal."""
    loaded = _object(body)
    if 200 <= status < 300 and loaded and "error" not in loaded:
        return loaded
    error = loaded.get("error")
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        return _read_error(status, error, _pause(headers))
    if 200 <= status < 300:
        return Refusal("unknown", "UNREADABLE", "Facebook's answer could not be read.")
    # Not in Facebook's form, so something on the way said it.
    kind = "rate" if status == 429 else "transient"
    return Refusal(kind, f"HTTP_{status}", f"Facebook answered with HTTP status {status}.", _pause(headers))


def _read_error(status: int, error: Mapping[str, Any], pause: float | None) -> Refusal:
    code: int = error["code"]
    message = str(error.get("message") or "")[:MAX_MESSAGE]
    if code in TOKEN_CODES or "appsecret_proof" in message:  # the secret doesn't belong to the token's app
        kind = "token"
    elif code in RATE_CODES or status == 429:
        kind = "rate"
    elif code in TRANSIENT_CODES or status >= 500 or error.get("is_transient") is True:
        kind = "transient"
    else:
        kind = "final"
    return Refusal(kind, str(code), message, pause)


def _pause(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` (seconds) or the use case's usage (minutes until calls are taken again) asks for."""
    known = {name.lower(): value for name, value in headers.items()}
    after = known.get("retry-after", "").strip()
    if after.isascii() and after.isdigit():
        return min(float(after[:6]), LONGEST_PAUSE)
    usages = _object(known.get("x-business-use-case-usage", "").encode()).values()
    minutes = [
        usage.get("estimated_time_to_regain_access")
        for listed in usages
        if isinstance(listed, list)
        for usage in listed
        if isinstance(usage, dict) and usage.get("type", "messenger") == "messenger"
    ]
    longest = max((number for number in minutes if isinstance(number, int | float)), default=0)
    return min(longest * 60.0, LONGEST_PAUSE) if longest > 0 else None


def _object(body: bytes) -> dict[str, Any]:
    try:
        loaded = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return loaded if isinstance(loaded, dict) else {}
