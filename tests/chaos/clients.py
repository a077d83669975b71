"""Requests as docs/errors.md asks clients to make them: the same one again, with the same ids, to another gateway, until it is answered."""

import random
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import orjson
import urllib3
from urllib3.exceptions import HTTPError

from tests.chaos.history import Attempt, History

CONNECT_SECONDS = 3.0
# The gateway answers within its deadline of 3 s: beyond thrice that it hangs.
ANSWER_SECONDS = 10.0
LONGEST_PAUSE = 1.0
PATIENCE_SECONDS = 120.0


class Refused(Exception):
    """An answer that no repetition changes."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class Unanswered(Exception):
    """Nothing but refusals for the time being, for longer than any client waits; or everything ends."""


class Caller:
    """Requests of many clients to all gateways; safe to share. Every attempt is noted in the history."""

    def __init__(self, urls: Sequence[str], history: History, ending: threading.Event) -> None:
        self.urls = list(urls)
        self.history = history
        self.ending = ending
        self._pool = urllib3.PoolManager(maxsize=64, retries=False)

    def ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str = "",
        key: str = "",
        expected: Collection[str] = (),
        patience: float = PATIENCE_SECONDS,
    ) -> Any:
        """The JSON of the 2xx answer. Raises Refused for a final one; one of `expected` codes is in order, any other is noted."""
        deadline = self.history.clock() + patience
        turn = random.randrange(len(self.urls))
        for number in range(10_000):
            attempt, content = self.attempt(
                kind, self.urls[(turn + number) % len(self.urls)], method, path, body, token=token, key=key
            )
            if attempt.confirmed:
                return content
            if attempt.status and not attempt.honest and attempt.status != 500:
                if attempt.code not in expected:
                    self.history.complain(f"{method} {path} answered {attempt.status} {attempt.code}: {content}")
                raise Refused(attempt.status, attempt.code)
            if attempt.status == 500:
                self.history.complain(f"{method} {path} answered 500: {content}")
            pause = min(LONGEST_PAUSE, 0.05 * 2**number) * random.uniform(0.5, 1.0)
            if self.history.clock() + pause > deadline or self.ending.wait(pause):
                break
        raise Unanswered(f"{method} {path} was not answered within {patience:g} s")

    def attempt(
        self, kind: str, url: str, method: str, path: str, body: object = None, *, token: str = "", key: str = ""
    ) -> tuple[Attempt, Any]:
        """One request, whatever comes of it, and the JSON of its answer."""
        headers = {"Accept": "application/json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = orjson.dumps(body)
        began = self.history.clock()
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
        try:
            answer = self._pool.request(method, url + path, body=payload, headers=headers, timeout=timeout, redirect=False)
            status, content = answer.status, orjson.loads(answer.data) if answer.data else None
        except (HTTPError, ValueError):
            status, content = 0, None
        code = content.get("code", "") if status >= 400 and isinstance(content, dict) else ""
        attempt = Attempt(kind, began, self.history.clock(), status, code)
        self.history.note(attempt)
        return attempt, content

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


class Token:
    """An access token that is renewed by signing in again once it is refused."""

    def __init__(self, sign_in: Callable[[], str]) -> None:
        self._sign_in = sign_in
        self._lock = threading.Lock()
        self.value = sign_in()

    def renew(self, refused: str) -> str:
        """Another one than the refused; whoever asks at the same time shares it."""
        with self._lock:
            if self.value == refused:
                self.value = self._sign_in()
            return self.value
