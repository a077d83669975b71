from typing import Any

import pytest

from services.messaging.flows.check import load_flow
from services.messaging.flows.engine import AssignmentWanted
from services.messaging.flows.preview import find_wish
from tests.unit.messaging.flows import ACME


def flow(**blocks: Any) -> dict[str, Any]:
    loaded, problems = load_flow({"start": "a", "blocks": blocks})
    assert problems == {}
    return loaded


# From the start the way over the second button is the shorter one.
BRANCHES = flow(
    a={
        "type": "buttons",
        "text": "What is it about?",
        "options": [{"label": "Long", "value": "long", "next": "b"}, {"label": "Short", "value": "short", "next": "near"}],
    },
    b={"type": "message", "text": "Hm.", "next": "far"},
    far={"type": "assign", "team": "service", "priority": "high", "unavailable": "last"},
    near={"type": "assign", "strategy": "random", "agents": ["ann"]},
    last={"type": "assign", "strategy": "round_robin"},
)


def test_wish_is_the_nearest_blocks_when_none_is_named() -> None:
    assert find_wish(BRANCHES, None) == ("near", AssignmentWanted("random", ["ann"], None, "normal", "wait"))
    assert find_wish(load_flow(ACME)[0], None) == ("handover", AssignmentWanted())


def test_wish_is_the_named_blocks_when_one_is_named() -> None:
    assert find_wish(BRANCHES, "far") == ("far", AssignmentWanted("least_busy", None, "service", "high", "last"))
    assert find_wish(BRANCHES, "last")[1].strategy == "round_robin"


@pytest.mark.parametrize("name", ["a", "b", "gone"])
def test_block_is_refused_when_it_asks_for_nobody(name: str) -> None:
    with pytest.raises(KeyError):
        find_wish(BRANCHES, name)
    with pytest.raises(KeyError):
        find_wish(None, name)


def test_wish_is_the_default_when_there_is_no_assign_block() -> None:
    looping = flow(a={"type": "question", "kind": "text", "text": "And?", "field": "f", "next": "a"})
    assert find_wish(looping, None) == find_wish(None, None) == (None, AssignmentWanted())
