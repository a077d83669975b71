from typing import Any

import pytest

from services.messaging.flows.facts import KnownFacts
from services.messaging.flows.play import MAX_SAYS
from services.messaging.flows.simulate import MAX_CHARACTERS, MAX_LINES, MAX_WORK, simulate, simulate_in_steps
from tests.unit.messaging.flows import ACME, WatchedFacts, accepted

FLOW = accepted(ACME["start"], **ACME["blocks"])


def play(flow: dict[str, Any], *inputs: dict[str, str], facts: KnownFacts | None = None, **fields: Any) -> dict[str, Any]:
    return simulate(flow, inputs, fields=fields, facts=facts or KnownFacts())


def told(played: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line["author"], line["text"]) for line in played["transcript"]]


def test_transcript_shows_the_whole_conversation_when_inputs_are_played() -> None:
    played = play(
        FLOW, {"text": "Ann"}, {"text": "nowhere"}, {"text": "ann@example.org"}, {"choice": "quote"}, {"text": "Hello?"}
    )
    offered = [{"label": "A quote", "value": "quote"}, {"label": "Just looking", "value": "looking"}]
    assert played == {
        "transcript": [
            {"author": "bot", "text": "Hi, I am the Acme bot.", "choices": None, "block": "hello"},
            {"author": "bot", "text": "What is your name?", "choices": None, "block": "name"},
            {"author": "visitor", "text": "Ann", "choices": None, "block": "name"},
            {"author": "bot", "text": "And your e-mail, Ann?", "choices": None, "block": "email"},
            {"author": "visitor", "text": "nowhere", "choices": None, "block": "email"},
            {"author": "bot", "text": "That does not look like an e-mail address.", "choices": None, "block": "email"},
            {"author": "visitor", "text": "ann@example.org", "choices": None, "block": "email"},
            {"author": "bot", "text": "What is it about?", "choices": offered, "block": "topic"},
            {"author": "visitor", "text": "A quote", "choices": None, "block": "topic"},
            {"author": "bot", "text": "A colleague will be right with you.", "choices": None, "block": "handover"},
            {"author": "system", "text": "Asks for an agent: least_busy, priority normal.", "choices": None, "block": "handover"},
        ],
        "fields": {"name": "Ann", "email": "ann@example.org", "topic": "quote"},
        "state": "assigned",
        "block": "handover",
        "unused_inputs": 1,
    }


def test_flow_waits_when_the_inputs_are_used_up() -> None:
    played = play(FLOW, {"text": "Ann"}, country="DE")
    assert (played["state"], played["block"], played["unused_inputs"]) == ("waiting", "email", 0)
    assert played["fields"] == {"country": "DE", "name": "Ann"}


def test_conversation_is_closed_when_the_flow_says_so() -> None:
    played = play(FLOW, {"text": "Ann"}, {"text": "ann@example.org"}, {"choice": "looking"}, {"text": "Wait!"})
    assert told(played)[-1] == ("bot", "Enjoy!")
    assert (played["state"], played["block"], played["unused_inputs"]) == ("closed", None, 1)


def test_conversation_is_closed_when_the_first_answer_leads_there() -> None:
    asked = {"type": "question", "kind": "text", "text": "And?", "field": "f", "next": "b"}
    assert play(accepted(a=asked, b={"type": "close"}), {"text": "Bye"})["state"] == "closed"


def test_flow_has_ended_when_nothing_follows() -> None:
    played = play(accepted(a={"type": "message", "text": "Bye.", "next": None}), {"text": "Wait!"})
    assert (told(played), played["state"], played["block"], played["unused_inputs"]) == ([("bot", "Bye.")], "ended", None, 1)


DESK = accepted(
    a={"type": "assign", "text": "Somebody comes.", "strategy": "random", "agents": ["ann", "ben"], "unavailable": "b"},
    b={"type": "message", "text": "Nobody is there.", "next": "c"},
    c={"type": "assign", "text": "Somebody of sales comes.", "team": "sales", "priority": "high", "unavailable": "d"},
    d={"type": "close", "text": "Bye."},
)


def test_next_desk_is_asked_when_nobody_of_the_first_is_available() -> None:
    facts = WatchedFacts(available=False)
    played = play(DESK, facts=facts)
    assert told(played) == [
        ("bot", "Somebody comes."),
        ("system", "Asks for an agent: random, agents ann ben, priority normal."),
        ("system", "Nobody is available: goes on at b."),
        ("bot", "Nobody is there."),
        ("bot", "Somebody of sales comes."),
        ("system", "Asks for an agent: least_busy, team sales, priority high."),
        ("system", "Nobody is available: goes on at d."),
        ("bot", "Bye."),
    ]
    assert (played["state"], played["block"]) == ("closed", None)
    assert facts.asked == ["open", (["ann", "ben"], None), "open", (None, "sales")]


def test_desks_are_passed_by_when_the_channel_is_closed() -> None:
    played = play(DESK, facts=KnownFacts(open=False))
    assert told(played) == [
        ("system", "Outside business hours: goes on at b."),
        ("bot", "Nobody is there."),
        ("system", "Outside business hours: goes on at d."),
        ("bot", "Bye."),
    ]
    assert played["state"] == "ended"  # as a conversation that has just begun isn't archived


def test_visitor_waits_for_an_agent_whoever_is_there_when_the_block_has_no_other_way() -> None:
    facts = WatchedFacts(available=False)
    assert play(accepted(a={"type": "assign"}), facts=facts)["state"] == "assigned"
    assert facts.asked == []


