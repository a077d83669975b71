"""Plays an accepted flow: from a block on, through what needs no answer, to the next block that waits or the end.

What it asks of the world (`facts`) is read when a block that needs it is reached, and only then.
"""

from collections.abc import Mapping
from typing import Any

from services.messaging.flows.answers import MAX_ANSWER, RETRY, NotAnAnswer, read_answer, read_option
from services.messaging.flows.conditions import holds, weigh
from services.messaging.flows.facts import Facts
from services.messaging.flows.play import (
    AssignmentWanted,
    FieldKept,
    FieldSet,
    FlowStuck,
    OutOfHours,
    Pause,
    Play,
    Say,
    TicketWanted,
)
from services.messaging.flows.schemas import ASKING, MAX_SUBJECT, PERSONAL_FIELDS
from services.messaging.flows.templates import Value, fill

__all__ = [
    "AssignmentWanted",
    "FlowStuck",
    "Play",
    "Say",
    "TicketWanted",
    "Value",
    "answer",
    "enter",
    "expects_answer",
    "is_delayed",
    "resume",
    "waits_for_agent",
]

Flow = Mapping[str, Any]
Block = Mapping[str, Any]

# Above the number of blocks a flow may have: only a flow that the check should have refused gets here.
MAX_STEPS = 600
NO_SUBJECT = "A visitor's request"


def enter(flow: Flow, block: str | None, fields: Mapping[str, Value], *, facts: Facts) -> Play:
    """Play from a block on (None: the flow has ended). Raises FlowStuck."""
    play = Play(dict(fields))
    _run(flow, block, play, facts)
    return play


def answer(
    flow: Flow, at: str, fields: Mapping[str, Value], text: str, choice: str | None = None, *, tries: int = 0, facts: Facts
) -> Play:
    """Take the visitor's text, or the value of a pressed button, as the answer to the waiting block `at`.

    `tries` wrong answers were given there before (`Play.tries`). At an assign block any words mean that the visitor is here
    again: it is entered once more. At a delay nothing happens, and the time runs on. Raises FlowStuck.
    """
    block = _block(flow, at)
    play = Play(dict(fields))
    if block["type"] == "delay":
        play.at = at
        return play
    try:
        following = _take(block, at, play, text, choice)
    except NotAnAnswer:
        if not _is_used_up(block, tries + 1):
            _ask_again(at, block, play, tries + 1)
            return play
        if block.get("otherwise") is None:
            play.at, play.tries, play.gave_up = at, tries + 1, True
            return play
        following = block["otherwise"]
    _run(flow, following, play, facts)
    return play


def resume(flow: Flow, at: str, fields: Mapping[str, Value], *, facts: Facts) -> Play:
    """Go on behind the delay block `at`, whose time is over. Raises FlowStuck."""
    block = _block(flow, at)
    if block["type"] != "delay":
        raise FlowStuck(f"block {at} is no delay")
    return enter(flow, block["next"], fields, facts=facts)


def expects_answer(flow: Flow, at: str | None) -> bool:
    """Whether the block `at` waits for the visitor's words."""
    return _type_of(flow, at) in ASKING


def waits_for_agent(flow: Flow, at: str | None) -> bool:
    """Whether the flow stands at an assign block."""
    return _type_of(flow, at) == "assign"


def is_delayed(flow: Flow, at: str | None) -> bool:
    """Whether the flow stands at a delay, to be resumed when its time is over."""
    return _type_of(flow, at) == "delay"


def _type_of(flow: Flow, at: str | None) -> str | None:
    kind: str | None = flow["blocks"].get(at, {}).get("type")
    return kind


def _take(block: Block, at: str, play: Play, text: str, choice: str | None) -> str | None:
    """Collect the answer and return the block that follows. Raises NotAnAnswer."""
    following: str | None
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
    return following


def _is_used_up(block: Block, tries: int) -> bool:
    retries: int | None = block.get("retries")
    return retries is not None and tries > retries


def _ask_again(at: str, block: Block, play: Play, tries: int) -> None:
    standard = RETRY[block.get("kind", "choice")]
    text = fill(block.get("retry") or standard, play.fields)
    play.at, play.tries = at, tries
    play.do(at, Say(text if text.strip() else standard, _choices(block)))


def _run(flow: Flow, name: str | None, play: Play, facts: Facts) -> None:
    for _ in range(MAX_STEPS):
        if name is None:
            play.at = None
            return
        block = _block(flow, name)
        play.work += 1
        if block["type"] == "assign" and block["unavailable"] != "wait" and not facts.is_open():
            play.do(name, OutOfHours(block["unavailable"]))  # without its text, which tells of somebody who comes
            name = block["unavailable"]
            continue
        _speak(name, block, play)
        if _stops(name, block, play):
            return
        name = _pass(name, block, play, facts)
    raise FlowStuck("the flow goes round without waiting")


def _speak(name: str, block: Block, play: Play) -> None:
    text = fill(block.get("text") or "", play.fields)
    if not text.strip() and block["type"] in ASKING:
        text = RETRY[block.get("kind", "choice")]  # its fields left nothing of it, but the visitor must know what to do
    if text.strip():
        play.do(name, Say(text, _choices(block)))


def _stops(name: str, block: Block, play: Play) -> bool:
    """Whether the turn ends at this block."""
    match block["type"]:
        case "question" | "buttons":
            play.at = name
        case "assign":
            play.at = name
            play.assignment = AssignmentWanted.of(block)
            play.do(name, play.assignment)
        case "delay":
            play.at, play.delay = name, block["seconds"]
            play.do(name, Pause(block["seconds"]))
        case "close":
            play.at, play.close = None, True
        case _:
            return False
    return True


def _pass(name: str, block: Block, play: Play, facts: Facts) -> str | None:
    """Do what needs no answer; the block that follows."""
    following: str | None
    match block["type"]:
        case "condition":
            play.work += sum(weigh(case["if"]) for case in block["cases"])
            following = next((case["next"] for case in block["cases"] if holds(case["if"], play.fields, facts)), block["else"])
            return following
        case "set":
            _set(name, block, play)
        case "ticket":
            play.do(name, _ticket(block, play.fields))
    following = block["next"]
    return following


def _set(name: str, block: Block, play: Play) -> None:
    field = block["field"]
    try:
        value = _value_to_set(field, block["value"], play.fields)
    except NotAnAnswer:
        play.do(name, FieldKept(field))
        return
    play.collect(field, value)
    play.do(name, FieldSet(field, value))


def _value_to_set(field: str, value: Value | None, fields: Mapping[str, Value]) -> Value | None:
    """Raises NotAnAnswer for what can't be this field's: a name that isn't one, a telephone number that is no text."""
    if isinstance(value, str):
        text = fill(value, fields).strip()
        return read_answer(field, text) if field in PERSONAL_FIELDS else text[:MAX_ANSWER] or None
    if field == "name" or (field in PERSONAL_FIELDS and value is not None):
        raise NotAnAnswer(field)
    return value


def _ticket(block: Block, fields: Mapping[str, Value]) -> TicketWanted:
    subject = " ".join(fill(block["subject"], fields).split())[:MAX_SUBJECT]
    description = fill(block.get("description") or "", fields).strip()
    return TicketWanted(subject or NO_SUBJECT, description or None)


def _block(flow: Flow, name: str) -> Block:
    try:
        block: Block = flow["blocks"][name]
    except KeyError:
        raise FlowStuck(f"there is no block {name}") from None
    return block


def _choices(block: Block) -> list[dict[str, str]] | None:
    if "options" not in block:
        return None
    return [{"label": option["label"], "value": option["value"]} for option in block["options"]]
