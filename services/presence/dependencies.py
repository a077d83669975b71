"""What presence's workers are given beside the store: password hashing, the leases' terms, and the first admin's creation."""

import ctypes
import os
import secrets
import threading
import unicodedata
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from eventlet import tpool
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider
from pymongo.errors import PyMongoError

from services.common.errors import DocumentExists
from services.common.ids import derived_id
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.rpc import Rpc
from services.common.storage import Storage
from services.common.times import now
from services.presence.domain import DEFAULT_CAPACITY, new_agent
from services.presence.errors import EmailTaken
from services.presence.leases import Terms
from services.presence.settings import FirstAdminSettings, read_terms
from services.presence.store import PresenceStore

log = get_logger(__name__)

HASHES_AT_ONCE = max(2, min(4, os.cpu_count() or 2))
LARGE_BLOCK = 1024 * 1024
_M_MMAP_THRESHOLD = -3  # malloc.h


class Passwords(DependencyProvider):
    """Argon2id (RFC 9106) in native threads: a hash takes some 25 ms, during which every other call would stand still."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        # OWASP's Password Storage Cheat Sheet. RFC 9106's 64 MiB cost 180 ms of CPU: a morning's sign-ins would miss their deadlines.
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._slots = Semaphore(HASHES_AT_ONCE)
        self._nobody = ""

    def setup(self) -> None:
        """Make the hash that an unknown e-mail's password is compared with."""
        _give_back_large_blocks()
        self._nobody = self.hash(secrets.token_urlsafe())

    def get_dependency(self, worker_ctx: Any) -> "Passwords":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self

    def hash(self, password: str) -> str:
        """What to store."""
        return str(self._run(self._hasher.hash, password))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; it takes as long when there is no hash to be right about."""
        try:
            matches = bool(self._run(self._hasher.verify, password_hash or self._nobody, password))
        except (VerificationError, InvalidHashError):
            return False
        return matches and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _run(self, work: Any, *arguments: str) -> Any:
        *others, password = arguments
        with self._slots:
            # The same characters can be typed as different code points (NIST SP 800-63B, 5.1.1.2).
            return tpool.execute(work, *others, unicodedata.normalize("NFKC", password))


def _give_back_large_blocks() -> None:
    """Have glibc return what a hash took; each of eventlet's 20 threads would keep its 19 MB, 340 MB in all. Costs a hash 6 ms."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, LARGE_BLOCK)


class LeaseKeeping(DependencyProvider):
    """The leases' terms, and since when renewals could arrive at this process."""

    def __init__(self) -> None:
        self.terms: Terms
        self._listening_since: datetime | None = None

    def setup(self) -> None:
        """Read the terms."""
        self.terms = read_terms()

    def get_dependency(self, worker_ctx: Any) -> "LeaseKeeping":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self

    def listening_since(self, moment: datetime) -> datetime | None:
        """Since when calls have arrived without a break that was noticed; None while they can't. Ask every second or so."""
        if not all(entrypoint.server.connected for entrypoint in self.container.entrypoints if isinstance(entrypoint, Rpc)):
            self._listening_since = None
        elif self._listening_since is None:
            self._listening_since = moment
        return self._listening_since

    def note_outage(self) -> None:
        """Renewals have been failing: count the time from when they no longer do."""
        self._listening_since = None


class FirstAdmin(DependencyProvider):
    """Makes the first admin when there is no agent at all. Of several replicas that start at once, one does it."""

    def __init__(self) -> None:
        self._settings: FirstAdminSettings
        self._stopping = threading.Event()

    def setup(self) -> None:
        """Read the account's settings."""
        self._settings = FirstAdminSettings.read()

    def start(self) -> None:
        """Look, beside the service's work; a database that is away is waited for."""
        self.container.spawn_managed_thread(self._run, identifier="first_admin")

    def stop(self) -> None:
        """Look no longer."""
        self._stopping.set()

    kill = stop

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._create()
                return
            except PyMongoError as error:
                if not is_outage(error):
                    raise
                self._stopping.wait(1.0)

    def _create(self) -> None:
        store: PresenceStore = self._provider(Storage).store
        if store.has_agents():
            return
        password = self._settings.password or secrets.token_urlsafe(15)
        agent = new_agent(
            derived_id("presence", "first_admin"),
            name="Admin",
            email=self._settings.email,
            role="admin",
            capacity=DEFAULT_CAPACITY,
            password_hash=self._provider(Passwords).hash(password),
            now=now(),
        )
        try:
            store.insert_agent(agent)
        except (DocumentExists, EmailTaken):
            return
        shown = (
            {} if self._settings.password else {"password": password, "note": "generated, shown this once: sign in and change it"}
        )
        log.warning("first_admin_created", agent_id=agent["_id"], email=agent["email"], **shown)

    def _provider(self, kind: type) -> Any:
        return next(provider for provider in self.container.dependencies if isinstance(provider, kind))
