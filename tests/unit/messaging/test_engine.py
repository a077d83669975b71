from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.flows import engine
from services.messaging.flows.check import load_flow
from services.messaging.flows.engine import FlowStuck
from tests.unit.messaging.flows import ACME

FLOW, _ = load_flow(ACME)


def texts(play: engine.Play) -> list[str]:
    return [said.text for said in play.says]


def test_bot_speaks_until_it_needs_an_answer_when_the_flow_begins() -> None:
    play = engine.enter(FLOW, "hello", {})
    assert texts(play) == ["Hi, I am the Acme bot.", "What is your name?"]
    assert play.at == "name"


def test_answer_is_collected_and_used_in_the_next_text_when_it_fits() -> None:
    play = engine.answer(FLOW, "name", {}, "Ann Lee")
    assert play.collected == {"name": "Ann Lee"}
    assert texts(play) == ["And your e-mail, Ann Lee?"]
    assert play.at == "email"


def test_bot_asks_again_and_collects_nothing_when_the_answer_does_not_fit() -> None:
    play = engine.answer(FLOW, "email", {"name": "Ann"}, "not an address")
    assert texts(play) == ["That does not look like an e-mail address."]
    assert (play.at, play.collected) == ("email", {})


@pytest.mark.parametrize(("text", "choice"), [("", "quote"), ("a QUOTE", None), ("quote", None), ("1", None)])
def test_option_is_taken_when_pressed_or_typed(text: str, choice: str | None) -> None:
    play = engine.answer(FLOW, "topic", {}, text, choice)
    assert play.collected == {"topic": "quote"}
    assert play.assignment is not None
    assert play.assignment.unavailable == "wait"
    assert play.at == "handover"


def test_options_are_offered_again_when_something_else_is_typed() -> None:
    play = engine.answer(FLOW, "topic", {}, "a horse")
    assert play.says[0].choices == [{"label": "A quote", "value": "quote"}, {"label": "Just looking", "value": "looking"}]
    assert play.at == "topic"


def test_conversation_closes_when_the_flow_says_so() -> None:
    play = engine.answer(FLOW, "topic", {}, "", "looking")
    assert play.close
    assert (play.at, texts(play)) == (None, ["Enjoy!"])


def test_bot_stays_silent_when_the_visitor_writes_while_waiting_for_an_agent() -> None:
    play = engine.answer(FLOW, "handover", {}, "hello?")
    assert (play.says, play.at, play.assignment) == ([], "handover", None)


def test_flow_is_stuck_when_its_block_is_gone() -> None:
    with pytest.raises(FlowStuck):
        engine.answer(FLOW, "removed", {}, "x")


def test_flow_is_stuck_instead_of_spinning_when_it_loops() -> None:
    with pytest.raises(FlowStuck):
        engine.enter({"blocks": {"a": {"type": "goto", "next": "a"}}}, "a", {})


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


@given(st.dictionaries(names, blocks, min_size=1), names, st.lists(st.text(max_size=5), max_size=8))
def test_turn_ends_waiting_or_done_when_a_flow_was_accepted(flow: dict[str, Any], start: str, inputs: list[str]) -> None:
    loaded, found = load_flow({"start": start, "blocks": flow})
    if found:
        return
    play = engine.enter(loaded, loaded["start"], {})
    for text in inputs:
        if play.at is None:
            break
        play = engine.answer(loaded, play.at, play.fields, text)
        assert play.at is None or loaded["blocks"][play.at]["type"] in {"question", "buttons", "assign"}
