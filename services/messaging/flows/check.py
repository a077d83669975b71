"""Which flows are accepted: every block well formed, every reference met, every block reachable, no round without the visitor.

A document is checked in steps, each short whatever the document is: somebody who sends nonsense holds up nobody.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from marshmallow import ValidationError

from services.common.validation import flatten
from services.messaging.flows import schemas, structure
from services.messaging.flows.condition_schemas import ConditionBlock
from services.messaging.flows.problems import MAX_PROBLEMS, Found, Problem, Problems
from services.messaging.flows.steps import Steps, finish

Flow = dict[str, Any]

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
# More names and values than any block that is accepted can have: what is larger is not looked into.
MAX_MEMBERS = 6_000
_FLOW = schemas.FlowSchema()
_TOO_MANY_BLOCKS = f"A flow has 1 to {schemas.MAX_BLOCKS} blocks."
_TOO_LARGE = f"A block has at most {MAX_MEMBERS:,} names and values."
# Marshmallow says of a mapping's member whether its key or its value is wrong; a block's place is its name.
_MEMBER = re.compile(r"^(blocks\..+)\.(?:key|value)\Z", re.DOTALL)


def load_flow(document: Mapping[str, Any]) -> tuple[Flow, Problems]:
    """The flow with its defaults filled in, and every problem by place (`blocks.hello.next`); no problems: it can be played.

    Of very many problems only the first are told, and that there are more.
    """
    return finish(load_in_steps(document))


def load_in_steps(document: Mapping[str, Any]) -> Steps[tuple[Flow, Problems]]:
    """`load_flow`, block by block."""
    found = Found()
    found.add(_check_outline(document))
    members = document.get("blocks")
    if not isinstance(members, Mapping) or not 1 <= len(members) <= schemas.MAX_BLOCKS:
        return {}, found.in_order(())
    loaded: Flow = {}
    shapes: dict[str, Mapping[str, Any]] = {}
    unsure: set[str] = set()
    for name, block in members.items():
        yield
        if found.is_full:
            return {}, found.in_order(members)
        if isinstance(block, Mapping) and _is_too_large(block):
            found.add([(f"blocks.{name}", _TOO_LARGE)])
            loaded[name], shapes[name] = {}, {}
            unsure.add(name)
            continue
        loaded[name], problems = _load_block(block)
        found.add((f"blocks.{name}.{place}" if place else f"blocks.{name}", text) for place, text in problems)
        if not isinstance(block, Mapping) or any(structure.is_way(block.get("type"), place) for place, _ in problems):
            unsure.add(name)
        shapes[name] = _typed(block)
    yield
    start = document.get("start") if "start" not in found.by_place else None
    for problem in _check_structure(start, shapes, unsure):
        if problem is None:
            yield
        else:
            found.add([problem])
        if found.is_full:
            break
    if found.by_place:
        return {}, found.in_order(members)
    return {"start": start, "blocks": loaded}, {}


def _check_outline(document: Mapping[str, Any]) -> Iterator[Problem]:
    known = {name: document[name] for name in _FLOW.fields if name in document}
    unknown = (name for name in document if name not in known)
    yield from ((str(name), "Unknown field.") for name in islice(unknown, MAX_PROBLEMS))
    blocks = known.get("blocks")
    if isinstance(blocks, Mapping) and not 1 <= len(blocks) <= schemas.MAX_BLOCKS:
        known["blocks"] = {}
        yield "blocks", _TOO_MANY_BLOCKS
    for place, texts in flatten(_FLOW.validate(known)).items():
        yield from ((_MEMBER.sub(r"\1", place), text) for text in texts)


def _load_block(block: object) -> tuple[dict[str, Any], list[Problem]]:
    if not isinstance(block, Mapping):
        return {}, []  # the outline says so
    schema = BLOCKS.get(block["type"]) if isinstance(block.get("type"), str) else None
    if schema is None:
        return {}, [("type", f"Must be one of: {', '.join(BLOCKS)}.")]
    try:
        loaded: dict[str, Any] = schema.load(block)
    except ValidationError as error:
        told = flatten(error.normalized_messages())
        return {}, [(place, text) for place, texts in told.items() for text in texts]
    return loaded, []


def _is_too_large(block: Mapping[str, Any]) -> bool:
    room = MAX_MEMBERS
    ahead: list[Any] = [block]
    while ahead:
        part = ahead.pop()
        room -= len(part)
        if room < 0:
            return True
        inner = part.values() if isinstance(part, Mapping) else part
        ahead.extend(member for member in inner if isinstance(member, Mapping | list))
    return False


def _typed(block: object) -> Mapping[str, Any]:
    """The block, or nothing of one that has no type: it can be led to."""
    return block if isinstance(block, Mapping) and isinstance(block.get("type"), str) else {}


def _check_structure(start: str | None, blocks: Mapping[str, Mapping[str, Any]], unsure: set[str]) -> Iterator[Problem | None]:
    if start is not None and start not in blocks:
        yield "start", f"There is no block {start}."
    yield from structure.find_problems(start, blocks, unsure)
    yield from structure.find_field_problems(blocks)
