from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.common.envelope import Event, NewEvent
from services.common.ids import derived_id, fingerprint, new_id
from services.common.outbox import to_message
from services.common.settings import InvalidSetting, Settings
from services.common.times import from_wire, now, to_wire
from services.common.validation import flatten
from services.common.wire import Undecodable, decode_object


def test_ids_sort_by_time_when_they_are_made_one_after_another() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(set(made))


def test_derived_id_differs_when_any_part_does() -> None:
    assert derived_id("a", "b") == derived_id("a", "b")
    assert len({derived_id("a", "b"), derived_id("a", "c"), derived_id("ab"), derived_id("a", None), derived_id("a")}) == 5


def test_fingerprints_differ_when_arguments_do() -> None:
    assert fingerprint({"a": 1, "b": "x"}) == fingerprint({"b": "x", "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_time_survives_the_wire_to_the_millisecond() -> None:
    moment = now()
    assert from_wire(to_wire(moment)) == moment
    elsewhere = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=1)))
    assert to_wire(elsewhere) == "2026-01-01T00:00:00.000Z"
    with pytest.raises(ValueError, match="offset"):
        from_wire("2026-01-01T00:00:00")


def test_event_survives_the_wire() -> None:
    entry = NewEvent("contact_created", "contact", {"x": 1}, contact_id="c").entry("c", 3)
    message = to_message("contacts", entry)
    event = Event.decode(message.body)
    assert (message.exchange, message.routing_key) == ("contacts.events", "contact_created")
    assert (event.id, event.source, event.kind, event.entity_id, event.version) == (entry["id"], "contacts", "contact", "c", 3)
    assert event.at == entry["at"]
    assert event.at.tzinfo is UTC


@pytest.mark.parametrize("body", [b"", b"\xff", b"5", b'"x"', b"[]"])
def test_body_is_undecodable_when_it_is_no_object(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode_object(body)


@pytest.mark.parametrize(
    ("name", "value"),
    [("FOYER_RPC_TIMEOUT", "soon"), ("FOYER_RPC_TIMEOUT", "0"), ("FOYER_METRICS_PORT", "70000"), ("FOYER_LOG_LEVEL", "LOUD")],
)
def test_setting_is_refused_by_name_when_it_is_unusable(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        Settings.read({name: value})


def test_nested_errors_are_named_by_their_path() -> None:
    assert flatten({"a": {"b": ["x"], "_schema": ["y"]}, "c": {0: {"d": ["z"]}}}) == {"a.b": ["x"], "a": ["y"], "c.0.d": ["z"]}
