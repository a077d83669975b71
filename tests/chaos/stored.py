"""What the product holds when all is quiet: the other half of what the checker compares. Pure; `looking` fills it."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the database has it."""

    id: str
    seq: int
    author: str
    text: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as messaging has it."""

    status: str
    handler: str
    assignee: str | None
    last_seq: int
    contact_id: str
    contact_name: str = ""
    block: str | None = None  # where the flow stands
    sleeping: bool = False  # the flow goes on behind a delay
    left_line: bool = False  # the visitor stopped waiting for an agent: the bot asks for one again when they write


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment as the desk has it. `by_rule`: whether the last one was chosen and not given by hand or taken."""

    state: str
    agent: str | None
    allowed: frozenset[str] | None = None
    passed: frozenset[str] = frozenset()
    by_rule: bool = True


@dataclass(frozen=True, slots=True)
class Worker:
    """An agent as the desk (`load` …) and as presence (`shown_…`) have them."""

    load: int
    capacity: int
    connected: bool = True
    reachable: bool = True
    availability: str = "available"
    shift: int = 0
    shown_load: int | None = None
    shown_connected: bool | None = None
    shown_availability: str | None = None


@dataclass
class Stored:
    """A look at everything that this round's conversations concern."""

    messages: dict[str, list[Message]] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    told: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)  # (seq, id, text) as the API answers
    assignments: dict[str, Assignment] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)  # text to the ids of the notes with it
    remarks: Counter[str] = field(default_factory=Counter)  # decisions by remark
    fields: dict[str, dict[str, str | None]] = field(default_factory=dict)  # contact to what is known of it
    visitors: dict[str, tuple[int, int]] = field(default_factory=dict)  # channel: counted, and really there
    unsent: dict[str, int] = field(default_factory=dict)  # documents with events that have not left them
    waiting: dict[str, int] = field(default_factory=dict)  # messages in queues
    dead: dict[str, list[str]] = field(default_factory=dict)  # dead letters, by queue
