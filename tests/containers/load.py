"""Load on a stack while it is broken: the replay as a process of its own, and a visitor who posts all the time and keeps a diary."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from services.common.ids import new_id

BEAT = 0.25
PATIENCE = 8.0


class Replay:
    """`python -m deploy.replay` against an address, for some seconds; `finish` gives its report."""

    def __init__(
        self, url: str, email: str, password: str, *, seconds: float, concurrency: int = 6, dialogues: str | None = None
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="foyer-replay-")
        self._report = Path(self._folder.name) / "report.json"
        command = [sys.executable, "-m", "deploy.replay", "--url", url, "--admin-email", email, "--admin-password", password]
        command += ["--seconds", str(seconds), "--concurrency", str(concurrency), "--timeout", "120", "--json", str(self._report)]
        command += ["--dialogues", dialogues] if dialogues else []
        self._limit = seconds + 240
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def finish(self) -> dict[str, Any]:
        """Wait for its end. The report, with what it printed under `output`."""
        output, _ = self._process.communicate(timeout=self._limit)
        try:
            report: dict[str, Any] = json.loads(self._report.read_text())
        except FileNotFoundError:
            raise AssertionError(f"the replay gave no report:\n{output}") from None
        finally:
            self._folder.cleanup()
        return report | {"output": output}

    def abandon(self) -> None:
        """End it, whatever it is at; nothing after `finish`."""
        if self.running:
            self._process.kill()
            self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()


@dataclass(frozen=True)
class Attempt:
    """One request; times in seconds of `time.monotonic`. `status` 0: no answer."""

    began: float
    ended: float
    status: int


class Prober:
    """A visitor who says something about four times a second, each thing until it is accepted, and notes every attempt."""

    def __init__(self, url: str, channel_id: str) -> None:
        self._url = url
        self._http = requests.Session()
        self._http.trust_env = False
        answer = self._http.post(
            f"{url}/v1/widget/{channel_id}/session", json={"url": "https://probe.example/"}, timeout=PATIENCE
        )
        answer.raise_for_status()
        self._headers = {"Authorization": f"Bearer {answer.json()['visitor_token']}"}
        self.attempts: list[Attempt] = []
        self.accepted: list[str] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join(30)

    def recovered_since(self, moment: float) -> float:
        """Seconds from a moment until the end of the last failed attempt after it; 0 when none failed."""
        failed = [
            attempt.ended
            for attempt in self.attempts
            if attempt.began >= moment - PATIENCE and attempt.ended > moment and attempt.status != 201
        ]
        return max(failed, default=moment) - moment

    def slowest_since(self, moment: float) -> float:
        """Seconds that the slowest attempt took since then."""
        return max((attempt.ended - attempt.began for attempt in self.attempts if attempt.ended > moment), default=0.0)

    def served_since(self, moment: float, count: int = 8) -> bool:
        """Whether the last `count` attempts all began after the moment and succeeded."""
        last = self.attempts[-count:]
        return len(last) == count and all(attempt.began > moment and attempt.status == 201 for attempt in last)

    def stored(self) -> list[str]:
        """What the visitor has said, as the product has it."""
        texts: list[str] = []
        seq = 0
        while True:
            answer = self._http.get(
                f"{self._url}/v1/widget/messages",
                params={"after_seq": seq, "limit": 100},
                headers=self._headers,
                timeout=PATIENCE,
            )
            answer.raise_for_status()
            items = answer.json()["items"]
            if not items:
                return texts
            texts += [message["text"] for message in items if message["author"]["kind"] == "visitor"]
            seq = items[-1]["seq"]

    def _run(self) -> None:
        number = 0
        while not self._ending.is_set():
            number += 1
            text = f"probe {number}"
            body = {"text": text, "client_message_id": new_id()}
            while not self._ending.is_set():
                attempt = self._attempt(body)
                self.attempts.append(attempt)
                if attempt.status == 201:
                    self.accepted.append(text)
                    break
                self._ending.wait(BEAT)
            self._ending.wait(BEAT)

    def _attempt(self, body: dict[str, str]) -> Attempt:
        began = time.monotonic()
        try:
            answer = self._http.post(f"{self._url}/v1/widget/messages", json=body, headers=self._headers, timeout=PATIENCE)
            status = answer.status_code
        except requests.RequestException:
            status = 0
        return Attempt(began, time.monotonic(), status)
