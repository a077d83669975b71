"""The dialogues to play: loading a file of JSON lines and checking every line of it before anything is played."""

import json
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from deploy.replay.errors import Unusable

BUILT_IN = Path(__file__).with_name("webshop.jsonl")

Side = Literal["visitor", "agent"]


@dataclass(frozen=True)
class Turn:
    """What one side says at once."""

    side: Side
    text: str


@dataclass(frozen=True)
class Dialogue:
    """A conversation as it was held: the input, and what the stored transcript must equal."""

    id: str
    turns: tuple[Turn, ...]


def load_dialogues(path: Path = BUILT_IN) -> list[Dialogue]:
    """Read `{"id", "turns": [{"from": "visitor"|"agent", "text"}]}` line by line; other keys are ignored.

    Raises Unusable, with the line's number, for anything that can't be played.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise Unusable(f"Can't read the dialogues {path}: {error.strerror}.") from None
    dialogues: dict[str, Dialogue] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            dialogue = _check_dialogue(_check_json(line), taken=dialogues)
        except ValueError as error:
            raise Unusable(f"{path}, line {number}: {error}.") from None
        dialogues[dialogue.id] = dialogue
    if not dialogues:
        raise Unusable(f"{path} holds no dialogue.")
    return list(dialogues.values())


def _check_json(line: bytes) -> object:
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from None
    except RecursionError:
        raise ValueError("not JSON (nested too deeply)") from None


def _check_dialogue(value: object, taken: Container[str]) -> Dialogue:
    dialogue_id, turns = (value.get("id"), value.get("turns")) if isinstance(value, dict) else (None, None)
    if not isinstance(dialogue_id, str) or not dialogue_id:
        raise ValueError('a dialogue is an object whose "id" is a text')
    if dialogue_id in taken:
        raise ValueError(f'the id "{dialogue_id}" is used twice')
    if not isinstance(turns, list) or not turns:
        raise ValueError('"turns" must be a list of at least one turn')
    return Dialogue(dialogue_id, tuple(_check_turn(number, turn) for number, turn in enumerate(turns, start=1)))


def _check_turn(number: int, value: Any) -> Turn:
    if not isinstance(value, dict) or value.get("from") not in ("visitor", "agent"):
        raise ValueError(f'turn {number} must be from "visitor" or "agent"')
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f'turn {number} needs a "text"')
    return Turn(cast("Side", value["from"]), text)
