"""One client's side of a gateway process: who it is, what waits for it, and how it is cut off."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.streams.entries import Audience, Entry, Payload


class Reason(StrEnum):
    """Why a stream ends."""

    GONE = "gone"
    OVERFLOW = "overflow"
    REVOKED = "revoked"
    STOPPING = "stopping"
    BEHIND = "behind"


@dataclass(frozen=True)
class Viewer:
    """Who reads, as the token said: an agent in a session, or the visitor of a contact."""

    audience: Audience
    agent_id: str | None = None
    session_id: str | None = None
    contact_id: str | None = None
    is_user: bool = False  # the website's, verified when the token was given

    @classmethod
    def agent(cls, agent_id: str, session_id: str | None) -> "Viewer":
        """An agent, who sees everything in the catalogue."""
        return cls(Audience.AGENTS, agent_id=agent_id, session_id=session_id)

    @classmethod
    def visitor(cls, contact_id: str, *, is_user: bool = False) -> "Viewer":
        """A visitor, who sees their own."""
        return cls(Audience.VISITOR, contact_id=contact_id, is_user=is_user)

    @property
    def anonymous_id(self) -> str | None:
        """The contact of a visitor who wasn't verified as a user."""
        return None if self.is_user else self.contact_id

    def payload(self, entry: Entry) -> Payload | None:
        """What this viewer sees of the entry, if anything."""
        if self.audience is Audience.VISITOR and entry.contact_id not in (None, self.contact_id):
            return None
        return entry.payloads.get(self.audience)


class Subscriber:
    """A bounded queue between the fan-out, which never waits, and who writes to the client.

    Lock-free: the fan-out alone puts (holding its lock), who writes to the client alone takes, and a deque's ends are atomic.
    """

    def __init__(self, viewer: Viewer, length: int) -> None:
        self.viewer = viewer
        self.ended: Reason | None = None
        self._length = length
        self._waiting: deque[Payload] = deque()
        self._event: threading.Event | None = threading.Event()
        self._wake: Callable[[], None] = self._event.set
        self._abort: Callable[[], None] | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._waiting

    def listen(self, wake: Callable[[], None]) -> None:
        """From now on nobody waits in `take`: `wake` is called, and mustn't wait, when there is something to take or the end has come."""
        self._wake, self._event, self._abort = wake, None, None
        if self._waiting or self.ended is not None:
            wake()

    def on_abort(self, abort: Callable[[], None]) -> None:
        """`abort` is called on an overflow: a write that the client doesn't read must not hold its thread."""
        self._abort = abort
        if self.ended is Reason.OVERFLOW:
            abort()

    def offer(self, payload: Payload) -> bool:
        """Queue it without waiting; False, and the end of this stream, when the queue is full."""
        if len(self._waiting) >= self._length:
            self.end(Reason.OVERFLOW)
            return False
        self._waiting.append(payload)
        self._wake()
        return True

    def replace(self, payload: Payload) -> None:
        """Drop what waits in favour of this."""
        self._waiting.clear()
        self._waiting.append(payload)
        self._wake()

    def take(self, timeout: float) -> list[Payload]:
        """Everything that waits, in order, as soon as there is something; nothing after `timeout` seconds or at the end."""
        if self._event is not None:
            if self.ended is None and not self._waiting:
                self._event.wait(timeout)
            self._event.clear()
        return self.take_waiting()

    def take_waiting(self) -> list[Payload]:
        """Everything that waits, in order; nothing at the end."""
        taken: list[Payload] = []
        while self.ended is None:
            try:
                taken.append(self._waiting.popleft())
            except IndexError:
                break
        return taken

    def end(self, reason: Reason) -> None:
        """End the stream; the first reason stays. May be called from anywhere."""
        if self.ended is not None:
            return
        self.ended = reason
        self._wake()
        if reason is Reason.OVERFLOW and self._abort is not None:
            self._abort()
