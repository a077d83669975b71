from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.flows import engine
from services.messaging.flows.check import load_flow
from services.messaging.flows.engine import FlowStuck
from services.messaging.flows.schemas import MAX_BLOCKS
from tests.unit.messaging.flows import ACME

FLOW, _ = load_flow(ACME)


def always() -> bool:
    return True


def never() -> bool:
    return False


def unasked() -> bool:
    raise AssertionError("asked whether the channel is open")


enter = partial(engine.enter, is_open=unasked)
answer = partial(engine.answer, is_open=unasked)


def texts(play: engine.Play) -> list[str]:
    return [said.text for said in play.says]


def test_bot_speaks_until_it_needs_an_answer_when_the_flow_begins() -> None:
    play = enter(FLOW, "hello", {})
    assert texts(play) == ["Hi, I am the Acme bot.", "What is your name?"]
    assert play.at == "name"


def test_answer_is_collected_and_used_in_the_next_text_when_it_fits() -> None:
    play = answer(FLOW, "name", {}, "Ann Lee")
    assert play.collected == {"name": "Ann Lee"}
    assert texts(play) == ["And your e-mail, Ann Lee?"]
    assert play.at == "email"


def test_bot_asks_again_and_collects_nothing_when_the_answer_does_not_fit() -> None:
    play = answer(FLOW, "email", {"name": "Ann"}, "not an address")
    assert texts(play) == ["That does not look like an e-mail address."]
    assert (play.at, play.collected) == ("email", {})


@pytest.mark.parametrize(("text", "choice"), [("", "quote"), ("a QUOTE", None), ("quote", None), ("1", None)])
def test_option_is_taken_when_pressed_or_typed(text: str, choice: str | None) -> None:
    play = answer(FLOW, "topic", {}, text, choice)
    assert play.collected == {"topic": "quote"}
    assert play.assignment is not None
    assert play.assignment.unavailable == "wait"
    assert play.at == "handover"


def test_options_are_offered_again_when_something_else_is_typed() -> None:
    play = answer(FLOW, "topic", {}, "a horse")
    assert play.says[0].choices == [{"label": "A quote", "value": "quote"}, {"label": "Just looking", "value": "looking"}]
    assert play.at == "topic"


def test_conversation_closes_when_the_flow_says_so() -> None:
    play = answer(FLOW, "topic", {}, "", "looking")
    assert play.close
    assert (play.at, texts(play)) == (None, ["Enjoy!"])


def test_agent_is_asked_for_again_when_the_visitor_writes_at_an_assign_block() -> None:
    play = answer(FLOW, "handover", {}, "hello?")
    assert (texts(play), play.at) == (["A colleague will be right with you."], "handover")
    assert play.assignment == engine.AssignmentWanted()


# Two desks in a row, each with another way on.
DESKS, _ = load_flow(
    {
        "start": "sales",
        "blocks": {
            "sales": {"type": "assign", "text": "Sales is coming.", "team": "sales", "priority": "high", "unavailable": "else"},
            "else": {"type": "message", "text": "Let me see.", "next": "anyone"},
            "anyone": {"type": "assign", "text": "Somebody is coming.", "agents": ["ann"], "unavailable": "sorry"},
            "sorry": {"type": "question", "kind": "text", "text": "When may we write?", "field": "when", "next": "sales"},
        },
    }
)


def test_wish_of_the_block_is_told_when_the_channel_is_open() -> None:
    play = enter(DESKS, "sales", {}, is_open=always)
    assert texts(play) == ["Sales is coming."]
    assert play.assignment == engine.AssignmentWanted("least_busy", None, "sales", "high", "else")


def test_other_way_is_taken_silently_when_the_channel_is_closed() -> None:
    play = enter(DESKS, "sales", {}, is_open=never)
    assert texts(play) == ["Let me see.", "When may we write?"]
    assert (play.at, play.assignment) == ("sorry", None)


def test_hours_count_again_when_the_visitor_writes_at_an_assign_block() -> None:
    assert answer(DESKS, "anyone", {}, "hello?", is_open=never).at == "sorry"
    assert answer(DESKS, "anyone", {}, "hello?", is_open=always).at == "anyone"


