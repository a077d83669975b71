"""Plays an accepted flow: from a block on, through what needs no answer, to the next block that waits or the end.

Whether the channel is open is asked (`is_open`) when an assign block is reached that has another way on, and only then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from services.common.validation import MAX_TEXT
from services.messaging.flows.answers import RETRY, NotAnAnswer, read_answer, read_option
from services.messaging.flows.schemas import ASKING, PLACEHOLDER

Flow = Mapping[str, Any]
Value = str | int | float | bool
IsOpen = Callable[[], bool]

# Above the number of blocks a flow may have: only a flow that the check should have refused gets here.
MAX_STEPS = 600


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


@dataclass
class Play:
    """What one turn of the bot does. `at` is the block that waits, None when the flow has ended."""

    fields: dict[str, Value]
    at: str | None = None
    says: list[Say] = field(default_factory=list)
    collected: dict[str, Value] = field(default_factory=dict)
    assignment: AssignmentWanted | None = None
    close: bool = False

    def collect(self, name: str, value: Value) -> None:
        """Remember an answer, for templates and for the profile."""
        self.collected[name] = value
        self.fields = {**self.fields, name: value}


def enter(flow: Flow, block: str | None, fields: Mapping[str, Value], *, is_open: IsOpen) -> Play:
    """Play from a block on (None: the flow has ended). Raises FlowStuck."""
    play = Play(dict(fields))
    _run(flow, block, play, is_open)
    return play


def answer(flow: Flow, at: str, fields: Mapping[str, Value], text: str, choice: str | None = None, *, is_open: IsOpen) -> Play:
    """Take the visitor's text, or the value of a pressed button, as the answer to the waiting block `at`.

    At an assign block any words mean that the visitor is here again: it is entered once more. Raises FlowStuck.
    """
    block = _block(flow, at)
    play = Play(dict(fields))
    try:
        if "options" in block:
            option = read_option(block["options"], text, choice)
            if block.get("field"):
                play.collect(block["field"], option["value"])
            following = option.get("next", block.get("next"))
        elif block["type"] == "question":
            play.collect(block["field"], read_answer(block["kind"], text))
            following = block["next"]
        else:
            following = at
    except NotAnAnswer:
        kind = block.get("kind", "choice")
        play.at = at
        play.says.append(Say(fill(block.get("retry") or RETRY[kind], play.fields), _choices(block)))
        return play
    _run(flow, following, play, is_open)
    return play


def expects_answer(flow: Flow, at: str | None) -> bool:
    """Whether the block `at` waits for the visitor's words."""
    return at is not None and at in flow["blocks"] and flow["blocks"][at]["type"] in ASKING


def waits_for_agent(flow: Flow, at: str | None) -> bool:
    """Whether the flow stands at an assign block."""
    return at is not None and at in flow["blocks"] and flow["blocks"][at]["type"] == "assign"


def fill(text: str, fields: Mapping[str, Value]) -> str:
    """`{name}` replaced by the field's value; an unknown field by nothing, with the blank or comma before it."""
    filled = PLACEHOLDER.sub(lambda match: str(fields[match[1]]) if match[1] in fields else "\x00", text)
    return filled.replace(", \x00", "").replace(" \x00", "").replace("\x00", "")[:MAX_TEXT]


def _run(flow: Flow, name: str | None, play: Play, is_open: IsOpen) -> None:
    for _ in range(MAX_STEPS):
        if name is None:
            play.at = None
            return
        block = _block(flow, name)
        if block["type"] == "assign" and block["unavailable"] != "wait" and not is_open():
            name = block["unavailable"]  # without its text, which tells of somebody who comes
            continue
        if block.get("text"):
            play.says.append(Say(fill(block["text"], play.fields), _choices(block)))
        match block["type"]:
            case "question" | "buttons":
                play.at = name
                return
            case "assign":
                play.at = name
                play.assignment = AssignmentWanted.of(block)
                return
            case "close":
                play.at, play.close = None, True
                return
        name = block["next"]
    raise FlowStuck("the flow goes round without waiting")


def _block(flow: Flow, name: str) -> Mapping[str, Any]:
    try:
        block: Mapping[str, Any] = flow["blocks"][name]
    except KeyError:
        raise FlowStuck(f"there is no block {name}") from None
    return block


def _choices(block: Mapping[str, Any]) -> list[dict[str, str]] | None:
    if "options" not in block:
        return None
    return [{"label": option["label"], "value": option["value"]} for option in block["options"]]