def test_delays_fields_and_tickets_are_told_as_they_happen() -> None:
    flow = accepted(
        a={"type": "set", "field": "plan", "value": "größer", "next": "b"},
        b={"type": "set", "field": "vip", "value": True, "next": "c"},
        c={"type": "set", "field": "old", "value": None, "next": "d"},
        d={"type": "set", "field": "email", "value": "{plan}", "next": "e"},
        e={"type": "delay", "seconds": 90, "next": "f"},
        f={"type": "ticket", "subject": "Call {name}", "description": "About {plan}.", "next": "g"},
        g={"type": "ticket", "subject": "Again", "next": None},
    )
    played = play(flow, name="Ann", old="x")
    assert [(line["author"], line["text"], line["block"]) for line in played["transcript"]] == [
        ("system", 'Sets plan to "größer".', "a"),
        ("system", "Sets vip to true.", "b"),
        ("system", "Clears old.", "c"),
        ("system", "Leaves email as it is: the new value is not usable.", "d"),
        ("system", "Waits for 90 s.", "e"),
        ("system", "Opens a ticket: Call Ann\nAbout größer.", "f"),
        ("system", "Opens a ticket: Again", "g"),
    ]
    assert (played["state"], played["fields"]) == ("ended", {"name": "Ann", "plan": "größer", "vip": True})


def test_human_is_asked_when_the_retries_are_used_up() -> None:
    flow = accepted(a={"type": "question", "kind": "number", "text": "How many?", "field": "n", "retries": 1, "next": None})
    played = play(flow, {"text": "many"}, {"text": "lots"}, {"text": "3"})
    assert told(played)[-2:] == [("visitor", "lots"), ("system", "Too many wrong answers: a human is asked.")]
    assert (played["state"], played["block"], played["unused_inputs"]) == ("assigned", "a", 1)
    assert play(flow, {"text": "many"}, {"text": "3"})["state"] == "ended"


@pytest.mark.parametrize(("given", "shown"), [({"choice": "g"}, "Gold"), ({"choice": "x"}, "x"), ({"text": "gold"}, "gold")])
def test_visitor_is_shown_by_the_buttons_label_when_it_is_pressed(given: dict[str, str], shown: str) -> None:
    flow = accepted(a={"type": "buttons", "text": "Which?", "options": [{"label": "Gold", "value": "g"}]})
    assert told(play(flow, given))[1] == ("visitor", shown)


@pytest.mark.parametrize(
    "blocks",
    [
        {"a": {"type": "goto", "next": "gone"}},
        {"a": {"type": "goto", "next": "a"}},
        {"a": {"type": "delay", "seconds": 1, "next": "a"}},
        {"a": {"type": "assign", "unavailable": "a"}},
    ],
)
def test_human_is_asked_when_an_unchecked_flow_can_not_go_on(blocks: dict[str, Any]) -> None:
    played = play({"start": "a", "blocks": blocks}, {"text": "Hello?"}, facts=KnownFacts(available=False))
    assert told(played)[-1][1].startswith("Can't go on, so a human is asked: ")
    assert (played["state"], played["unused_inputs"]) == ("assigned", 1)


def talkative(blocks: int, length: int) -> dict[str, Any]:
    said = {f"s{n}": {"type": "message", "text": "x" * length, "next": f"s{n + 1}"} for n in range(blocks)}
    asked = {"type": "question", "kind": "text", "text": "And?", "field": "f", "next": "s0"}
    return accepted("s0", **said, **{f"s{blocks}": asked})


def test_no_further_input_is_taken_when_the_transcript_has_grown_long() -> None:
    many = play(talkative(90, 1), *[{"text": "x"}] * 100)
    assert MAX_LINES <= len(many["transcript"]) < MAX_LINES + 92
    assert (many["state"], many["unused_inputs"]) == ("waiting", 90)
    long = play(talkative(40, 2_000), *[{"text": "x"}] * 100)
    assert sum(len(line["text"]) for line in long["transcript"]) >= MAX_CHARACTERS
    assert (long["state"], long["unused_inputs"]) == ("waiting", 98)


def test_transcript_ends_when_it_is_full_though_the_flow_would_go_on_without_the_visitor() -> None:
    def part(number: int) -> dict[str, Any]:
        said = {f"s{number}": {"type": "message", "text": "{f}" * 5, "next": f"d{number}"}}
        return said | {f"d{number}": {"type": "delay", "seconds": 1, "next": f"s{number + 1}" if number < 99 else None}}

    flow = accepted("s0", **{name: block for number in range(100) for name, block in part(number).items()})
    played = play(flow, f="x" * 2_000)
    assert told(played)[-1] == ("system", "The transcript is full and ends here.")
    assert sum(len(text) for _, text in told(played)) < MAX_CHARACTERS + 11_000
    assert (played["state"], played["block"]) == ("waiting", "d19")


def test_no_further_input_is_taken_when_the_flow_has_worked_much() -> None:
    tests = [{"on": "field", "field": "f", "is": "one_of", "value": ["y"] * 100}] * 50
    asked = {"type": "question", "kind": "text", "text": "And?", "field": "f", "next": "a"}
    flow = accepted(a={"type": "condition", "cases": [{"if": {"any": tests}, "next": None}], "else": "b"}, b=asked)
    played = play(flow, *[{"text": "x"}] * 100)
    assert played["unused_inputs"] == 100 - MAX_WORK // 5_000 + 1


def test_human_is_asked_when_a_turn_says_too_much() -> None:
    said = told(play(talkative(MAX_SAYS, 1), {"text": "x"}))
    assert said == [("system", "Can't go on, so a human is asked: the bot says more than 100 messages in one turn.")]
    assert play(talkative(MAX_SAYS - 1, 1))["state"] == "waiting"


def test_others_can_come_in_between_when_each_turn_is_a_step() -> None:
    steps = simulate_in_steps(FLOW, [{"text": "Ann"}, {"text": "ann@example.org"}], fields={}, facts=KnownFacts())
    assert len(list(steps)) == 3
