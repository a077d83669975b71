"""One client's event stream, kept open: it reconnects with Last-Event-ID until it is closed."""

import threading
import time
from collections.abc import Callable, Mapping

import urllib3
from urllib3.exceptions import HTTPError

from deploy.replay.client import RETRIED, Gateway, backoff, describe_failure
from deploy.replay.errors import OutOfTime, Refused, ReplayError, StreamBroken
from deploy.replay.inbox import Arrival, Inbox
from deploy.replay.sse import Parser


class Stream:
    """Reads `path` in a thread of its own and puts what comes into the inbox.

    `token` is asked before each connection; `renew` is called with it when the gateway answers 401.
    """

    def __init__(
        self,
        gateway: Gateway,
        path: str,
        inbox: Inbox,
        *,
        token: Callable[[], str],
        renew: Callable[[str], None] | None = None,
        headers: Mapping[str, str] | None = None,
        on_arrival: Callable[[Arrival], None] = lambda _: None,
    ) -> None:
        self.reconnects = 0
        self.last_event_id = ""
        self._gateway = gateway
        self._path = path
        self._inbox = inbox
        self._token = token
        self._renew = renew
        self._headers = dict(headers or {})
        self._on_arrival = on_arrival
        self._opened = threading.Event()
        self._closing = threading.Event()
        self._failure: str | None = None
        self._hopeless = False
        self._retry_base = 0.1
        self._response: urllib3.BaseHTTPResponse | None = None
        self._thread = threading.Thread(target=self._run, name=f"stream-{inbox.owner}", daemon=True)

    def open(self, timeout: float) -> None:
        """Return once the stream has named its position: what happens from now on will be seen, even over a reconnect."""
        self._thread.start()
        if not self._opened.wait(timeout):
            self.close()
            reason = self._failure or "it named no position"
            raise OutOfTime(f"the event stream of {self._inbox.owner} did not open within {timeout:g} s: {reason}")
        if self._hopeless:
            raise StreamBroken(f"the event stream of {self._inbox.owner} can't be opened: {self._failure}")

    def close(self) -> None:
        """End the stream; returns when its thread has ended, or is stuck in a connection attempt."""
        self._closing.set()
        response = self._response
        if response is not None:
            try:
                # Wakes the reading thread; only that thread may close the response.
                response.shutdown()
            except (OSError, ValueError, RuntimeError):
                pass
        if self._thread.is_alive():
            self._thread.join(1.0)

    def _run(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            retry_after = None
            try:
                if self._read_connection():
                    attempt = 0
            except Refused as refusal:
                self._failure, retry_after = str(refusal), refusal.retry_after
                if not self._may_retry(refusal):
                    self._hopeless = True
                    self._inbox.break_off(self._failure)
                    self._opened.set()
                    return
            except (HTTPError, OSError) as error:
                self._failure = describe_failure(error)
            if self._closing.wait(backoff(attempt, retry_after, self._retry_base)):
                return
            attempt += 1

    def _read_connection(self) -> bool:
        """One connection from its beginning to its end; whether anything came."""
        self._offered = self._token()
        response = self._gateway.open_stream(
            self._path, token=self._offered, headers=self._headers, last_event_id=self.last_event_id
        )
        parser = Parser(self.last_event_id)
        came = False
        try:
            self._response = response
            self._failure = None
            self.reconnects += self._opened.is_set()
            while not self._closing.is_set() and (chunk := response.read1(65536, decode_content=False)):
                at = time.perf_counter()
                came = True
                for event in parser.feed(chunk):
                    arrival = self._inbox.put(event, at)
                    if arrival is not None:
                        self._on_arrival(arrival)
                self.last_event_id = parser.last_event_id
                if self.last_event_id:
                    self._opened.set()
                self._retry_base = parser.retry_seconds or self._retry_base
        finally:
            self._response = None
            response.close()
        return came

    def _may_retry(self, refusal: Refused) -> bool:
        if refusal.status != 401 or self._renew is None:
            return refusal.status in RETRIED
        try:
            self._renew(self._offered)
        except ReplayError as error:
            self._failure = str(error)
            return False
        return True
