"""The runner's own calls of the gateway: JSON over HTTP, patient with what is still starting."""

import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from deploy.local.errors import RunnerError

# A proxy that the environment names is not for addresses of this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PASSING = (429, 503)


class ApiError(RunnerError):
    """The gateway answered with a problem: its status and stable code."""

    def __init__(self, call: str, status: int, code: str, detail: str) -> None:
        super().__init__(f"{call} answered {status} {code}{f': {detail}' if detail else ''}")
        self.status = status
        self.code = code


class NoAnswer(RunnerError):
    """The gateway gave no HTTP answer."""


@dataclass
class Api:
    """One caller; `token` is its bearer token once it has signed in."""

    url: str
    token: str | None = None
    patience: float = 20.0

    def call(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
        """The decoded answer; 503, 429 and silence are tried again while patience lasts. Raises ApiError, NoAnswer."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return self._once(method, path, body, key)
            except (ApiError, NoAnswer) as error:
                passing = isinstance(error, NoAnswer) or error.status in PASSING
                if not passing or time.monotonic() >= deadline:
                    raise
            time.sleep(0.3)

    def _once(self, method: str, path: str, body: object, key: str | None) -> Any:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        data = json.dumps(body).encode() if body is not None else None
        call = f"{method} {path}"
        try:
            with _opener.open(urllib.request.Request(f"{self.url}{path}", data, headers, method=method), timeout=10) as response:
                content = response.read()
            return json.loads(content) if content else None
        except urllib.error.HTTPError as error:
            with error:
                raise _problem(call, error.code, error.read()) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(f"{call} got no answer: {error}") from None


def _problem(call: str, status: int, content: bytes) -> ApiError:
    try:
        problem = json.loads(content)
        return ApiError(call, status, str(problem["code"]), str(problem.get("detail") or problem.get("title") or ""))
    except (ValueError, KeyError, TypeError):
        return ApiError(call, status, "NO_PROBLEM", "")


def readiness(url: str) -> tuple[bool, str]:
    """Whether the gateway says that it is ready, and otherwise what it says instead."""
    try:
        with _opener.open(f"{url}/readyz", timeout=5):
            return True, ""
    except urllib.error.HTTPError as error:
        with error:
            return False, _not_ready(error.read())
    except (OSError, http.client.HTTPException):
        return False, "the gateway does not answer yet"


def _not_ready(content: bytes) -> str:
    try:
        report = json.loads(content)
        missing = [name for name, state in report["services"].items() if state.get("status") != "ok"]
        if report.get("broker") not in (True, "ok"):
            missing.insert(0, "the broker")
    except (ValueError, KeyError, TypeError, AttributeError):
        missing = []
    return f"not ready: {', '.join(missing)}" if missing else "the gateway says that it is not ready"
