from functools import partial

import pytest

from services.messaging.flows import engine
from services.messaging.flows.answers import RETRY
from services.messaging.flows.check import load_flow
from services.messaging.flows.engine import FlowStuck
from services.messaging.flows.facts import KnownFacts
from services.messaging.flows.schemas import MAX_BLOCKS
from tests.unit.messaging.flows import ACME, WatchedFacts, accepted

FLOW, _ = load_flow(ACME)


OPEN, CLOSED = KnownFacts(), KnownFacts(open=False)


class Unasked(KnownFacts):
    """Facts of a turn that needs none."""

    def is_open(self) -> bool:
        raise AssertionError("asked whether the channel is open")


enter = partial(engine.enter, facts=Unasked())
answer = partial(engine.answer, facts=Unasked())
resume = partial(engine.resume, facts=Unasked())


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
    play = enter(DESKS, "sales", {}, facts=OPEN)
    assert texts(play) == ["Sales is coming."]
    assert play.assignment == engine.AssignmentWanted("least_busy", None, "sales", "high", "else")


def test_other_way_is_taken_silently_when_the_channel_is_closed() -> None:
    play = enter(DESKS, "sales", {}, facts=CLOSED)
    assert texts(play) == ["Let me see.", "When may we write?"]
    assert (play.at, play.assignment) == ("sorry", None)


def test_hours_count_again_when_the_visitor_writes_at_an_assign_block() -> None:
    assert answer(DESKS, "anyone", {}, "hello?", facts=CLOSED).at == "sorry"
    assert answer(DESKS, "anyone", {}, "hello?", facts=OPEN).at == "anyone"


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
    assert enter(flow, "a0", {}, facts=CLOSED).at == f"a{MAX_BLOCKS - 1}"


def test_closed_channel_gets_stuck_instead_of_spinning_when_an_unchecked_flow_loops() -> None:
    flow = {"blocks": {"a": {"type": "assign", "unavailable": "b"}, "b": {"type": "goto", "next": "a"}}}
    with pytest.raises(FlowStuck):
        enter(flow, "a", {}, facts=CLOSED)


def test_wish_has_its_defaults_when_the_flow_is_of_a_time_without_teams() -> None:
    kept = {"type": "assign", "text": None, "strategy": "random", "agents": ["ann"], "unavailable": "wait"}
    assert engine.AssignmentWanted.of(kept) == engine.AssignmentWanted("random", ["ann"], None, "normal", "wait")


def test_flow_is_stuck_when_its_block_is_gone() -> None:
    with pytest.raises(FlowStuck):
        answer(FLOW, "removed", {}, "x")


def test_flow_is_stuck_instead_of_spinning_when_it_loops() -> None:
    with pytest.raises(FlowStuck):
        enter({"blocks": {"a": {"type": "goto", "next": "a"}}}, "a", {})


# A choice that is tried twice, then left; a question that is tried once, then given to a human.
PATIENT = accepted(
    a={
        "type": "buttons",
        "text": "Which?",
        "field": "plan",
        "retry": "One of these, {name|please}.",
        "retries": 2,
        "otherwise": "b",
        "options": [{"label": "Gold", "value": "g", "next": "b"}, {"label": "None", "value": "n"}],
    },
    b={"type": "question", "kind": "number", "text": "How many?", "field": "count", "retries": 1, "next": "c"},
    c={"type": "question", "kind": "date", "text": "When?", "field": "day", "next": None},
)


def test_wrong_answers_are_met_with_the_retry_text_until_they_are_used_up() -> None:
    first = answer(PATIENT, "a", {}, "silver")
    assert (texts(first), first.at, first.tries) == (["One of these, please."], "a", 1)
    second = answer(PATIENT, "a", {}, "bronze", tries=first.tries)
    assert (texts(second), second.at, second.tries) == (["One of these, please."], "a", 2)
    third = answer(PATIENT, "a", {}, "tin", tries=second.tries)
    assert (texts(third), third.at, third.tries, third.gave_up) == (["How many?"], "b", 0, False)
    assert third.collected == {}


def test_human_is_asked_for_when_the_wrong_answers_are_used_up_and_no_block_is_named() -> None:
    assert not answer(PATIENT, "b", {}, "many").gave_up
    play = answer(PATIENT, "b", {"plan": "g"}, "lots", tries=1)
    assert (play.gave_up, play.at, play.tries, texts(play), play.fields) == (True, "b", 2, [], {"plan": "g"})
    assert answer(PATIENT, "b", {}, "plenty", tries=2).gave_up


def test_tries_begin_anew_when_an_answer_fits() -> None:
    assert answer(PATIENT, "a", {}, "gold", tries=2).tries == 0
    assert answer(PATIENT, "b", {}, "3", tries=7).at == "c"


def test_wrong_answers_are_met_without_end_when_no_limit_is_set() -> None:
    play = answer(PATIENT, "c", {}, "soon", tries=1_000)
    assert (play.at, play.tries, play.gave_up) == ("c", 1_001, False)


def test_old_flow_is_played_when_it_knows_no_limits() -> None:
    kept = {"type": "question", "kind": "number", "text": "How many?", "field": "count", "retry": None, "next": None}
    play = answer({"start": "a", "blocks": {"a": kept}}, "a", {}, "many", tries=50)
    assert (texts(play), play.at) == ([RETRY["number"]], "a")


