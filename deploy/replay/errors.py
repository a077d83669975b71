"""What can stop a replay, or one dialogue of it.

ReplayError
├── Unusable      the input or the gateway can't be used at all: exit status 2
├── Refused       an answer that a repeat would not change
├── OutOfTime     an answer or event that did not come before the deadline
├── StreamBroken  an event stream that can't be read any more
└── Stopped       the operator ended the run
"""

import json
from collections.abc import Mapping


class ReplayError(Exception):
    """Base of everything that the replay says instead of a traceback."""


class Unusable(ReplayError):
    """The input, the credentials or the gateway can't be used; says so in one sentence."""


class OutOfTime(ReplayError):
    """Nothing came before the deadline; says what was waited for."""


class StreamBroken(ReplayError):
    """An event stream ended for good, or carried something that is no event."""


class Stopped(ReplayError):
    """The operator ended the run."""

    def __init__(self) -> None:
        super().__init__("interrupted")


class Refused(ReplayError):
    """An HTTP answer other than 2xx: its status, the problem's stable code, and how long it asks to wait."""

    def __init__(self, status: int, code: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}" if detail else f"{status} {code}")
        self.status = status
        self.code = code
        self.retry_after = retry_after

    @classmethod
    def from_body(cls, status: int, body: bytes, headers: Mapping[str, str], retry_after: float | None = None) -> "Refused":
        """Read a problem document (RFC 9457), or whatever else came instead of one."""
        try:
            problem = json.loads(body)
            code, detail = str(problem["code"]), str(problem.get("detail") or problem.get("title") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            code, detail = "NO_PROBLEM", f"a body of type {headers.get('Content-Type', 'unknown')}"
            return cls(status, code, detail, retry_after)
        if problem.get("errors"):
            detail = f"{detail} {json.dumps(problem['errors'], ensure_ascii=False)}"
        return cls(status, code, detail, retry_after)
