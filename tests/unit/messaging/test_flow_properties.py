"""What holds for every flow: generated ones, good and bad, played with generated inputs."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from services.common.validation import MAX_TEXT
from services.messaging.flows import engine
from services.messaging.flows.check import load_flow
from services.messaging.flows.engine import Play
from services.messaging.flows.facts import KnownFacts
from services.messaging.flows.simulate import simulate
from tests.unit.messaging.flow_strategies import Document, facts, flows, inputs, known, spoilt_flows

ASKING = {"question", "buttons"}
WAITING = ASKING | {"assign", "delay"}
quick = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def is_a_place(document: Document, place: str) -> bool:
    """Whether it leads to something in the document, or to something that is missing from it."""
    part: Any = document
    *outer, last = place.split(".")
    for step in outer:
        if isinstance(part, dict) and step in part:
            part = part[step]
        elif isinstance(part, list) and step.isdigit() and int(step) < len(part):
            part = part[int(step)]
        else:
            return False
    return isinstance(part, dict) or (isinstance(part, list) and last.isdigit() and int(last) < len(part))


@quick
@given(spoilt_flows() | flows())
def test_check_answers_with_problems_at_real_places_or_a_flow_whatever_it_is_given(flow: Document) -> None:
    before = deepcopy(flow)
    loaded, problems = load_flow(flow)
    assert flow == before
    assert (loaded == {}) == bool(problems)
    assert all(is_a_place(flow, place) and texts for place, texts in problems.items())
    if not problems:
        assert load_flow(loaded) == (loaded, {})
    event(f"accepted: {not problems}")


@quick
@given(flows())
def test_flow_is_accepted_when_it_is_made_to_be(flow: Document) -> None:
    problems = load_flow(flow)[1]
    assert {text for texts in problems.values() for text in texts} <= {"The conversation would end before the visitor can write."}
    event(f"accepted: {not problems}")


# What can be wrong with any block, whatever else is.
DEFECTS: dict[str, Callable[[Document], Document | None]] = {
    "type": lambda block: block | {"type": "dance"},
    "more": lambda block: block | {"more": 1},
    "text": lambda block: block | {"text": " "} if "text" in block else None,
    "next": lambda block: block | {"next": "nowhere"} if "next" in block else None,
    "else": lambda block: block | {"else": "nowhere"} if "else" in block else None,
    "seconds": lambda block: block | {"seconds": 0} if "seconds" in block else None,
    "retries": lambda block: block | {"retries": 0} if "retries" in block else None,
    "cases.0.if": lambda block: block | {"cases": [block["cases"][0] | {"if": 1}]} if "cases" in block else None,
    "options.0.value": lambda block: block | {"options": [{"label": "A", "value": ""}]} if "options" in block else None,
}


@quick
@given(st.data(), flows())
def test_every_problem_is_told_when_several_blocks_are_wrong(data: st.DataObject, flow: Document) -> None:
    expected = set()
    for name in data.draw(st.sets(st.sampled_from(sorted(flow["blocks"])), min_size=1)):
        defect = data.draw(st.sampled_from(sorted(DEFECTS)))
        spoilt = DEFECTS[defect](flow["blocks"][name])
        if spoilt is not None:
            flow["blocks"][name] = spoilt
            expected.add(f"blocks.{name}.{defect}")
    assert expected <= load_flow(flow)[1].keys()


@quick
@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3), min_size=1), st.data())
def test_ways_are_refused_when_they_lead_nowhere_or_round_or_are_missing(ways: dict[str, list[str]], data: st.DataObject) -> None:
    """Against a plain search: every way between blocks that don't wait, and every block without a way to it."""
    waits = data.draw(st.sets(st.sampled_from(sorted(ways))))
    start = data.draw(st.sampled_from(sorted(ways)))
    flow = {"start": start, "blocks": {name: _crossing(targets, waits=name in waits) for name, targets in ways.items()}}

    def leads(source: str, *, through: bool) -> set[str]:
        found: set[str] = set()
        ahead = [source]
        while ahead:
            name = ahead.pop()
            targets = ways.get(name, []) if through or name not in waits else []
            ahead.extend(target for target in targets if target not in found)
            found.update(targets)
        return found

    expected = set()
    for name, targets in ways.items():
        if name != start and name not in leads(start, through=True):
            expected.add(f"blocks.{name}")
        for number, target in enumerate(targets):
            round_ = name not in waits and (target == name or name in leads(target, through=False))
            if target not in ways or round_:
                expected.add(f"blocks.{name}.{'options' if name in waits else 'cases'}.{number}.next")
    assert load_flow(flow)[1].keys() == expected


