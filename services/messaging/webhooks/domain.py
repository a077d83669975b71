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
# How long the log shows what has ended, and the longest that anything may wait, however often its lane's receiver fails.
KEPT = timedelta(days=7)
LONGEST_WAIT = timedelta(days=30)
UNTRIED_PAUSE = 4.0


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt: a status, or the reason why there is none."""

    status: int | None = None
    error: str | None = None
    retry_after: str | None = None
    untried: bool = False  # we had no room to try it

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status <= 299


@dataclass(frozen=True)
class Verdict:
    """What follows from an attempt: for the delivery, for the webhook, and when the next one is."""

    delivery: Document  # what changes of it
    failing: bool | None = True  # None: it says nothing of the webhook
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
        "old_secrets": [],
        "deleted": False,
        "created_at": moment,
        "version": 1,
    }


def change_webhook(webhook: Mapping[str, Any], changes: Mapping[str, Any]) -> Document:
    """The fields that change, those that follow included. Enabled anew, or leading elsewhere, it has three days again."""
    changed = dict(changes)
    if "description" in changed:
        changed["description"] = changed["description"].strip()
    if "events" in changed:
        changed["events"] = sorted(set(changed["events"]))
    if "channel_ids" in changed:
        changed["channel_ids"] = _sorted(changed["channel_ids"])
    if changed.get("enabled") and not webhook["enabled"]:
        changed |= {"failing_since": None, "disabled_reason": None}
    elif changed.get("url", webhook["url"]) != webhook["url"]:
        changed["failing_since"] = None
    return {name: value for name, value in changed.items() if webhook[name] != value}


def judge(webhook: Mapping[str, Any], attempts: int, outcome: Outcome, moment: datetime, schedule: Sequence[float]) -> Verdict:
    """What follows from the `attempts`-th attempt of a delivery."""
    if outcome.untried:  # soon again, and not counted
        soon = _jitter(UNTRIED_PAUSE)
        return Verdict({"last_error": outcome.error} | _next(soon, moment), failing=None, pause=soon)
    noted = _note(attempts, outcome, moment)
    if outcome.delivered:
        return Verdict(noted | end("delivered", moment) | {"delivered_at": moment}, failing=False)
    failed = noted | end("failed", moment)
    if outcome.status == GONE:
        return Verdict(failed, disable="The receiver answered 410 Gone.")
    since = webhook["failing_since"]
    if since is not None and moment - since >= PATIENCE:
        return Verdict(failed, disable="Nothing was delivered for three days.")
    pause = next_pause(attempts, schedule, outcome.retry_after, moment)
    if pause is None:
        return Verdict(failed)
    return Verdict(noted | _next(pause, moment), pause=pause)


def judge_fault(attempts: int, error: Exception, moment: datetime, schedule: Sequence[float]) -> Verdict:
    """What follows when the `attempts`-th failed through a fault of ours: as any other for the delivery, nothing for the webhook."""
    noted = _note(attempts, Outcome(error=f"An attempt failed within Foyer ({type(error).__name__})."), moment)
    pause = next_pause(attempts, schedule, None, moment)
    return Verdict(noted | (end("failed", moment) if pause is None else _next(pause, moment)), failing=None, pause=pause)


def give_up(reason: str, moment: datetime) -> Document:
    """What changes of a delivery that fails for a reason of ours."""
    return end("failed", moment) | {"last_error": reason}


def end(state: str, moment: datetime) -> Document:
    """What changes of a delivery when nothing more is to be sent; from then on it is kept in the log for seven days."""
    return {"state": state, "waiting": False, "next_attempt_at": None, "kept_until": moment + KEPT}


def _note(attempts: int, outcome: Outcome, moment: datetime) -> Document:
    error = None if outcome.delivered else (outcome.error or "")[:MAX_ERROR]
    # Counted here and not when a lane is claimed: what we were killed at, or couldn't do, was no attempt.
    return {
        "tries": attempts,
        "last_attempt_at": moment,
        "last_status": outcome.status,
        "last_error": error,
        "next_attempt_at": None,
    }


def _next(pause: float, moment: datetime) -> Document:
    return {"next_attempt_at": moment + timedelta(seconds=pause)}


def next_pause(attempts: int, schedule: Sequence[float], retry_after: str | None, moment: datetime) -> float | None:
    """Seconds until the next attempt, None when there is none: what the schedule says, jittered, or the receiver if that is longer."""
    if attempts > len(schedule):
        return None
    return max(_jitter(schedule[attempts - 1]), min(read_retry_after(retry_after, moment), LONGEST_RETRY_AFTER))


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


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, not a secret


def _sorted(channel_ids: Sequence[str] | None) -> list[str] | None:
    return None if channel_ids is None else sorted(set(channel_ids))
