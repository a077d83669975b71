"""What becomes of a flow's templates, set blocks and tickets."""

from typing import Any

import pytest

from services.common.validation import MAX_TEXT
from services.messaging.flows import engine
from services.messaging.flows.facts import KnownFacts
from services.messaging.flows.templates import fill
from tests.unit.messaging.flows import accepted


@pytest.mark.parametrize(
    ("text", "fields", "filled"),
    [
        ("Hi {name}!", {"name": "Ann"}, "Hi Ann!"),
        ("Hi {name}!", {}, "Hi!"),
        ("Hi {name}!", {"name": " "}, "Hi!"),
        ("And your e-mail, {name}?", {}, "And your e-mail?"),
        ("{a}{b}", {"a": 1, "b": True}, "1True"),
        ("{n} of {zero}", {"n": 1.5, "zero": 0}, "1.5 of 0"),
        ("{not a field} {name", {"name": "x"}, "{not a field} {name"),
        ("Hi {name|there}!", {}, "Hi there!"),
        ("Hi {name|there}!", {"name": ""}, "Hi there!"),
        ("Hi {name|there}!", {"name": "Ann"}, "Hi Ann!"),
        ("Hi {name|}!", {}, "Hi !"),
        ("{a|b|c} {1|x} {a|{b}}", {}, "b|c {1|x} {a|}"),
        ("{a}", {"a": "{b}", "b": "x"}, "{b}"),
    ],
)
def test_placeholders_are_filled_or_left_out_when_a_text_is_said(text: str, fields: dict[str, Any], filled: str) -> None:
    assert fill(text, fields) == filled


def test_text_is_cut_when_its_values_make_it_longer_than_a_message() -> None:
    assert len(fill("{a}" * 100, {"a": "x" * 2_000})) == MAX_TEXT


def test_no_more_is_put_together_than_a_message_has() -> None:
    asked: list[str] = []

    class Watched(dict[str, Any]):
        """Fields that notice which of them are asked for."""

        def get(self, name: str, default: Any = None) -> Any:
            asked.append(name)
            return super().get(name, default)

    assert fill("{a}" * 600, Watched(a="x" * 2_000)) == "x" * MAX_TEXT
    assert len(asked) <= MAX_TEXT // 2_000 + 1
    assert fill("{a} {b}", {"a": "x" * MAX_TEXT}) == "x" * MAX_TEXT


def set_field(field: str, value: Any, /, **fields: Any) -> engine.Play:
    return engine.enter(
        accepted(a={"type": "set", "field": field, "value": value, "next": None}), "a", fields, facts=KnownFacts()
    )


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("plan", "gold", "gold"),
        ("plan", " {tier|basic} plan ", "basic plan"),
        ("count", 3, 3),
        ("vip", False, False),
        ("name", " {first} \n Lee", "Ann Lee"),
        ("email", "{first}@Example.ORG", "Ann@example.org"),
        ("phone", "+44 20 7946 0018", "+442079460018"),
    ],
)
def test_field_is_set_when_the_value_can_be_its(field: str, value: Any, kept: Any) -> None:
    play = set_field(field, value, first="Ann")
    assert play.collected == {field: kept}
    assert play.fields == {"first": "Ann", field: kept}


@pytest.mark.parametrize(("field", "value"), [("plan", None), ("plan", "{other}"), ("phone", None)])
def test_field_is_cleared_when_it_is_set_to_nothing(field: str, value: Any) -> None:
    play = set_field(field, value, **{field: "old", "kept": 1})
    assert play.collected == {field: None}
    assert play.fields == {"kept": 1}


@pytest.mark.parametrize(("field", "value"), [("name", "{other}"), ("name", "..."), ("email", "{name}"), ("phone", "12")])
def test_personal_field_stays_as_it_is_when_the_value_can_not_be_its(field: str, value: Any) -> None:
    play = set_field(field, value, name="Ann", email="ann@example.org", phone="+442079460018")
    assert play.collected == {}
    assert play.fields == {"name": "Ann", "email": "ann@example.org", "phone": "+442079460018"}


@pytest.mark.parametrize(("field", "value"), [("name", None), ("name", 5), ("phone", 442079460018), ("email", True)])
def test_personal_field_stays_as_it_is_when_an_unchecked_flow_sets_what_it_can_not_be(field: str, value: Any) -> None:
    block = {"type": "set", "field": field, "value": value, "next": None}
    play = engine.enter({"blocks": {"a": block}}, "a", {"name": "Ann"}, facts=KnownFacts())
    assert (play.collected, play.fields) == ({}, {"name": "Ann"})


def test_value_is_cut_when_its_fields_make_it_longer_than_a_value_may_be() -> None:
    assert set_field("all", "{a}{a}", a="x" * 1_500).collected == {"all": "x" * 2_000}


def open_ticket(subject: str, description: str | None, /, **fields: Any) -> list[engine.TicketWanted]:
    block = {"type": "ticket", "subject": subject, "description": description, "next": None}
    return engine.enter(accepted(a=block), "a", fields, facts=KnownFacts()).tickets


def test_ticket_is_wanted_with_its_texts_filled_in() -> None:
    assert open_ticket("About {topic|something}", "{name} asks.", topic="a\n refund") == [
        engine.TicketWanted("About a refund", "asks.")
    ]
    assert open_ticket("About {topic|something}", None) == [engine.TicketWanted("About something", None)]
    assert open_ticket("{topic}", "{topic}") == [engine.TicketWanted(engine.NO_SUBJECT, None)]
    (long,) = open_ticket("{topic}", "{topic}", topic="x" * 2_000)
    assert (len(long.subject), len(long.description or "")) == (200, 2_000)
