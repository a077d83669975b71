"""Signed-in users: whose contact is whose, and what is taken of what the website tells of them."""

from typing import Any

import pytest

from services.contacts.domain import Collected, Writer, decide_collected, decide_write
from services.contacts.history import changes_between
from services.contacts.identity import decide_identity, may_be
from tests.unit.contacts.documents import contact, moment

NOBODYS: dict[str, Any] = {"name": None, "email": None, "phone": None}
MIA: dict[str, Any] = {"id": "u-1", "name": "Mia Lund", "email": "mia@acme.test", "phone": "+4930123456"}


def told(document: dict[str, Any], at: float = 1, **user: Any) -> dict[str, Any]:
    return document | decide_identity(document, NOBODYS | {"id": "u-1"} | user, moment(at))


def wrote(document: dict[str, Any], kind: str, at: float = 2, **wanted: Any) -> dict[str, Any]:
    return document | decide_write(document, wanted, Writer(kind, f"{kind}-1"), moment(at), custom=False)


def collected(document: dict[str, Any], name: str, value: str, at: float) -> dict[str, Any]:
    return document | decide_collected(document, name, value, Collected(f"{name}-{at}", "conv", 4, moment(at)))


@pytest.mark.parametrize(
    ("kept", "comes", "may"),
    [(None, None, True), (None, "u-1", True), ("u-1", "u-1", True), ("u-1", None, False), ("u-1", "u-2", False)],
)
def test_contact_is_one_user_or_nobody_known(kept: str | None, comes: str | None, *, may: bool) -> None:
    assert may_be(contact(external_id=kept), comes) is may


def test_contact_of_an_earlier_version_is_nobody_known() -> None:
    document = contact()
    del document["external_id"]
    assert may_be(document, None)
    assert told(document)["external_id"] == "u-1"


def test_user_is_taken_over_with_what_is_told_and_signed_by_the_channel() -> None:
    before = contact()
    document = told(before, **MIA)
    assert {part: document[part] for part in ("external_id", "name", "name_source", "email", "phone")} == {
        "external_id": "u-1",
        "name": "Mia Lund",
        "name_source": "channel",
        "email": "mia@acme.test",
        "phone": "+4930123456",
    }
    entries = changes_between(before, document)
    assert {entry["field"] for entry in entries} == {"external_id", "name", "email", "phone"}
    assert {tuple(entry["by"].items()) for entry in entries} == {(("kind", "channel"), ("id", None), ("name", None))}
    assert {entry["at"] for entry in entries} == {moment(1)}


def test_nothing_changes_when_the_same_is_told_again() -> None:
    document = told(contact(), **MIA)
    assert decide_identity(document, MIA, moment(9)) == {}


@pytest.mark.parametrize("value", [None, "", "  "])
def test_nothing_is_cleared_by_what_is_not_told(value: str | None) -> None:
    document = told(contact(), **MIA)
    assert decide_identity(document, MIA | dict.fromkeys(("name", "email", "phone"), value), moment(9)) == {}


def test_value_counts_as_the_bots_and_the_later_one_stays() -> None:
    document = wrote(contact(), "bot", name="Mia", email="mia@home.test")
    document = told(document, 3, **MIA)
    assert (document["name"], document["email"]) == ("Mia Lund", "mia@acme.test")
    document = collected(document, "name", "Maria", 2)
    assert document["name"] == "Mia Lund"
    document = collected(document, "name", "Maria", 4)
    assert (document["name"], document["name_source"]) == ("Maria", "bot")


def test_what_the_bot_collected_stays_when_the_website_tells_the_same_as_before() -> None:
    document = collected(told(contact(), **MIA), "email", "mia@home.test", 2)
    assert told(document, 3, **MIA)["email"] == "mia@home.test"
    assert told(document, 3, email="mia@new.test")["email"] == "mia@new.test"


def test_agents_values_stay_and_what_was_told_is_recorded_once() -> None:
    document = wrote(contact(), "agent", name="Mia L.", email="right@acme.test", phone=None)
    document = wrote(document, "agent", phone="+4930999999")
    for at in (3, 4, 5):
        document = told(document, at, **MIA)
    assert (document["name"], document["email"], document["phone"]) == ("Mia L.", "right@acme.test", "+4930999999")
    assert [(record["field"], record["reason"]) for record in document["ignored"]] == [
        ("name", "The name was given by the agent."),
        ("email", "The email was given by the agent."),
        ("phone", "The phone was given by the agent."),
    ]
    assert document["external_id"] == "u-1"


def test_value_that_an_agent_cleared_stays_so() -> None:
    document = wrote(told(contact(), **MIA), "agent", email=None)
    assert told(document, 3, email="mia@other.test")["email"] is None


def test_user_is_taken_over_when_what_is_told_with_it_is_nonsense() -> None:
    document = told(contact(), email="n/a", phone="none", name="a\x00b")
    assert (document["external_id"], document["email"], document["name_source"]) == ("u-1", None, "generated")
    assert [record["field"] for record in document["ignored"]] == ["name", "email", "phone"]
    again = told(document, 2, email="n/a", phone="none", name="a\x00b")
    assert len(again["ignored"]) == 3
