"""What the product told its clients, answer by answer and stream by stream: one half of what the checker compares. Pure."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

# What a client is told when a part is away; docs/errors.md asks it to come again.
HONEST = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Said:
    """A message that was confirmed."""

    conversation_id: str
    message_id: str
    seq: int
    author: str  # visitor or agent
    text: str
    key: str  # its client_message_id


@dataclass(frozen=True, slots=True)
class Noted:
    """A note that was confirmed; every text is used once."""

    contact_id: str
    note_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """A transfer that was confirmed; every remark is used once."""

    conversation_id: str
    agent_id: str
    remark: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A session that was confirmed, and whom it made or found."""

    contact_id: str
    conversation_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request; moments of `time.monotonic`. `status` 0: no answer. `code` of a problem document."""

    kind: str
    began: float
    ended: float
    status: int
    code: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether it was answered by 2xx."""
        return 200 <= self.status < 300

    @property
    def honest(self) -> bool:
        """Whether it was refused for the time being, as documented."""
        return self.status in HONEST


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event on a stream. What it has no word for is empty or 0."""

    epoch: str
    offset: int
    name: str
    entity_id: str = ""
    version: int = 0
    conversation_id: str = ""
    seq: int = 0
    text: str = ""


@dataclass
class Seen:
    """One client's stream over all its connections. `contact_id` is empty for an agent's, which is shown everything."""

    owner: str
    contact_id: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    connections: int = 0
    resets: int = 0
    # By conversation: up to which seq the client knew it otherwise: it fetched after the beginning, or after a reset, or an
    # earlier check has seen to it.
    known: dict[str, int] = field(default_factory=dict)
    # Others' events before this position are not owed: the stream began here.
    began: tuple[str, int] = ("", -1)
    closed: bool = False


class History:
    """Filled by many threads, read by one while all is quiet. `settle` begins the next round's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.said: list[Said] = []
        self.notes: list[Noted] = []
        self.given: list[Given] = []
        self.visits: list[Visit] = []
        self.archived: set[str] = set()
        self.collected: dict[tuple[str, str], str] = {}  # (contact, field) to what the bot was told
        self.availability: dict[str, str] = {}  # agent to what was confirmed last
        self.attempts: list[Attempt] = []
        self.wrong: list[str] = []  # answers that no client should get
        self.streams: list[Seen] = []
        self.contacts: dict[str, str] = {}  # conversation to contact
        self.finished: set[str] = set()  # conversations that a check has done with
        self.all_said: list[Said] = []
        self.all_notes: list[Noted] = []
        self._lock = threading.Lock()

    def note(self, attempt: Attempt) -> None:
        """Keep an attempt."""
        with self._lock:
            self.attempts.append(attempt)

    def complain(self, sentence: str) -> None:
        """Keep what no client should be told."""
        with self._lock:
            self.wrong.append(sentence)

    def open_stream(self, owner: str, contact_id: str = "") -> Seen:
        """The book of a new stream."""
        seen = Seen(owner, contact_id)
        with self._lock:
            self.streams.append(seen)
        return seen

    def arrive(self, seen: Seen, arrival: Arrival) -> None:
        """Keep what a stream was shown."""
        with self._lock:
            seen.arrivals.append(arrival)

    def begin_conversation(self, conversation_id: str, contact_id: str) -> None:
        """Remember whose conversation it is."""
        with self._lock:
            self.contacts[conversation_id] = contact_id

    def outcomes(self) -> Counter[str]:
        """The attempts by outcome: confirmed, refused (honestly), unanswered, other."""
        counted: Counter[str] = Counter()
        for attempt in self.attempts:
            outcome = (
                "confirmed" if attempt.confirmed else "refused" if attempt.honest else "other" if attempt.status else "unanswered"
            )
            counted[outcome] += 1
        return counted

    def first_success_after(self, moment: float) -> float | None:
        """When the first request that began after a moment was confirmed."""
        return min((each.ended for each in self.attempts if each.began >= moment and each.confirmed), default=None)

    def settle(self, last_seqs: dict[str, int], finished: Iterable[str]) -> None:
        """Forget the round after its check: streams go on from here, `finished` conversations are done with.

        What was said and noted is kept for the last check of the run.
        """
        self.all_said += self.said
        self.all_notes += self.notes
        self.said, self.notes, self.given, self.visits = [], [], [], []
        self.attempts, self.wrong = [], []
        for conversation_id in finished:
            self.contacts.pop(conversation_id, None)
            self.archived.discard(conversation_id)
            self.finished.add(conversation_id)
        with self._lock:
            self.streams = [seen for seen in self.streams if not seen.closed]
            for seen in self.streams:
                if seen.arrivals:
                    seen.began = (seen.arrivals[-1].epoch, seen.arrivals[-1].offset)
                seen.arrivals, seen.resets = [], 0
                seen.known = {key: seq for key, seq in last_seqs.items() if key in self.contacts}

    def tally(self) -> dict[str, Any]:
        """What was confirmed, by kind."""
        return {"messages": len(self.said), "notes": len(self.notes), "transfers": len(self.given), "sessions": len(self.visits)}
