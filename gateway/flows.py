"""What is wrong with a flow, whole: what messaging says of the document, and what presence says of the people it names."""

from collections.abc import Mapping
from typing import Any

from gateway.context import call
from gateway.people import find_unknown_in_flow
from services.common.errors import Invalid

Problems = list[dict[str, str]]


def check(channel_id: str, flow: Mapping[str, Any]) -> dict[str, Any]:
    """`{valid, problems: [{place, message}]}`. Raises NotFound, Unavailable."""
    problems = _problems(channel_id, flow, find_unknown_in_flow(flow))
    return {"valid": not problems, "problems": problems}


def require_known_people(channel_id: str, flow: Mapping[str, Any]) -> None:
    """Raise Invalid (INVALID_FLOW) with every problem of a flow that names agents or teams that don't exist; also Unavailable.

    A flow whose people are all known is messaging's to judge.
    """
    unknown = find_unknown_in_flow(flow)
    if not unknown:
        return
    errors: dict[str, list[str]] = {}
    for problem in _problems(channel_id, flow, unknown):
        errors.setdefault(problem["place"], []).append(problem["message"])
    raise Invalid("The flow can't run.", code="INVALID_FLOW", errors=errors)


def _problems(channel_id: str, flow: Mapping[str, Any], unknown: Mapping[str, list[str]]) -> Problems:
    found: Problems = call("messaging", "check_flow", channel_id=channel_id, flow=flow)["problems"]
    return [*found, *({"place": place, "message": text} for place, texts in unknown.items() for text in texts)]
