"""Which flows are accepted: every block well formed, every reference met, every block reachable, no round without the visitor."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import ValidationError

from services.common.validation import flatten
from services.messaging.flows import schemas, structure
from services.messaging.flows.condition_schemas import ConditionBlock

Flow = dict[str, Any]
Problems = dict[str, list[str]]

BLOCKS = {
    "message": schemas.MessageBlock(),
    "question": schemas.QuestionBlock(),
    "buttons": schemas.ButtonsBlock(),
    "condition": ConditionBlock(),
    "set": schemas.SetBlock(),
    "ticket": schemas.TicketBlock(),
    "delay": schemas.DelayBlock(),
    "assign": schemas.AssignBlock(),
    "goto": schemas.GotoBlock(),
    "close": schemas.CloseBlock(),
}
_FLOW = schemas.FlowSchema()
# Marshmallow says of a mapping's member whether its key or its value is wrong; a block's place is its name.
_MEMBER = re.compile(r"^(blocks\..+)\.(?:key|value)\Z", re.DOTALL)


def load_flow(document: Mapping[str, Any]) -> tuple[Flow, Problems]:
    """The flow with its defaults filled in, and every problem by place (`blocks.hello.next`); no problems: it can be played."""
    problems = _check_outline(document)
    members = document.get("blocks")
    if not isinstance(members, Mapping):
        return {}, problems
    if not 1 <= len(members) <= schemas.MAX_BLOCKS:
        outer = {place: texts for place, texts in problems.items() if not place.startswith("blocks")}
        return {}, outer | {"blocks": [f"A flow has 1 to {schemas.MAX_BLOCKS} blocks."]}
    loaded, unsure = {}, set()
    for name, block in members.items():
        loaded[name], found = _load_block(block)
        _add(problems, ((f"blocks.{name}.{place}", text) for place, texts in found.items() for text in texts))
        if not isinstance(block, Mapping) or any(structure.is_way(block.get("type"), place) for place in found):
            unsure.add(name)
    start = document.get("start") if "start" not in problems else None
    _add(problems, _check_structure(start, {name: _typed(block) for name, block in members.items()}, unsure))
    if problems:
        return {}, _in_order(problems, list(members))
    return {"start": start, "blocks": loaded}, {}


def _check_outline(document: Mapping[str, Any]) -> Problems:
    problems: Problems = {}
    for place, texts in flatten(_FLOW.validate(document)).items():
        _add(problems, ((_MEMBER.sub(r"\1", place), text) for text in texts))
    return problems


def _load_block(block: object) -> tuple[dict[str, Any], Problems]:
    if not isinstance(block, Mapping):
        return {}, {}  # the outline says so
    schema = BLOCKS.get(block["type"]) if isinstance(block.get("type"), str) else None
    if schema is None:
        return {}, {"type": [f"Must be one of: {', '.join(BLOCKS)}."]}
    try:
        loaded: dict[str, Any] = schema.load(block)
    except ValidationError as error:
        return {}, flatten(error.normalized_messages())
    return loaded, {}


def _typed(block: object) -> Mapping[str, Any]:
    """The block, or nothing of one that has no type: it can be led to."""
    return block if isinstance(block, Mapping) and isinstance(block.get("type"), str) else {}


def _check_structure(start: str | None, blocks: Mapping[str, Mapping[str, Any]], unsure: set[str]) -> Iterable[structure.Problem]:
    if start is not None and start not in blocks:
        yield "start", f"There is no block {start}."
    yield from structure.find_problems(start, blocks, unsure)


def _add(problems: Problems, found: Iterable[structure.Problem]) -> None:
    for place, text in found:
        texts = problems.setdefault(place, [])
        if text not in texts:
            texts.append(text)


def _in_order(problems: Problems, names: list[str]) -> Problems:
    """As the document has its blocks."""
    position = {name: number for number, name in enumerate(names)}
    return dict(sorted(problems.items(), key=lambda item: _position(item[0], position)))


def _position(place: str, position: Mapping[str, int]) -> int:
    outer, _, rest = place.partition(".")
    if outer != "blocks":
        return -1
    return position.get(rest, position.get(rest.partition(".")[0], len(position)))
