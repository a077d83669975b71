"""What a flow's assign block would ask for, found without playing the flow."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from services.messaging.flows.engine import AssignmentWanted
from services.messaging.flows.structure import references

Flow = Mapping[str, Any]


def find_wish(flow: Flow | None, name: str | None) -> tuple[str | None, AssignmentWanted]:
    """The assign block of that name, else the one nearest to the start, and its wish; without one the wish of none.

    Raises KeyError when the name is given and is not an assign block's.
    """
    blocks = flow["blocks"] if flow is not None else {}
    if name is not None:
        if name not in blocks or blocks[name]["type"] != "assign":
            raise KeyError(name)
    elif flow is not None:
        name = _nearest(flow)
    return name, AssignmentWanted() if name is None else AssignmentWanted.of(blocks[name])


def _nearest(flow: Flow) -> str | None:
    ahead, seen = deque([flow["start"]]), {flow["start"]}
    while ahead:
        name = ahead.popleft()
        block = flow["blocks"][name]
        if block["type"] == "assign":
            return str(name)
        following = [target for _, target in references(block) if target not in seen]
        ahead.extend(following)
        seen.update(following)
    return None
