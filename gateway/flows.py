"""What is wrong with a flow, whole: what messaging says of the document, and what presence says of the people it names."""

from collections.abc import Mapping
from typing import Any

from gateway.context import call
from gateway.people import find_unknown_in_flow
from services.common.errors import Invalid

Problems = list[dict[str, str]]

# As many problems messaging tells, and that there are more.
MANY = 500


def check(channel_id: str, flow: Mapping[str, Any]) -> dict[str, Any]:
    """`{valid, problems: [{place, message}]}`. Raises NotFound, Unavailable."""
    found = _ask_messaging(channel_id, flow)
    problems = _with_people(found, find_unknown_in_flow(_looked_into(flow, found)))
    return {"valid": not problems, "problems": problems}


def require_known_people(channel_id: str, flow: Mapping[str, Any]) -> None:
    """Raise Invalid (INVALID_FLOW) with every problem of a flow that names agents or teams that don't exist; also Unavailable.

    A flow whose people are all known is messaging's to judge.
    """
    unknown = find_unknown_in_flow(flow)
    if not unknown:
        return
    errors: dict[str, list[str]] = {}
    for problem in _with_people(_ask_messaging(channel_id, flow), unknown):
        errors.setdefault(problem["place"], []).append(problem["message"])
    raise Invalid("The flow can't run.", code="INVALID_FLOW", errors=errors)


def _ask_messaging(channel_id: str, flow: Mapping[str, Any]) -> Problems:
    found: Problems = call("messaging", "check_flow", channel_id=channel_id, flow=flow)["problems"]
    return found


def _looked_into(flow: Mapping[str, Any], found: Problems) -> dict[str, Any]:
    """The flow without what messaging did not look into, because it is too much: nobody is looked for there either."""
    blocks, places = flow.get("blocks"), {problem["place"] for problem in found}
    if not isinstance(blocks, Mapping) or len(found) > MANY:
        return {}
    return {"blocks": {name: block for name, block in blocks.items() if f"blocks.{name}.cases" not in places}}


def _with_people(found: Problems, unknown: Mapping[str, list[str]]) -> Problems:
    return [*found, *({"place": place, "message": text} for place, texts in unknown.items() for text in texts)]
