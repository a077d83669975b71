"""Writing fields: who may, what wins, what is refused; and what messaging's bot collected, exactly once."""

from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from services.common.times import from_wire
from tests.service.contacts.conftest import ADMIN, ANN, BOT, SYSTEM, VISITOR, Call, Visitor
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def refusal(call: Call, method: str, **kwargs: Any) -> RemoteError:
    with pytest.raises(RemoteError) as refused:
        call(method, **kwargs)
    return refused.value


def test_agent_edits_the_personal_fields(visitor: Visitor, call: Call, collector: Collector, stack: Stack) -> None:
    contact = visitor(ip="193.99.144.80")
    changes = {"name": "  Zoë   Müller ", "email": "Zoe@Example.ORG", "phone": "030 123456", "blocked": True}
    updated = call("update_contact", contact_id=contact["id"], changes=changes, actor=ANN)

    assert (updated["name"], updated["name_source"]) == ("Zoë Müller", "agent")
    assert (updated["email"], updated["phone"], updated["blocked"]) == ("Zoe@example.org", "+4930123456", True)
    assert updated["version"] == 2
    event = collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"])
    assert event["data"] == updated
    provenance = stack.mongo("contacts")["contacts"].find_one({"_id": contact["id"]})["provenance"]  # type: ignore[index]
    assert {name: provenance[name]["id"] for name in ("name", "email", "phone", "blocked")} == dict.fromkeys(changes, "agent-ann")
    assert provenance["ip"]["kind"] == "system"


