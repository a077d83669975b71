"""Visitors whom messaging met elsewhere than on a website."""

from typing import Any

from services.common.ids import new_id
from services.common.times import from_wire
from tests.service.contacts.conftest import ANN, BOT, Call, Visitor
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.stack import Stack
from tests.support.waiting import wait_until

FIRST, SECOND, THIRD = "2026-03-01T12:00:00.000Z", "2026-03-01T12:00:05.000Z", "2026-03-01T12:00:09.000Z"


def meet(announcer: Announcer, contact_id: str, at: str, *, channel: str = "page-1", times: int = 1, **told: Any) -> str:
    nothing = {"name": None, "locale": None, "time_zone": None}
    data = {"contact_id": contact_id, "channel_id": channel, "at": at} | nothing | told
    entity = ("visitor", contact_id, 1)
    return announcer.publish("messaging", "visitor_met", data, entity=entity, contact_id=contact_id, times=times)


def known(stack: Stack, contact_id: str, **parts: Any) -> dict[str, Any]:
    """The contact's document once it is so."""
    contacts = stack.mongo("contacts")["contacts"]
    return wait_until(lambda: contacts.find_one({"_id": contact_id} | parts), what=f"{contact_id} with {parts}") or {}


def test_profile_is_made_and_then_named_when_a_visitor_writes_first(
    call: Call, announcer: Announcer, collector: Collector, stack: Stack
) -> None:
    contact_id = new_id()
    meet(announcer, contact_id, FIRST, times=2)
    made = collector.wait_for("contact_created", lambda e: e["contact_id"] == contact_id)["data"]
    assert (made["name_source"], made["channel_id"], made["ip"], made["url"], made["country"]) == (
        "generated",
        "page-1",
        None,
        None,
        None,
    )
    assert (made["since"], made["last_seen_at"]) == (FIRST, FIRST)

    meet(announcer, contact_id, SECOND, times=2, name="Zoe Müller", locale="de_DE", time_zone="Europe/Berlin")
    known(stack, contact_id, name_source="channel")
    meet(announcer, contact_id, THIRD, locale="fr_FR", time_zone=-7)
    known(stack, contact_id, locale="fr-FR")
    meet(announcer, contact_id, FIRST, name="Old name", locale="de_DE")
    meet(announcer, contact_id, THIRD, times=2)
    last = new_id()
    meet(announcer, last, FIRST)
    known(stack, last)

    contact = call("get_contact", contact_id=contact_id)
    assert (contact["name"], contact["locale"], contact["time_zone"]) == ("Zoe Müller", "fr-FR", "Europe/Berlin")
    assert (contact["last_seen_at"], contact["version"]) == (THIRD, 3)
    assert call("list_contacts", channel_id="page-1", q="zoe mül")["items"][0] == contact
    name = next(entry for entry in call("list_history", contact_id=contact_id)["items"] if entry["value"] == "Zoe Müller")
    assert (name["by"]["kind"], name["previous"], name["at"]) == ("channel", made["name"], SECOND)


def test_profile_is_the_same_when_the_name_comes_before_the_meeting(call: Call, announcer: Announcer, stack: Stack) -> None:
    contact_id = new_id()
    meet(announcer, contact_id, SECOND, name="Zoe", locale="de_DE")
    known(stack, contact_id)
    meet(announcer, contact_id, FIRST)
    meet(announcer, contact_id, THIRD)
    known(stack, contact_id, last_seen_at=from_wire(THIRD))
    contact = call("get_contact", contact_id=contact_id)
    assert (contact["name"], contact["name_source"], contact["locale"], contact["version"]) == ("Zoe", "channel", "de-DE", 2)


def test_better_name_stays_and_nothing_is_written_when_the_channel_tells_its_own(
    call: Call, announcer: Announcer, stack: Stack
) -> None:
    contact_id = new_id()
    meet(announcer, contact_id, FIRST)
    known(stack, contact_id)
    for actor, method, argument in ((BOT, "set_fields", "fields"), (ANN, "update_contact", "changes")):
        renamed = call(method, contact_id=contact_id, **{argument: {"name": f"By {actor['name']}"}}, actor=actor)
        meet(announcer, contact_id, FIRST, name="Zoe", times=2)
        last = new_id()
        meet(announcer, last, FIRST)
        known(stack, last)
        assert call("get_contact", contact_id=contact_id) == renamed


def test_event_is_put_aside_when_the_contact_is_another_channels(
    visitor: Visitor, call: Call, announcer: Announcer, dead_letters: DeadLetters
) -> None:
    contact = visitor()
    event_id = meet(announcer, contact["id"], THIRD, channel="page-2", name="Zoe")
    wait_until(lambda: any(event_id in body.decode() for _, body in dead_letters.take("contacts")), 15, what="the dead letter")
    assert call("get_contact", contact_id=contact["id"]) == contact
