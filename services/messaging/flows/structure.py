"""How a flow's blocks lead to each other: ways to nowhere, blocks that nothing leads to, and rounds without the visitor.

And what they come to together: the fields that they fill.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from services.messaging.flows.problems import Problem
from services.messaging.flows.schemas import ASKING, IS_BLOCK_NAME, MAX_CUSTOM_FIELDS, PERSONAL_FIELDS

Blocks = Mapping[str, Mapping[str, Any]]
Edges = Mapping[str, Collection[str]]

_WAYS: Mapping[str, tuple[str, ...]] = {
    "message": ("next",),
    "question": ("next", "otherwise"),
    "buttons": ("options", "otherwise"),
    "condition": ("cases", "else"),
    "set": ("next",),
    "ticket": ("next",),
    "delay": ("next",),
    "assign": ("unavailable",),
    "goto": ("next",),
    "close": (),
}


def references(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(place, name) of every block that this one can lead to, also of a block that is not well formed."""
    for way in _WAYS.get(block.get("type", ""), ()):
        value = block.get(way)
        if isinstance(value, list):
            for number, part in enumerate(value):
                if isinstance(part, Mapping) and isinstance(part.get("next"), str):
                    yield f"{way}.{number}.next", part["next"]
        elif isinstance(value, str) and not (way == "unavailable" and value == "wait"):
            yield way, value


def is_way(kind: object, place: str) -> bool:
    """Whether a problem at this place of a block leaves open where it leads."""
    first, _, rest = place.partition(".")
    if not isinstance(kind, str) or kind not in _WAYS:
        return True
    return first in _WAYS[kind] and (rest == "" or rest.isdigit() or rest.endswith(".next"))


def find_problems(start: str | None, blocks: Blocks, unsure: Collection[str]) -> Iterator[Problem | None]:
    """Every problem of how the blocks lead to each other. `unsure`: blocks that may lead elsewhere when they are put right.

    None stands between two parts of the work.
    """
    for name, block in blocks.items():
        for place, target in references(block):
            if target not in blocks and IS_BLOCK_NAME.match(target):
                yield f"blocks.{name}.{place}", f"There is no block {target}."
    yield None
    edges = {name: [target for _, target in references(block) if target in blocks] for name, block in blocks.items()}
    yield from _rounds(blocks, edges)
    yield None
    if start is not None and start in blocks:
        yield from _closed_early(start, blocks, edges)
        yield from _unreached(start, edges, unsure)


def find_field_problems(blocks: Blocks) -> Iterator[Problem]:
    """The block that fills one custom field more than a contact keeps."""
    filled: set[str] = set()
    for name, block in blocks.items():
        field = block.get("field")
        clears = block.get("type") == "set" and block.get("value") is None
        if not isinstance(field, str) or field in PERSONAL_FIELDS or clears:
            continue
        filled.add(field)
        if len(filled) > MAX_CUSTOM_FIELDS:
            yield f"blocks.{name}.field", f"A contact keeps at most {MAX_CUSTOM_FIELDS} custom fields: this is one more."
            return


def _unreached(start: str, edges: Edges, unsure: Collection[str]) -> Iterator[Problem]:
    reached = _reach(start, edges)
    if reached.isdisjoint(unsure):
        yield from ((f"blocks.{name}", "No way leads here from the start.") for name in edges if name not in reached)


def _closed_early(start: str, blocks: Blocks, edges: Edges) -> Iterator[Problem]:
    halting = ASKING | {"assign", "delay"}
    silent = {name: targets for name, targets in edges.items() if blocks[name].get("type") not in halting}
    for name in _reach(start, silent):
        if blocks[name].get("type") == "close":
            yield f"blocks.{name}", "The conversation would end before the visitor can write."


def _rounds(blocks: Blocks, edges: Edges) -> Iterator[Problem]:
    """Each way on a round that doesn't wait for the visitor: an assign block's own way on and a delay wait for nobody."""
    passing = {
        name: [target for target in targets if blocks[target].get("type") not in ASKING]
        for name, targets in edges.items()
        if blocks[name].get("type") not in ASKING
    }
    knot = _knots(passing)
    for name in passing:
        for place, target in references(blocks[name]):
            if target in passing and knot[name] == knot[target]:
                yield f"blocks.{name}.{place}", "This way goes round without waiting for the visitor."


def _knots(edges: Edges) -> dict[str, str]:
    """For each block the name of its knot: blocks that lead to each other share one (Kosaraju's two passes, in linear time)."""
    backwards: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for target in targets:
            backwards[target].append(name)
    knot: dict[str, str] = {}
    for root in reversed(_by_completion(edges)):
        ahead = [root]
        while ahead:
            name = ahead.pop()
            if name not in knot:
                knot[name] = root
                ahead.extend(backwards[name])
    return knot


def _by_completion(edges: Edges) -> list[str]:
    seen: set[str] = set()
    completed: list[str] = []
    for root in edges:
        ahead = [(root, False)]
        while ahead:
            name, done = ahead.pop()
            if done:
                completed.append(name)
            elif name not in seen:
                seen.add(name)
                ahead.append((name, True))
                ahead.extend((target, False) for target in edges[name])
    return completed


def _reach(start: str, edges: Edges) -> set[str]:
    reached, ahead = set(), [start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(edges.get(name, ()))
    return reached