def test_nothing_is_written_when_nothing_changes(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    changes = {"name": "Ann", "email": "a@b.example"}
    first = call("update_contact", contact_id=contact["id"], changes=changes, actor=ANN)
    assert call("update_contact", contact_id=contact["id"], changes=changes, actor=ANN) == first
    assert call("update_contact", contact_id=contact["id"], changes={}, actor=ANN) == first


def test_email_and_phone_are_cleared_when_null(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    call("set_fields", contact_id=contact["id"], fields={"email": "a@b.example", "phone": "+4930123456"}, actor=BOT)
    cleared = call("update_contact", contact_id=contact["id"], changes={"email": None, "phone": None}, actor=ANN)
    assert (cleared["email"], cleared["phone"]) == (None, None)


@pytest.mark.parametrize("actor", [ANN, ADMIN])
@pytest.mark.parametrize(("method", "argument"), [("update_contact", "changes"), ("set_fields", "fields")])
def test_agent_is_refused_custom_fields(visitor: Visitor, call: Call, actor: dict[str, Any], method: str, argument: str) -> None:
    contact = visitor()
    error = refusal(call, method, contact_id=contact["id"], **{argument: {"name": "Zoe", "topic": "quote"}}, actor=actor)
    assert error.error_code == "FIELD_READ_ONLY"
    assert error.data == {"fields": ["topic"]}
    assert call("get_contact", contact_id=contact["id"]) == contact


@pytest.mark.parametrize("field", ["ip", "country", "since", "version", "fields", "name_source"])
def test_agent_is_refused_what_the_system_knows(visitor: Visitor, call: Call, field: str) -> None:
    contact = visitor()
    error = refusal(call, "update_contact", contact_id=contact["id"], changes={field: "x"}, actor=ANN)
    assert error.error_code == "FIELD_READ_ONLY"


@pytest.mark.parametrize("actor", [VISITOR, SYSTEM])
def test_others_are_forbidden_any_field(visitor: Visitor, call: Call, actor: dict[str, Any]) -> None:
    contact = visitor()
    assert refusal(call, "update_contact", contact_id=contact["id"], changes={"name": "X"}, actor=actor).error_code == "FORBIDDEN"
    assert refusal(call, "set_fields", contact_id=contact["id"], fields={"x": 1}, actor=actor).error_code == "FORBIDDEN"


def test_bot_is_refused_blocking(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    error = refusal(call, "update_contact", contact_id=contact["id"], changes={"blocked": True}, actor=BOT)
    assert error.error_code == "FIELD_READ_ONLY"


def test_bot_writes_custom_fields_and_clears_them(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    fields = {
        "topic": "quote",
        "Size": 12,
        "rate": 0.5,
        "vip": True,
        "due": "2026-03-31",
        "blocked": "of ice",
        "email": "z@Acme.test",
    }
    written = call("set_fields", contact_id=contact["id"], fields=fields, actor=BOT)

    custom = {name: value for name, value in fields.items() if name != "email"}
    assert (written["fields"], written["email"], written["blocked"]) == (custom, "z@acme.test", False)
    cleared = call("set_fields", contact_id=contact["id"], fields={"topic": None, "vip": 1}, actor=BOT)
    assert "topic" not in cleared["fields"]
    assert cleared["fields"]["vip"] == 1
    assert cleared["fields"]["vip"] is not True


def test_humans_name_stays_when_the_bot_writes_another(visitor: Visitor, call: Call, stack: Stack) -> None:
    contact = visitor()
    assert call("set_fields", contact_id=contact["id"], fields={"name": "Bo"}, actor=BOT)["name_source"] == "bot"
    assert call("update_contact", contact_id=contact["id"], changes={"name": "Bob"}, actor=ANN)["name_source"] == "agent"
    after = call("set_fields", contact_id=contact["id"], fields={"name": "Bobby", "topic": "x"}, actor=BOT)

    assert (after["name"], after["name_source"], after["fields"]) == ("Bob", "agent", {"topic": "x"})
    (ignored,) = call("list_ignored", contact_id=contact["id"])["items"]
    assert (ignored["field"], ignored["value"], ignored["reason"]) == ("name", "Bobby", "The name was given by the agent.")
    assert ignored["by"] == {"kind": "bot", "id": "token-1", "name": "Quote bot"}
    assert ignored["conversation_id"] is None


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"email": "not an address"}, "email"),
        ({"email": 5}, "email"),
        ({"phone": "12"}, "phone"),
        ({"phone": "030 123456"}, "phone"),
        ({"name": "  "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"1st": "x"}, "1st"),
        ({"a.b": "x"}, "a.b"),
        ({"$set": "x"}, "$set"),
        ({"topic": "x" * 2001}, "topic"),
        ({"topic": ["x"]}, "topic"),
        ({"topic": {"a": 1}}, "topic"),
        ({"topic": 2**60}, "topic"),
    ],
)
def test_nothing_changes_when_one_value_is_invalid(visitor: Visitor, call: Call, fields: dict[str, Any], wrong: str) -> None:
    contact = visitor()
    error = refusal(call, "set_fields", contact_id=contact["id"], fields={"good": 1} | fields, actor=BOT)
    assert error.error_code == "VALIDATION_FAILED"
    assert list(error.data["errors"]) == [wrong]
    assert call("get_contact", contact_id=contact["id"]) == contact


def test_contact_has_at_most_a_hundred_custom_fields(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    full = call("set_fields", contact_id=contact["id"], fields={f"f{n}": n for n in range(100)}, actor=BOT)
    assert len(full["fields"]) == 100
    assert refusal(call, "set_fields", contact_id=contact["id"], fields={"more": 1}, actor=BOT).error_code == "VALIDATION_FAILED"
    swapped = call("set_fields", contact_id=contact["id"], fields={"more": 1, "f0": None, "f1": 2}, actor=BOT)
    assert len(swapped["fields"]) == 100


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_contact", {}),
        ("list_ignored", {}),
        ("update_contact", {"changes": {"name": "X"}, "actor": ANN}),
        ("set_fields", {"fields": {"x": 1}, "actor": BOT}),
        ("list_notes", {}),
        ("list_tickets", {}),
        ("create_note", {"text": "x", "actor": ANN}),
        ("create_ticket", {"subject": "x", "actor": ANN}),
    ],
)
def test_contact_is_not_found_when_unknown(call: Call, method: str, arguments: dict[str, Any]) -> None:
    assert refusal(call, method, contact_id=new_id(), **arguments).error_code == "CONTACT_NOT_FOUND"