def _crossing(targets: list[str], *, waits: bool) -> Document:
    if not targets:
        return {"type": "message", "text": "x", "next": None}
    if waits:
        options = [{"label": str(n), "value": str(n), "next": target} for n, target in enumerate(targets)]
        return {"type": "buttons", "text": "x", "options": options}
    test = {"on": "field", "field": "f", "is": "set"}
    return {"type": "condition", "cases": [{"if": test, "next": target} for target in targets], "else": None}


def check_play(flow: Document, play: Play) -> None:
    """What holds after every turn."""
    waiting = None if play.at is None else flow["blocks"][play.at]["type"]
    assert waiting is None or waiting in WAITING
    assert engine.expects_answer(flow, play.at) == (waiting in ASKING)
    assert (play.assignment is not None) == (waiting == "assign")
    assert (play.delay is not None) == (waiting == "delay")
    assert not (play.close and waiting)
    # At most once through every block: a step or two each, and the retry text.
    assert len(play.steps) <= 2 * len(flow["blocks"]) + 1
    assert all(said.text.strip() and len(said.text) <= MAX_TEXT for said in play.says)
    assert all(value is not None for value in play.fields.values())
    assert all(play.fields.get(name) == value for name, value in play.collected.items())
    limit = flow["blocks"][play.at].get("retries") if play.at is not None else None
    assert play.gave_up == (limit is not None and play.tries > limit)
    assert play.tries == 0 or waiting in ASKING


def rehearse(flow: Document, given_: list[Document], fields: Document, world: KnownFacts) -> tuple[list[Any], Play, int]:
    """Play by `enter`, `answer` and `resume` alone: what was said, the last turn, and the inputs that were left."""
    said: list[Any] = []

    def follow(play: Play) -> Play:
        for _ in range(len(flow["blocks"]) + 1):
            check_play(flow, play)
            said.extend(("bot", one.text, one.choices) for one in play.says)
            wanted = play.assignment
            if play.delay is not None and play.at is not None:
                play = engine.resume(flow, play.at, play.fields, facts=world)
            elif wanted is not None and wanted.unavailable != "wait" and not world.is_available(wanted.agents, wanted.team):
                play = engine.enter(flow, wanted.unavailable, play.fields, facts=world)
            else:
                return play
        raise AssertionError("the flow goes round by delays and desks")

    play = follow(engine.enter(flow, flow["start"], fields, facts=world))
    left = list(given_)
    while left and play.at is not None and engine.expects_answer(flow, play.at) and not play.gave_up:
        one = left.pop(0)
        said.append(("visitor", None, None))
        play = follow(
            engine.answer(flow, play.at, play.fields, one.get("text", ""), one.get("choice"), tries=play.tries, facts=world)
        )
    return said, play, len(left)


@quick
@given(flows() | spoilt_flows(), inputs, known, facts)
def test_accepted_flow_ends_or_waits_and_is_simulated_as_it_is_played(
    flow: Document, given_: list[Document], fields: Document, world: KnownFacts
) -> None:
    loaded, problems = load_flow(flow)
    if problems:
        event("refused")
        return
    said, play, left = rehearse(loaded, given_, fields, world)
    simulated = simulate(loaded, given_, fields=fields, facts=world)
    shown = [
        (line["author"], None if line["author"] == "visitor" else line["text"], line["choices"])
        for line in simulated["transcript"]
        if line["author"] != "system"
    ]
    assert shown == said
    assert (simulated["fields"], simulated["block"], simulated["unused_inputs"]) == (play.fields, play.at, left)
    event(simulated["state"])
    match simulated["state"]:
        case "waiting":
            assert engine.expects_answer(loaded, play.at)
            assert not play.gave_up
        case "assigned":
            assert play.assignment is not None or play.gave_up
        case "closed":
            assert play.close
        case state:
            assert (state, play.at) == ("ended", None)


@quick
@given(flows(), known, facts, st.text(max_size=20), st.integers(0, 30))
def test_any_block_can_be_entered_and_any_waiting_one_answered(
    flow: Document, fields: Document, world: KnownFacts, text: str, tries: int
) -> None:
    """A returned conversation or a lost desk enters a flow in its midst."""
    loaded, problems = load_flow(flow)
    if problems:
        return
    for name, block in loaded["blocks"].items():
        check_play(loaded, engine.enter(loaded, name, fields, facts=world))
        if block["type"] in ASKING:
            check_play(loaded, engine.answer(loaded, name, fields, text, tries=tries, facts=world))
        if block["type"] == "delay":
            check_play(loaded, engine.resume(loaded, name, fields, facts=world))
