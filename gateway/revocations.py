"""Which agents' sessions have ended before their tokens: known in the process, so that no request has to ask."""

import threading
import time
from datetime import timedelta

from services.common.errors import DomainError
from services.common.logs import get_logger
from services.common.rpc_client import RpcClient
from services.common.times import now, to_wire

log = get_logger(__name__)

# An id is kept a little longer than any token that names it lives.
MARGIN_SECONDS = 60
# Events tell of each revocation at once; the list again every so often repairs whatever a lost link hid.
REFRESH_SECONDS = 30.0
RETRY_SECONDS = 0.5
ASK_SECONDS = 1.0


class RevokedSessions:
    """A set of session ids that forgets each when its tokens have expired anyway."""

    def __init__(self, rpc: RpcClient, access_token_seconds: int) -> None:
        self._rpc = rpc
        self._keep = access_token_seconds + MARGIN_SECONDS
        self._until: dict[str, float] = {}
        self._loaded = False
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="revocations", daemon=True)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._until

    def add(self, session_id: str) -> None:
        """The session has ended."""
        self._until[session_id] = time.monotonic() + self._keep

    def require_loaded(self) -> None:
        """Return once the list is known; a token can't be judged before. Raises Unavailable."""
        if not self._loaded:
            with self._lock:
                if not self._loaded:
                    self.refresh()

    def refresh(self) -> None:
        """Fetch the list from presence. Raises DomainError."""
        since = to_wire(now() - timedelta(seconds=self._keep))
        listing = self._rpc.call("presence", "list_revoked_sessions", timeout=ASK_SECONDS, since=since)
        for session_id in listing["items"]:
            if session_id not in self._until:
                self.add(session_id)
        present = time.monotonic()
        for session_id, until in list(self._until.items()):
            if until < present:
                self._until.pop(session_id, None)
        self._loaded = True

    def start(self) -> None:
        """Keep the list fresh: now, whenever the link to the services came back, and every so often."""
        self._thread.start()

    def stop(self) -> None:
        """End the refreshing."""
        self._stopping.set()

    def _watch(self) -> None:
        due = 0.0
        while not self._stopping.wait(RETRY_SECONDS):
            if not self._rpc.connected:
                due = 0.0
            elif time.monotonic() >= due:
                try:
                    self.refresh()
                    due = time.monotonic() + REFRESH_SECONDS
                except DomainError as error:
                    log.warning("revocations_not_refreshed", code=error.error_code)
                except Exception:  # the next round tries again; the thread must not end
                    log.exception("revocations_refresh_failed")