def collect(announcer: Announcer, contact_id: str, field: str, value: Any, *, version: int = 5, conversation: str = "conv-1", **options: Any) -> str:  # fmt: skip
    data = {"contact_id": contact_id, "conversation_id": conversation, "channel_id": "channel-1", "field": field, "value": value}
    entity = ("conversation", conversation, version)
    return announcer.publish("messaging", "field_collected", data, entity=entity, contact_id=contact_id, **options)


def test_collected_field_is_applied_once_when_delivered_twice(
    visitor: Visitor, call: Call, collector: Collector, announcer: Announcer, stack: Stack
) -> None:
    contact = visitor()
    event_id = collect(announcer, contact["id"], "email", "Zoe@Example.org", times=3)
    collect(announcer, contact["id"], "topic", "quote", version=6)
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"], count=2)
    # The next event is handled after the repeats, which then can't come any more.
    wait_until(lambda: not _waiting(stack), what="an empty event queue")

    after = call("get_contact", contact_id=contact["id"])
    assert (after["email"], after["fields"], after["version"]) == ("Zoe@example.org", {"topic": "quote"}, 3)
    updates = collector.found("contact_updated", lambda e: e["contact_id"] == contact["id"])
    assert [e["entity"]["version"] for e in updates] == [2, 3]
    stored = stack.mongo("contacts")["contacts"].find_one({"_id": contact["id"]})
    assert stored is not None
    assert event_id in stored["applied"]
    assert stored["provenance"]["email"]["kind"] == "bot"


def test_collected_field_keeps_its_later_value_when_events_overtake_each_other(
    visitor: Visitor, call: Call, collector: Collector, announcer: Announcer
) -> None:
    contact = visitor()
    collect(announcer, contact["id"], "topic", "later", version=9)
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"])
    collect(announcer, contact["id"], "topic", "earlier", version=7)
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"], count=2)
    assert call("get_contact", contact_id=contact["id"])["fields"] == {"topic": "later"}


def test_collected_field_yields_when_an_agent_wrote_after_it(
    visitor: Visitor, call: Call, collector: Collector, announcer: Announcer
) -> None:
    contact = visitor()
    call("update_contact", contact_id=contact["id"], changes={"email": "right@acme.test"}, actor=ANN)
    collect(announcer, contact["id"], "email", "old@acme.test", at=from_wire("2026-01-01T00:00:00Z"))
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"], count=2)
    assert call("get_contact", contact_id=contact["id"])["email"] == "right@acme.test"


def test_collected_value_is_recorded_and_nothing_stops_when_it_can_not_be_the_fields(
    visitor: Visitor, call: Call, collector: Collector, announcer: Announcer, stack: Stack
) -> None:
    contact = visitor()
    collect(announcer, contact["id"], "email", "none of your business")
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"])
    assert call("get_contact", contact_id=contact["id"])["email"] is None
    (ignored,) = call("list_ignored", contact_id=contact["id"])["items"]
    assert (ignored["field"], ignored["value"], ignored["conversation_id"]) == ("email", "none of your business", "conv-1")


def test_collected_field_is_applied_when_its_contact_comes_a_moment_later(
    visitor: Visitor, call: Call, collector: Collector, announcer: Announcer
) -> None:
    contact_id = new_id()
    collect(announcer, contact_id, "topic", "quote")
    visitor(contact_id=contact_id)
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact_id)
    assert call("get_contact", contact_id=contact_id)["fields"] == {"topic": "quote"}


def test_event_is_put_aside_when_it_makes_no_sense(announcer: Announcer, dead_letters: DeadLetters, call: Call) -> None:
    event_id = announcer.publish("messaging", "field_collected", {"field": "topic"}, entity=("conversation", "c", 1))

    def aside() -> bool:
        return any(event_id in body.decode() for _, body in dead_letters.take("contacts"))

    wait_until(aside, 15, what="the dead letter")


def _waiting(stack: Stack) -> int:
    from services.common.amqp import close_quietly, connect

    connection = connect(stack.broker.uri())
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare("events.contacts", passive=True).message_count)
    finally:
        close_quietly(connection)
