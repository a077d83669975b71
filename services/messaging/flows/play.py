"""What one turn of the bot does, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from services.messaging.flows.templates import Value

# What one turn may come to: the messages and events of a turn are kept in one document of the database until they are told.
MAX_SAYS: Final = 100
MAX_TURN_BYTES: Final = 256 * 1024


class FlowStuck(Exception):
    """The flow can't be played on; a human should take over."""


@dataclass(frozen=True)
class Say:
    """Something the bot says; with choices, the visitor may press one."""

    text: str
    choices: list[dict[str, str]] | None = None


@dataclass(frozen=True)
class AssignmentWanted:
    """The assign block's wish: how one of whom is chosen, who comes first, and what happens when nobody is there."""

    strategy: str = "least_busy"
    agents: list[str] | None = None
    team: str | None = None
    priority: str = "normal"
    unavailable: str = "wait"

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> Self:
        """The wish of a block; one of a flow kept long ago lacks the younger names."""
        return cls(**{known.name: block[known.name] for known in fields(cls) if known.name in block})


@dataclass(frozen=True)
class TicketWanted:
    """A request of the visitor that somebody is to see to."""

    subject: str
    description: str | None = None


@dataclass(frozen=True)
class FieldSet:
    """A field got a value, or lost it (None)."""

    field: str
    value: Value | None


@dataclass(frozen=True)
class FieldKept:
    """The value can't be this field's: it stays as it is."""

    field: str


@dataclass(frozen=True)
class Pause:
    """The flow goes on after so many seconds."""

    seconds: int


@dataclass(frozen=True)
class OutOfHours:
    """An assign block was passed by, because nobody is there at this time."""

    following: str


Happening = Say | AssignmentWanted | TicketWanted | FieldSet | FieldKept | Pause | OutOfHours


@dataclass(frozen=True)
class Step:
    """What happened at a block."""

    block: str
    what: Happening


@dataclass
class Play:
    """One turn of the bot.

    `at` is the block that waits, None when the flow has ended; `tries` the wrong answers given there so far. `delay` says after
    how many seconds the flow is to be resumed at `at`. `gave_up`: the wrong answers were too many, and a human is to help; the
    flow stays where it is. In `collected`, None is a value taken away. `size` are the bytes of all its texts and values, `work`
    the blocks that it came to and the comparisons in them.
    """

    fields: dict[str, Value]
    at: str | None = None
    steps: list[Step] = field(default_factory=list)
    collected: dict[str, Value | None] = field(default_factory=dict)
    assignment: AssignmentWanted | None = None
    delay: int | None = None
    tries: int = 0
    gave_up: bool = False
    close: bool = False
    size: int = field(default=0, repr=False, compare=False)
    work: int = field(default=0, repr=False, compare=False)

    @property
    def says(self) -> list[Say]:
        """What the bot says, in order."""
        return [step.what for step in self.steps if isinstance(step.what, Say)]

    @property
    def tickets(self) -> list[TicketWanted]:
        """The tickets it wants, in order."""
        return [step.what for step in self.steps if isinstance(step.what, TicketWanted)]

    def do(self, block: str, what: Happening) -> None:
        """Note what happened at a block. Raises FlowStuck when that is too much for one turn."""
        self.steps.append(Step(block, what))
        match what:
            case Say(text, choices):
                if len(self.says) > MAX_SAYS:
                    raise FlowStuck(f"the bot says more than {MAX_SAYS} messages in one turn")
                self._grow(text, *(said for choice in choices or () for said in choice.values()))
            case TicketWanted(subject, description):
                self._grow(subject, description)

    def collect(self, name: str, value: Value | None) -> None:
        """Remember a value, or that there is none any more, for templates and for the profile. Raises FlowStuck as `do`."""
        self.collected[name] = value
        self.fields = {known: kept for known, kept in self.fields.items() if known != name}
        if value is not None:
            self.fields[name] = value
            self._grow(value)

    def _grow(self, *parts: Value | None) -> None:
        self.size += sum(len(part.encode("utf-8", "surrogatepass")) for part in parts if isinstance(part, str))
        if self.size > MAX_TURN_BYTES:
            raise FlowStuck(f"the texts and values of one turn exceed {MAX_TURN_BYTES:,} bytes")
