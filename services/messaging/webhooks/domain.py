"""What may happen to a webhook and to a delivery; pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from services.messaging.webhooks import errors

Document = dict[str, Any]

MAX_WEBHOOKS = 50
MAX_ERROR = 300
GONE = 410
LONGEST_RETRY_AFTER = 3600.0
# Nothing but failures for so long: nobody is there any more.
PATIENCE = timedelta(days=3)
DISABLED = "disabled"
ERASED = "erased"


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt: a status, or the reason why there is none."""

    status: int | None = None
    error: str | None = None
    retry_after: str | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status <= 299


@dataclass(frozen=True)
class Verdict:
    """What follows from an attempt: for the delivery, for the webhook, and when the next one is."""

    delivery: Document  # what changes of it
    failing: bool = True
    disable: str | None = None  # why
    pause: float | None = None  # seconds until the next attempt, if there is one


def check_may_manage(actor: Mapping[str, Any]) -> None:
    """Raise FORBIDDEN unless an admin acts."""
    if actor["kind"] != "agent" or actor["role"] != "admin":
        raise errors.not_an_admin()


def make_webhook(webhook_id: str, values: Mapping[str, Any], secret: str, moment: datetime) -> Document:
    """A new webhook, enabled."""
    return {
        "_id": webhook_id,
        "url": values["url"],
        "description": values["description"].strip(),
        "events": sorted(set(values["events"])),
        "channel_ids": _sorted(values["channel_ids"]),
        "enabled": True,
        "failing_since": None,
        "disabled_reason": None,
        "secret": secret,
        "old_secret": None,
        "old_secret_until": None,
        "deleted": False,
        "created_at": moment,
        "version": 1,
    }


def change_webhook(webhook: Mapping[str, Any], changes: Mapping[str, Any]) -> Document:
    """The fields that change, those that follow included. Enabled anew, it has three days again."""
    changed = dict(changes)
    if "description" in changed:
        changed["description"] = changed["description"].strip()
    if "events" in changed:
        changed["events"] = sorted(set(changed["events"]))
    if "channel_ids" in changed:
        changed["channel_ids"] = _sorted(changed["channel_ids"])
    if changed.get("enabled") and not webhook["enabled"]:
        changed |= {"failing_since": None, "disabled_reason": None}
    return {name: value for name, value in changed.items() if webhook[name] != value}


def judge(webhook: Mapping[str, Any], attempts: int, outcome: Outcome, moment: datetime, schedule: Sequence[float]) -> Verdict:
    """What follows from the `attempts`-th attempt of a delivery."""
    noted: Document = {"last_attempt_at": moment, "last_status": outcome.status, "next_attempt_at": None}
    if outcome.delivered:
        done = {"state": "delivered", "waiting": False, "delivered_at": moment, "last_error": None}
        return Verdict(noted | done, failing=False)
    noted["last_error"] = (outcome.error or "")[:MAX_ERROR]
    failed = noted | {"state": "failed", "waiting": False}
    if outcome.status == GONE:
        return Verdict(failed, disable="The receiver answered 410 Gone.")
    since = webhook["failing_since"]
    if since is not None and moment - since >= PATIENCE:
        return Verdict(failed, disable="Nothing was delivered for three days.")
    pause = next_pause(attempts, schedule, outcome.retry_after, moment)
    if pause is None:
        return Verdict(failed)
    return Verdict(noted | {"next_attempt_at": moment + timedelta(seconds=pause)}, pause=pause)


def next_pause(attempts: int, schedule: Sequence[float], retry_after: str | None, moment: datetime) -> float | None:
    """Seconds until the next attempt, None when there is none: what the schedule says, jittered, or the receiver if that is longer."""
    if attempts > len(schedule):
        return None
    planned = schedule[attempts - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, not a secret
    return max(planned, min(read_retry_after(retry_after, moment), LONGEST_RETRY_AFTER))


def read_retry_after(text: str | None, moment: datetime) -> float:
    """The seconds that a Retry-After header asks for (RFC 9110: seconds or a date); 0 for none and for nonsense."""
    if text is None:
        return 0.0
    if text.strip().isascii() and text.strip().isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        return max(0.0, (parsedate_to_datetime(text) - moment).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return 0.0


def describe(status: int, body: bytes) -> str:
    """Why an answer doesn't count as delivered, with the beginning of what the receiver said."""
    if 300 <= status <= 399:
        return f"Answered {status}: redirects are not followed."
    said = "".join(char if char.isprintable() else " " for char in body[:200].decode("utf-8", "replace")).strip()
    return f"Answered {status}" + (f": {said}" if said else ".")


def _sorted(channel_ids: Sequence[str] | None) -> list[str] | None:
    return None if channel_ids is None else sorted(set(channel_ids))
