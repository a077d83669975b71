"""The history of a contact's values, as every kind of write leaves it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.contacts.domain import MAX_CLEARED, Collected, Writer, decide_collected, decide_write
from services.contacts.history import MAX_SHOWN, changes_between, newest_first, position_of
from services.contacts.profiles import Visit, decide_visit, new_contact
from tests.unit.contacts.documents import START, contact, moment


def wrote(document: dict[str, Any], kind: str, wanted: dict[str, Any], at: float = 1) -> list[dict[str, Any]]:
    changes = decide_write(document, wanted, Writer(kind, f"{kind}-1", kind.title()), moment(at), custom=kind == "bot")
    return changes_between(document, document | changes)


def briefly(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(entry["field"], entry["previous"], entry["value"], entry["by"]["kind"]) for entry in entries]


def test_first_visit_is_in_the_history_with_all_that_it_told() -> None:
    country = {"code": "DE", "name": "Germany"}
    visit = Visit(START, "193.99.144.80", country, None, "de-DE", "Europe/Berlin", "Firefox 128", "Linux")
    fresh = new_contact("contact-1", "channel-1", visit)
    entries = changes_between({}, fresh)
    assert {entry["field"]: entry["value"] for entry in entries} == {
        "name": fresh["name"],
        "ip": "193.99.144.80",
        "country": country,
        "locale": "de-DE",
        "time_zone": "Europe/Berlin",
        "browser": "Firefox 128",
        "platform": "Linux",
    }
    assert {entry["previous"] for entry in entries} == {None}
    assert {entry["at"] for entry in entries} == {START}
    assert {entry["by"]["kind"] for entry in entries} == {"system"}
    assert len({entry["id"] for entry in entries}) == len(entries)


def test_country_that_is_lost_with_the_address_is_in_the_history() -> None:
    document = contact(ip="193.99.144.80", country={"code": "DE", "name": "Germany"})
    changes = decide_visit(document, Visit(moment(5), ip="10.0.0.1"))
    assert briefly(changes_between(document, document | changes)) == [
        ("ip", "193.99.144.80", "10.0.0.1", "system"),
        ("country", {"code": "DE", "name": "Germany"}, None, "system"),
    ]


def test_each_value_says_what_it_was_and_who_set_it() -> None:
    document = contact(email="a@b.test", fields={"topic": "quote", "size": 1})
    entries = wrote(document, "bot", {"email": "c@d.test", "topic": None, "size": True, "vip": False})
    assert briefly(entries) == [
        ("email", "a@b.test", "c@d.test", "bot"),
        ("fields.topic", "quote", None, "bot"),
        ("fields.size", 1, True, "bot"),
        ("fields.vip", None, False, "bot"),
    ]
    assert entries[0]["by"] == {"kind": "bot", "id": "bot-1", "name": "Bot"}
    assert (entries[0]["at"], entries[0]["conversation_id"]) == (moment(1), None)


def test_agent_that_adopts_the_bots_name_is_in_the_history() -> None:
    document = contact(name="Ann", name_source="bot")
    assert briefly(wrote(document, "agent", {"name": "Ann", "blocked": True})) == [
        ("name", "Ann", "Ann", "agent"),
        ("blocked", False, True, "agent"),
    ]


def test_nothing_is_recorded_when_nothing_changes() -> None:
    document = contact(name="Ann", name_source="agent", fields={"topic": "x"})
    assert wrote(document, "agent", {"name": "Ann", "blocked": False}) == []
    assert wrote(document, "bot", {"name": "Bob", "topic": "x"}) == []  # the agent's name stays


def test_collected_value_names_its_conversation_and_is_recorded_once() -> None:
    document = contact()
    document |= (first := decide_collected(document, "topic", "quote", Collected("e1", "conv-1", 4, moment(4))))
    (entry,) = changes_between(contact(), contact() | first)
    assert (entry["field"], entry["conversation_id"], entry["at"]) == ("fields.topic", "conv-1", moment(4))
    again = decide_collected(document, "topic", "quote", Collected("e2", "conv-1", 5, moment(5)))
    assert changes_between(document, document | again) == []


def test_clearing_is_recorded_when_many_were_cleared_later() -> None:
    later = {f"f{n}": {"kind": "bot", "id": None, "name": None, "at": moment(100)} for n in range(MAX_CLEARED)}
    document = contact(fields={"old": 1}, provenance=contact()["provenance"] | {"custom": later})
    changes = decide_collected(document, "old", None, Collected("e", "c", 1, moment(1)))
    assert briefly(changes_between(document, document | changes)) == [("fields.old", 1, None, "bot")]


def test_long_values_are_cut() -> None:
    (entry,) = wrote(contact(fields={"topic": "y" * 2000}), "bot", {"topic": "x" * 2000})
    assert (entry["value"], entry["previous"]) == ("x" * MAX_SHOWN, "y" * MAX_SHOWN)


def test_document_of_an_earlier_version_has_a_history_from_its_next_change_on() -> None:
    document = contact()
    del document["time_zone"]
    changes = decide_visit(document, Visit(moment(5), time_zone="Asia/Tokyo"))
    assert briefly(changes_between(document, document | changes)) == [("time_zone", None, "Asia/Tokyo", "system")]


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 7))
def test_pages_of_the_history_hold_each_entry_once_and_the_newest_first(times: list[int], limit: int) -> None:
    entries = [{"id": f"{number:03d}", "at": moment(at)} for number, at in enumerate(times)]
    listed: list[dict[str, Any]] = []
    while page := newest_first(entries, position_of(listed[-1]) if listed else None, limit):
        listed += page
    assert [position_of(entry) for entry in listed] == sorted(map(position_of, entries), reverse=True)
