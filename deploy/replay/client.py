"""HTTP as a careful client speaks it: the same request again, with the same ids, until it is answered or out of time."""

import itertools
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from deploy.replay.errors import OutOfTime, Refused, Stopped

# 429 and 503 are the gateway's own; 502 and 504 come from a proxy before it.
RETRIED = frozenset({429, 502, 503, 504})
CONNECT_SECONDS = 3.0
# The gateway answers within its RPC deadline of 3 s: beyond thrice that it hangs, and asking again is better than waiting.
ANSWER_SECONDS = 10.0
# Heartbeats come every 15 s: three missed ones, and the connection is dead without having said so.
SILENCE_SECONDS = 45.0

# How long a call goes on waiting as 429 answers say: limits count by the minute, and every minute lets some through.
PATIENCE_SECONDS = 600.0

_random = secrets.SystemRandom()


class Clock:
    """When a request was posted; `at` is in seconds of `time.perf_counter`."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """It is posted now."""
        self.at = time.perf_counter()


class Gateway:
    """The gateway at one address; safe to share between threads.

    `stop` ends every wait between two attempts; `reasons` counts the attempts that had to be repeated by their answer's status,
    `connection` for those without one.
    """

    def __init__(self, url: str, *, timeout: float, stop: threading.Event, connections: int = 16) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.stop = stop
        self.reasons: Counter[str] = Counter()
        self._pool = urllib3.PoolManager(maxsize=connections, retries=False)

    @property
    def retries(self) -> int:
        """How many attempts had to be repeated."""
        return self.reasons.total()

    @property
    def throttled(self) -> int:
        """How many of them came too fast."""
        return self.reasons["429"]

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        clock: Clock | None = None,
    ) -> Any:
        """The JSON of the 2xx answer, None for an empty one.

        Every call must be safe to repeat (a client_message_id, an Idempotency-Key, or idempotent by nature): connection
        errors, 429 and 503 are tried again, not before `Retry-After`, for at most `timeout` seconds. To wait as a 429 says
        takes nothing of that time, nor of what `clock` measures: the client was too fast, not the gateway too slow.
        Raises Refused for any other answer, OutOfTime, Stopped.
        """
        seconds = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        patience = deadline + PATIENCE_SECONDS
        sent = {"Accept": "application/json", **_bearer(token), **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        payload = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        for attempt in itertools.count():
            try:
                answer = self._pool.request(
                    method, self.url + path, body=payload, headers=sent, redirect=False, timeout=_bounded(deadline)
                )
            except HTTPError as error:
                status, reason, retry_after = 0, describe_failure(error), None
            else:
                if 200 <= answer.status < 300:
                    return _read_json(answer)
                refusal = _refusal(answer, answer.data)
                if answer.status not in RETRIED:
                    raise refusal
                status, reason, retry_after = answer.status, str(refusal), refusal.retry_after
            delay = backoff(attempt, retry_after)
            if status == 429 and time.monotonic() < patience:
                deadline += delay
            if time.monotonic() + delay >= deadline:
                raise OutOfTime(f"{method} {path} had no answer within {seconds:g} s; at last: {reason}")
            self.reasons[str(status) if status else "connection"] += 1
            if self.stop.wait(delay):
                raise Stopped
            if status == 429 and clock is not None:
                clock.restart()
        raise AssertionError("unreachable")

    def open_stream(self, path: str, *, token: str, headers: Mapping[str, str], last_event_id: str) -> urllib3.BaseHTTPResponse:
        """One attempt at an event stream; the caller reads and closes the response. Raises Refused, urllib3's HTTPError."""
        position = {"Last-Event-ID": last_event_id} if last_event_id else {}
        answer = self._pool.request(
            "GET",
            self.url + path,
            headers={"Accept": "text/event-stream", "Cache-Control": "no-store", **_bearer(token), **headers, **position},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS),
            preload_content=False,
            redirect=False,
        )
        kind = answer.headers.get("Content-Type", "")
        if answer.status == 200 and kind.startswith("text/event-stream"):
            return answer
        body = answer.read(100_000)
        answer.close()
        if answer.status == 200:
            raise Refused(200, "NO_STREAM", f"{path} answered {kind or 'nothing'}")
        raise _refusal(answer, body)


def backoff(attempt: int, retry_after: float | None = None, base: float = 0.1) -> float:
    """Seconds before attempt `attempt + 1`: never sooner than told, and spread so that clients don't return all at once."""
    if retry_after is not None:
        return retry_after + _random.uniform(0, min(2.0, 0.05 + retry_after / 4))
    return min(2.0, base * float(2 ** min(attempt, 10))) * _random.uniform(0.5, 1.0)


def read_retry_after(value: str | None) -> float | None:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3: a number of seconds or a date); None if absent or unreadable."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def describe_failure(error: Exception) -> str:
    """The cause of a failed connection in a few words, without object addresses."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _bounded(deadline: float) -> urllib3.Timeout:
    left = max(0.1, deadline - time.monotonic())
    return urllib3.Timeout(connect=min(CONNECT_SECONDS, left), read=min(ANSWER_SECONDS, left))


def _read_json(answer: urllib3.BaseHTTPResponse) -> Any:
    if not answer.data:
        return None
    try:
        return json.loads(answer.data)
    except ValueError:
        raise Refused(answer.status, "NO_JSON", "the answer is not JSON; is this a Foyer gateway?") from None


def _refusal(answer: urllib3.BaseHTTPResponse, body: bytes) -> Refused:
    return Refused.from_body(answer.status, body, answer.headers, read_retry_after(answer.headers.get("Retry-After")))