def test_standard_text_is_said_when_nothing_is_left_of_an_asking_blocks_own() -> None:
    blank = accepted(
        a={"type": "message", "text": "{x}", "next": "b"},
        b={"type": "question", "kind": "email", "text": "{x}", "retry": "{x}", "field": "email", "next": "c"},
        c={"type": "buttons", "text": "{x}", "options": [{"label": "A", "value": "a"}]},
    )
    assert texts(enter(blank, "a", {})) == [RETRY["email"]]
    assert texts(answer(blank, "b", {}, "?")) == [RETRY["email"]]
    assert enter(blank, "c", {}).says == [engine.Say(RETRY["choice"], [{"label": "A", "value": "a"}])]


# Three ways by what is known.
CROSSING = accepted(
    a={
        "type": "condition",
        "cases": [
            {"if": {"on": "field", "field": "plan", "is": "equal", "value": "gold"}, "next": "b"},
            {"if": {"on": "field", "field": "plan", "is": "set"}, "next": None},
            {"if": {"on": "agents", "is": "available"}, "next": "c"},
        ],
        "else": "d",
    },
    b={"type": "message", "text": "Gold.", "next": None},
    c={"type": "message", "text": "Somebody is there.", "next": None},
    d={"type": "message", "text": "Nobody.", "next": None},
)


def test_first_case_that_holds_is_taken_when_a_condition_is_reached() -> None:
    facts = WatchedFacts(available=False)
    assert texts(engine.enter(CROSSING, "a", {"plan": "Gold"}, facts=facts)) == ["Gold."]
    ended = engine.enter(CROSSING, "a", {"plan": "silver"}, facts=facts)
    assert (texts(ended), ended.at) == ([], None)
    assert facts.asked == []
    assert texts(engine.enter(CROSSING, "a", {}, facts=facts)) == ["Nobody."]
    assert texts(engine.enter(CROSSING, "a", {}, facts=KnownFacts())) == ["Somebody is there."]
    assert facts.asked == [(None, None)]


def test_condition_sees_what_the_same_turn_has_set() -> None:
    flow = accepted(start="s", s={"type": "set", "field": "plan", "value": "gold", "next": "a"}, **CROSSING["blocks"])
    assert texts(enter(flow, "s", {})) == ["Gold."]


# Two delays, and what is said around them.
SLOW = accepted(
    a={"type": "message", "text": "One moment.", "next": "b"},
    b={"type": "delay", "seconds": 5, "next": "c"},
    c={"type": "message", "text": "Still there?", "next": "d"},
    d={"type": "delay", "seconds": 60, "next": None},
)


def test_flow_rests_at_a_delay_and_goes_on_behind_it() -> None:
    begun = enter(SLOW, "a", {"x": 1})
    assert (texts(begun), begun.at, begun.delay) == (["One moment."], "b", 5)
    resumed = resume(SLOW, "b", begun.fields)
    assert (texts(resumed), resumed.at, resumed.delay, resumed.fields) == (["Still there?"], "d", 60, {"x": 1})
    ended = resume(SLOW, "d", {})
    assert (texts(ended), ended.at, ended.delay) == ([], None, None)


def test_nothing_happens_when_the_visitor_writes_during_a_delay() -> None:
    play = answer(SLOW, "b", {"x": 1}, "hello?")
    assert (play.at, play.delay, play.steps, play.fields) == ("b", None, [], {"x": 1})


def test_flow_is_stuck_when_it_is_resumed_where_no_delay_is() -> None:
    with pytest.raises(FlowStuck):
        resume(SLOW, "a", {})
    with pytest.raises(FlowStuck):
        resume(SLOW, "gone", {})


@pytest.mark.parametrize(
    ("at", "waits"),
    [("a", ""), ("q", "answer"), ("k", "answer"), ("s", "agent"), ("d", "delay"), ("gone", ""), (None, "")],
)
def test_flow_tells_for_what_it_waits(at: str | None, waits: str) -> None:
    flow = accepted(
        a={"type": "message", "text": "x", "next": "q"},
        q={"type": "question", "kind": "text", "text": "x", "field": "f", "next": "k"},
        k={"type": "buttons", "text": "x", "options": [{"label": "A", "value": "a", "next": "d"}]},
        d={"type": "delay", "seconds": 1, "next": "s"},
        s={"type": "assign"},
    )
    asked = (engine.expects_answer(flow, at), engine.waits_for_agent(flow, at), engine.is_delayed(flow, at))
    assert asked == (waits == "answer", waits == "agent", waits == "delay")


def test_all_of_a_turn_is_told_in_order() -> None:
    flow = accepted(
        a={"type": "set", "field": "plan", "value": "gold", "next": "b"},
        b={"type": "ticket", "subject": "{plan}", "next": "c"},
        c={"type": "message", "text": "Noted.", "next": "d"},
        d={"type": "ticket", "subject": "Another", "next": "e"},
        e={"type": "assign", "text": "Somebody is coming."},
    )
    play = enter(flow, "a", {})
    assert [step.block for step in play.steps] == ["a", "b", "c", "d", "e", "e"]
    assert texts(play) == ["Noted.", "Somebody is coming."]
    assert [ticket.subject for ticket in play.tickets] == ["gold", "Another"]
    assert play.steps[-1].what is play.assignment
