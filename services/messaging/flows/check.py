"""Which flows are accepted: every block well formed, every reference met, every block reachable, no loop without the visitor."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from services.common.validation import flatten
from services.messaging.flows.schemas import ASKING, BLOCKS, FlowSchema

Flow = dict[str, Any]
Problems = dict[str, list[str]]


def load_flow(document: Mapping[str, Any]) -> tuple[Flow, Problems]:
    """The flow with its defaults filled in, and every problem by place (`blocks.hello.next`); no problems: it can be played."""
    try:
        flow: Flow = FlowSchema().load(document)
    except ValidationError as error:
        return {}, flatten(error.normalized_messages())
    problems: Problems = {}
    blocks: dict[str, Any] = {}
    for name, block in flow["blocks"].items():
        loaded, found = _load_block(block)
        blocks[name] = loaded
        problems |= {f"blocks.{name}.{place}": texts for place, texts in found.items()}
    flow["blocks"] = blocks
    if not problems:
        problems = _structure(flow)
    return flow, problems


def references(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(place, name) of every block that this one can lead to."""
    if isinstance(block.get("next"), str):
        yield "next", block["next"]
    if block["type"] == "buttons":
        for number, option in enumerate(block["options"]):
            if isinstance(option.get("next"), str):
                yield f"options.{number}.next", option["next"]
    if block["type"] == "assign" and block["unavailable"] != "wait":
        yield "unavailable", block["unavailable"]


def _load_block(block: Mapping[str, Any]) -> tuple[dict[str, Any], Problems]:
    schema = BLOCKS.get(block["type"]) if isinstance(block.get("type"), str) else None
    if schema is None:
        return {}, {"type": [f"Must be one of: {', '.join(BLOCKS)}."]}
    try:
        loaded: dict[str, Any] = schema.load(block)
    except ValidationError as error:
        return {}, flatten(error.normalized_messages())
    if loaded["type"] == "question" and (loaded["kind"] == "choice") != ("options" in loaded):
        return loaded, {"options": ["A question of kind choice has options, and no other has."]}
    if loaded["type"] in {"buttons", "question"} and "options" in loaded:
        values = [option["value"] for option in loaded["options"]]
        if len(set(values)) < len(values):
            return loaded, {"options": ["Two options have the same value."]}
    return loaded, {}


def _structure(flow: Flow) -> Problems:
    blocks = flow["blocks"]
    if flow["start"] not in blocks:
        return {"start": [f"There is no block {flow['start']}."]}
    missing = {
        f"blocks.{name}.{place}": [f"There is no block {target}."]
        for name, block in blocks.items()
        for place, target in references(block)
        if target not in blocks
    }
    if missing:
        return missing
    edges = {name: [target for _, target in references(block)] for name, block in blocks.items()}
    reached = _reach(flow["start"], edges)
    problems = {f"blocks.{name}": ["No way leads here from the start."] for name in blocks if name not in reached}
    # A cycle of blocks that don't wait for the visitor would never end; an assign block's own way on waits for nobody.
    passing = {name: targets for name, targets in edges.items() if blocks[name]["type"] not in ASKING}
    for name, targets in passing.items():
        if any(name in _reach(target, passing) for target in targets if target in passing):
            problems[f"blocks.{name}.next"] = ["This way loops without waiting for the visitor."]
    silent = {name: targets for name, targets in passing.items() if blocks[name]["type"] != "assign"}
    for name in _reach(flow["start"], silent):
        if blocks[name]["type"] == "close":
            problems[f"blocks.{name}"] = ["The conversation would end before the visitor can write."]
    return problems


def _reach(start: str, edges: Mapping[str, list[str]]) -> set[str]:
    reached, ahead = set(), [start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(edges.get(name, []))
    return reached
