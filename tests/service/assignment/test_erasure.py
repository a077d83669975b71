"""What is forgotten when a contact is erased: the remarks on its conversations, and nothing of how they were assigned."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.times import now, to_wire
from tests.service.assignment.office import CHANNEL, CONTACT, Office, conversations
from tests.support.events import Announcer
from tests.support.remains import find_remains
from tests.support.waiting import wait_until


def erase(announcer: Announcer, contact_id: str = CONTACT, *, times: int = 1) -> None:
    data = {"id": contact_id, "channel_id": CHANNEL, "at": to_wire(now())}
    entity = ("contact", contact_id, 7)
    announcer.publish("contacts", "contact_erased", data, entity=entity, contact_id=contact_id, times=times)


def wait_forgotten(office: Office, mark: str) -> None:
    wait_until(lambda: office.database.erased.find_one({"_id": CONTACT}), what="the erasure")
    wait_until(lambda: not find_remains(office.database, mark), what="a database without the remarks")


def test_remarks_and_names_are_gone_and_decisions_stay_when_the_contact_is_erased(office: Office, announcer: Announcer) -> None:
    mark = f"mark{new_id()}"
    office.hire("ann", "bob")
    first, second, waiting = conversations(3)
    for conversation in (first, second):
        office.assign(conversation, "ann", remark=f"{mark} wants Bob.")
        office.assign(conversation, "bob", remark=mark)
    office.unassign(second, remark=mark)
    office.request(waiting, agents=["nobody"], requested_by={"kind": "visitor", "id": CONTACT, "name": mark})
    office.wait_state(waiting, "queued")
    office.database.decisions.update_many(
        {"conversation_id": waiting}, {"$set": {"actor": {"kind": "visitor", "id": CONTACT, "name": mark}}}
    )
    before = office.history(first)
    assert len(find_remains(office.database, mark)) >= 7

    erase(announcer, times=2)
    wait_forgotten(office, mark)

    assert office.history(first) == [decision | {"remark": None} for decision in before]
    assert [decision["action"] for decision in office.history(second)] == ["unassigned", "assigned", "assigned"]
    assert (office.get(first) or {})["assignee"] == {"id": "bob", "name": "Bob"}
    assert office.load("bob") == 1
    assert office.line() == [waiting]


def test_other_contacts_remarks_stay_when_one_is_erased(office: Office, announcer: Announcer) -> None:
    office.hire("ann")
    (conversation,) = conversations(1)
    office.assign(conversation, "ann", remark="She asked for Ann.")
    erase(announcer, other := new_id())
    wait_until(lambda: office.database.erased.find_one({"_id": other}), what="the erasure")
    assert [decision["remark"] for decision in office.history(conversation)] == ["She asked for Ann."]


def test_no_remark_is_kept_when_hands_make_them_while_and_after_the_contact_is_erased(
    office: Office, announcer: Announcer
) -> None:
    mark = f"mark{new_id()}"
    office.hire("ann", "bob")
    wanted = conversations(3)

    def move(number: int) -> None:
        with suppress(DomainError):
            office.assign(wanted[number % 3], ("ann", "bob")[number % 2], remark=f"{mark} {number}")

    with ThreadPoolExecutor(4) as pool:
        moving = [pool.submit(move, number) for number in range(8)]
        erase(announcer)
        moving += [pool.submit(move, number) for number in range(8, 16)]
        for one in moving:
            one.result()
    wait_forgotten(office, mark)
    (fresh,) = conversations(1)
    office.assign(fresh, "ann", remark=mark)
    assert [decision["remark"] for decision in office.history(fresh)] == [None]
    assert find_remains(office.database, mark) == []


def test_what_is_yet_to_be_told_is_forgotten_too(office: Office, announcer: Announcer) -> None:
    mark = f"mark{new_id()}"
    office.hire("ann")
    (conversation,) = conversations(1)
    office.assign(conversation, "ann")

    def entry(decision: dict[str, Any] | None) -> dict[str, Any]:
        # Of the future, so that no relay sends it meanwhile.
        return {"id": new_id(), "at": now().replace(year=2100), "type": "assignment_changed", "data": {"decision": decision}}

    by_visitor = {"remark": None, "actor": {"kind": "visitor", "id": CONTACT, "name": mark}}
    by_agent = {"remark": mark, "actor": {"kind": "agent", "id": "ann", "name": "Ann"}}
    unsent = [entry(by_visitor), entry(None), entry(by_agent)]
    wait_until(lambda: office.database.assignments.find_one({"_id": conversation, "outbox": []}), what="a sent event")
    office.database.assignments.update_one({"_id": conversation}, {"$set": {"outbox": unsent}})

    erase(announcer)
    wait_forgotten(office, mark)

    found = office.database.assignments.find_one_and_update({"_id": conversation}, {"$set": {"outbox": []}})
    assert found is not None
    told = [one["data"]["decision"] for one in found["outbox"]]
    assert told == [by_visitor | {"actor": by_visitor["actor"] | {"name": None}}, None, by_agent | {"remark": None}]  # type: ignore[operator]