def test_agent_is_waited_for_whatever_the_hour_when_the_block_has_no_other_way() -> None:
    play = enter(FLOW, "handover", {})
    assert play.assignment is not None


def test_hours_are_not_asked_for_when_the_turn_meets_no_assign_block() -> None:
    assert answer(DESKS, "sorry", {}, "   ").at == "sorry"
    assert enter(FLOW, "hello", {}).at == "name"


def test_closed_channel_ends_somewhere_when_every_assign_block_leads_to_the_next() -> None:
    chain = {f"a{n}": {"type": "assign", "unavailable": f"a{n + 1}"} for n in range(MAX_BLOCKS - 1)}
    flow, problems = load_flow({"start": "a0", "blocks": chain | {f"a{MAX_BLOCKS - 1}": {"type": "assign"}}})
    assert problems == {}
    assert enter(flow, "a0", {}, is_open=never).at == f"a{MAX_BLOCKS - 1}"


def test_closed_channel_gets_stuck_instead_of_spinning_when_an_unchecked_flow_loops() -> None:
    flow = {"blocks": {"a": {"type": "assign", "unavailable": "b"}, "b": {"type": "goto", "next": "a"}}}
    with pytest.raises(FlowStuck):
        enter(flow, "a", {}, is_open=never)


def test_wish_has_its_defaults_when_the_flow_is_of_a_time_without_teams() -> None:
    kept = {"type": "assign", "text": None, "strategy": "random", "agents": ["ann"], "unavailable": "wait"}
    assert engine.AssignmentWanted.of(kept) == engine.AssignmentWanted("random", ["ann"], None, "normal", "wait")


def test_flow_is_stuck_when_its_block_is_gone() -> None:
    with pytest.raises(FlowStuck):
        answer(FLOW, "removed", {}, "x")


def test_flow_is_stuck_instead_of_spinning_when_it_loops() -> None:
    with pytest.raises(FlowStuck):
        enter({"blocks": {"a": {"type": "goto", "next": "a"}}}, "a", {})


@pytest.mark.parametrize(
    ("text", "fields", "filled"),
    [
        ("Hi {name}!", {"name": "Ann"}, "Hi Ann!"),
        ("Hi {name}!", {}, "Hi!"),
        ("And your e-mail, {name}?", {}, "And your e-mail?"),
        ("{a}{b}", {"a": 1, "b": True}, "1True"),
        ("{not a field} {name", {"name": "x"}, "{not a field} {name"),
    ],
)
def test_placeholders_are_filled_or_left_out_when_a_text_is_said(text: str, fields: dict[str, Any], filled: str) -> None:
    assert engine.fill(text, fields) == filled


names = st.sampled_from(["a", "b", "c", "d", "e"])
targets = st.one_of(st.none(), names)
options = st.lists(
    st.builds(lambda v, n: {"label": v.upper(), "value": v, "next": n}, st.sampled_from("xyz"), targets),
    min_size=1,
    max_size=3,
    unique_by=lambda option: option["value"],
)
blocks = st.one_of(
    st.builds(lambda n: {"type": "message", "text": "m", "next": n}, targets),
    st.builds(lambda n: {"type": "goto", "next": n}, targets),
    st.builds(
        lambda n, k: {"type": "question", "kind": k, "text": "q", "field": "f", "next": n},
        targets,
        st.sampled_from(["text", "number"]),
    ),
    st.builds(lambda o: {"type": "buttons", "text": "b", "options": o}, options),
    st.builds(lambda u: {"type": "assign", "unavailable": u or "wait"}, targets),
    st.just({"type": "close"}),
)


@given(st.dictionaries(names, blocks, min_size=1), names, st.lists(st.text(max_size=5), max_size=8), st.booleans())
def test_turn_ends_waiting_or_done_when_a_flow_was_accepted(
    flow: dict[str, Any], start: str, inputs: list[str], opened: bool
) -> None:
    loaded, found = load_flow({"start": start, "blocks": flow})
    if found:
        return
    play = enter(loaded, loaded["start"], {}, is_open=lambda: opened)
    for text in inputs:
        if play.at is None:
            break
        play = answer(loaded, play.at, play.fields, text, is_open=lambda: opened)
        assert play.at is None or loaded["blocks"][play.at]["type"] in {"question", "buttons", "assign"}
