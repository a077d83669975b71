"""Tickets: tracked requests of a contact."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from tests.service.contacts.conftest import ANN, BEN, BOT, SYSTEM, VISITOR, Call, Visitor
from tests.support.events import Announcer, Collector
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def refused_code(call: Call, method: str, **kwargs: Any) -> str:
    with pytest.raises(RemoteError) as refused:
        call(method, **kwargs)
    return refused.value.error_code


@pytest.mark.parametrize("actor", [ANN, BOT])
def test_ticket_is_opened_and_announced(visitor: Visitor, call: Call, collector: Collector, actor: dict[str, Any]) -> None:
    contact = visitor()
    conversation_id = new_id()
    ticket = call(
        "create_ticket",
        contact_id=contact["id"],
        subject="Refund",
        description="42 €",
        conversation_id=conversation_id,
        actor=actor,
    )

    assert ticket["author"] == {part: actor[part] for part in ("kind", "id", "name")}
    assert (ticket["status"], ticket["conversation_id"], ticket["version"]) == ("open", conversation_id, 1)
    assert (ticket["channel_id"], ticket["assignee"], ticket["comment_count"]) == ("channel-1", None, 0)
    assert call("get_ticket", ticket_id=ticket["id"]) == ticket
    assert collector.wait_for("ticket_created", lambda e: e["entity"]["id"] == ticket["id"])["data"] == ticket
    assert call("list_tickets", contact_id=contact["id"])["items"] == [ticket]


def test_ticket_changes_are_announced_when_another_agent_solves_it(visitor: Visitor, call: Call, collector: Collector) -> None:
    contact = visitor()
    ticket = call("create_ticket", contact_id=contact["id"], subject="Refund", actor=ANN)
    changes = {"status": "solved", "description": "Paid back."}
    solved = call("update_ticket", ticket_id=ticket["id"], changes=changes, actor=BEN)

    assert solved == ticket | changes | {"version": 2, "updated_at": solved["updated_at"]}
    assert collector.wait_for("ticket_updated", lambda e: e["entity"]["id"] == ticket["id"])["data"] == solved
    assert call("update_ticket", ticket_id=ticket["id"], changes=changes, actor=BEN) == solved
    assert call("list_tickets", contact_id=contact["id"], status="solved")["items"] == [solved]
    assert call("list_tickets", contact_id=contact["id"], status="open")["items"] == []


def test_ticket_is_opened_once_when_the_call_is_repeated(visitor: Visitor, call: Call) -> None:
    arguments = {"contact_id": visitor()["id"], "subject": "Refund", "actor": ANN, "idempotency_key": new_id()}
    ticket = call("create_ticket", **arguments)
    assert call("create_ticket", **arguments) == ticket
    assert refused_code(call, "create_ticket", **(arguments | {"subject": "Other"})) == "IDEMPOTENCY_KEY_REUSED"
    assert len(call("list_tickets", contact_id=arguments["contact_id"])["items"]) == 1


def test_repeat_is_found_by_the_agents_id_alone(visitor: Visitor, call: Call) -> None:
    agent_id = new_id()
    first = {"contact_id": visitor()["id"], "subject": "Refund", "actor": ANN, "idempotency_key": new_id()}
    again = first | {"assignee_id": agent_id}
    assert call("find_repeated_ticket", **again) == {"ticket": None}
    ticket = call("create_ticket", **first, assignee={"id": agent_id, "name": "Ben"})
    assert call("find_repeated_ticket", **again) == {"ticket": ticket}
    for other in ({"subject": "Other"}, {"assignee_id": new_id()}):
        assert refused_code(call, "find_repeated_ticket", **(again | other)) == "IDEMPOTENCY_KEY_REUSED"
    assert call("find_repeated_ticket", **(again | {"actor": BEN})) == {"ticket": None}
    assert refused_code(call, "find_repeated_ticket", **(again | {"actor": VISITOR})) == "FORBIDDEN"
    assert refused_code(call, "find_repeated_ticket", **(again | {"contact_id": new_id()})) == "CONTACT_NOT_FOUND"


def test_ticket_is_forbidden_to_others(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    ticket = call("create_ticket", contact_id=contact["id"], subject="x", actor=ANN)
    for actor in (VISITOR, SYSTEM):
        assert refused_code(call, "create_ticket", contact_id=contact["id"], subject="x", actor=actor) == "FORBIDDEN"
        assert refused_code(call, "update_ticket", ticket_id=ticket["id"], changes={}, actor=actor) == "FORBIDDEN"


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_ticket", {}),
        ("update_ticket", {"changes": {"status": "open"}, "actor": ANN}),
        ("create_comment", {"text": "x", "actor": ANN}),
        ("list_comments", {}),
    ],
)
def test_ticket_is_not_found_when_unknown(call: Call, method: str, arguments: dict[str, Any]) -> None:
    assert refused_code(call, method, ticket_id=new_id(), **arguments) == "TICKET_NOT_FOUND"


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "closed"},
        {"subject": ""},
        {"subject": "x" * 201},
        {"author": "x"},
        {"status": None},
        {"assignee": "agent-ben"},
        {"assignee": {"id": "agent-ben"}},
        {"assignee": {"id": "a b", "name": "Ben"}},
        {"comment_count": 5},
    ],
)
def test_nothing_changes_when_a_tickets_values_are_wrong(visitor: Visitor, call: Call, changes: dict[str, Any]) -> None:
    contact = visitor()
    ticket = call("create_ticket", contact_id=contact["id"], subject="x", actor=ANN)
    assert refused_code(call, "update_ticket", ticket_id=ticket["id"], changes=changes, actor=ANN) == "VALIDATION_FAILED"
    assert call("list_tickets", contact_id=contact["id"])["items"] == [ticket]


def test_tickets_are_listed_newest_first_a_page_at_a_time(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    made = [call("create_ticket", contact_id=contact["id"], subject=str(n), actor=BOT)["id"] for n in range(4)]
    for status in (None, "open"):
        first = call("list_tickets", contact_id=contact["id"], status=status, limit=3)
        second = call("list_tickets", contact_id=contact["id"], status=status, limit=3, cursor=first["next_cursor"])
        assert len(first["items"]) == 3
        assert {ticket["id"] for ticket in first["items"] + second["items"]} == set(made)


def test_ticket_is_given_to_an_agent_and_taken_away(visitor: Visitor, call: Call, collector: Collector) -> None:
    ben, cy = {"id": new_id(), "name": "Ben"}, {"id": new_id(), "name": "Cy"}
    ticket = call("create_ticket", contact_id=visitor()["id"], subject="x", assignee=ben, actor=BOT)
    assert ticket["assignee"] == ben
    given = call("update_ticket", ticket_id=ticket["id"], changes={"assignee": cy}, actor=ANN)
    assert (given["assignee"], given["version"]) == (cy, 2)
    assert collector.wait_for("ticket_updated", lambda e: e["entity"]["id"] == ticket["id"])["data"] == given
    assert call("list_tickets", assignee_id=cy["id"])["items"] == [given]
    assert call("list_tickets", assignee_id=ben["id"])["items"] == []
    assert call("update_ticket", ticket_id=ticket["id"], changes={"assignee": None}, actor=ANN)["assignee"] is None


def test_tickets_of_all_contacts_are_listed_by_what_is_asked_for(visitor: Visitor, call: Call) -> None:
    here, there = new_id(), new_id()
    ben = {"id": new_id(), "name": "Ben"}
    first, second, other = visitor(channel_id=here), visitor(channel_id=here), visitor(channel_id=there)

    def opened(contact: dict[str, Any], **more: Any) -> str:
        return str(call("create_ticket", contact_id=contact["id"], subject="x", actor=ANN, **more)["id"])

    a, b, c = opened(first), opened(first, assignee=ben), opened(second, assignee=ben)
    d = opened(other, assignee=ben)
    call("update_ticket", ticket_id=b, changes={"status": "solved"}, actor=ANN)

    def listed(**conditions: Any) -> list[str]:
        return [ticket["id"] for ticket in call("list_tickets", **conditions, limit=100)["items"]]

    assert listed(channel_id=here) == [c, b, a]
    assert listed(channel_id=here, status="open") == [c, a]
    assert listed(channel_id=here, assignee_id="none") == [a]
    assert listed(channel_id=here, assignee_id=ben["id"], status="solved") == [b]
    assert listed(assignee_id=ben["id"]) == [d, c, b]
    assert listed(assignee_id=ben["id"], status="open") == [d, c]
    assert listed(contact_id=first["id"], assignee_id="none") == [a]
    assert listed()[:4] == [d, c, b, a]
    assert listed(status="solved")[0] == b
    assert refused_code(call, "list_tickets", contact_id=new_id()) == "CONTACT_NOT_FOUND"
    assert refused_code(call, "list_tickets", status="none") == "VALIDATION_FAILED"


def test_comment_is_kept_counted_and_announced(visitor: Visitor, call: Call, collector: Collector) -> None:
    contact = visitor()
    ticket = call("create_ticket", contact_id=contact["id"], subject="x", actor=ANN)
    comment = call("create_comment", ticket_id=ticket["id"], text=" Called back. ", actor=BEN)

    assert comment.keys() == {"id", "ticket_id", "text", "author", "created_at"}
    assert (comment["text"], comment["ticket_id"]) == ("Called back.", ticket["id"])
    assert comment["author"] == {"kind": "agent", "id": "agent-ben", "name": "Ben"}
    told = collector.wait_for("comment_created", lambda e: e["entity"]["id"] == comment["id"])
    assert told["data"] == comment | {"contact_id": contact["id"]}
    assert (told["entity"]["kind"], told["entity"]["version"], told["contact_id"]) == ("comment", 2, contact["id"])
    counted = collector.wait_for("ticket_updated", lambda e: e["entity"]["id"] == ticket["id"])["data"]
    assert (counted["comment_count"], counted["version"], counted["updated_at"]) == (1, 2, comment["created_at"])
    assert call("get_ticket", ticket_id=ticket["id"]) == counted


def test_comments_are_counted_and_listed_oldest_first_when_many_are_written_at_once(visitor: Visitor, call: Call) -> None:
    ticket = call("create_ticket", contact_id=visitor()["id"], subject="x", actor=ANN)

    def comment(number: int) -> str:
        return str(call("create_comment", ticket_id=ticket["id"], text=str(number), actor=BOT)["id"])

    with ThreadPoolExecutor(5) as pool:
        written = set(pool.map(comment, range(10)))
    first = call("list_comments", ticket_id=ticket["id"], limit=6)
    second = call("list_comments", ticket_id=ticket["id"], limit=6, cursor=first["next_cursor"])
    listed = first["items"] + second["items"]
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (6, 4, None)
    assert {one["id"] for one in listed} == written
    assert [one["created_at"] for one in listed] == sorted(one["created_at"] for one in listed)
    after = call("get_ticket", ticket_id=ticket["id"])
    assert (after["comment_count"], after["version"]) == (10, 11)


def test_comment_is_written_once_when_the_call_is_repeated(visitor: Visitor, call: Call) -> None:
    ticket = call("create_ticket", contact_id=visitor()["id"], subject="x", actor=ANN)
    arguments = {"ticket_id": ticket["id"], "text": "Once.", "actor": ANN, "idempotency_key": new_id()}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call("create_comment", **arguments), range(4)))
    assert all(answer == answers[0] for answer in answers)
    assert call("list_comments", ticket_id=ticket["id"])["items"] == [answers[0]]
    assert call("get_ticket", ticket_id=ticket["id"])["comment_count"] == 1
    assert refused_code(call, "create_comment", **(arguments | {"text": "Other."})) == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("wrong", [{"text": " "}, {"text": "x" * 10_001}, {"text": None}, {"author": "x"}])
def test_nothing_is_written_when_a_comments_values_are_wrong(visitor: Visitor, call: Call, wrong: dict[str, Any]) -> None:
    ticket = call("create_ticket", contact_id=visitor()["id"], subject="x", actor=ANN)
    arguments = {"ticket_id": ticket["id"], "text": "x", "actor": ANN} | wrong
    assert refused_code(call, "create_comment", **arguments) == "VALIDATION_FAILED"
    assert refused_code(call, "create_comment", **(arguments | {"text": "x", "actor": VISITOR})) in (
        "FORBIDDEN",
        "VALIDATION_FAILED",
    )
    assert call("get_ticket", ticket_id=ticket["id"]) == ticket


def test_flows_ticket_is_opened_once_when_its_event_comes_twice(
    visitor: Visitor, call: Call, announcer: Announcer, collector: Collector
) -> None:
    contact = visitor()
    conversation = new_id()
    data = {"contact_id": contact["id"], "conversation_id": conversation, "channel_id": "channel-1"}
    wanted = data | {"subject": "Refund for Zoe", "description": None}
    announcer.publish("messaging", "ticket_wanted", wanted, entity=("conversation", conversation, 4), times=3)
    other = data | {"subject": "x" * 300, "description": "y" * 20_000}
    announcer.publish("messaging", "ticket_wanted", other, entity=("conversation", conversation, 5))
    collector.wait_for("ticket_created", lambda e: e["contact_id"] == contact["id"], count=2)

    tickets = {ticket["subject"]: ticket for ticket in call("list_tickets", contact_id=contact["id"])["items"]}
    assert set(tickets) == {"Refund for Zoe", "x" * 200}
    ticket = tickets["Refund for Zoe"]
    assert ticket["author"] == {"kind": "bot", "id": None, "name": None}
    assert (ticket["conversation_id"], ticket["channel_id"], ticket["description"]) == (conversation, "channel-1", "")
    assert len(tickets["x" * 200]["description"]) == 10_000


def test_agents_new_name_reaches_its_tickets(visitor: Visitor, call: Call, announcer: Announcer, stack: Stack) -> None:
    agent_id, other = new_id(), {"id": new_id(), "name": "Other"}

    def tell(version: int, name: str, load: int = 0) -> None:
        agent = {"id": agent_id, "name": name, "active_conversations": load}
        announcer.publish("presence", "agent_updated", agent, entity=("agent", agent_id, version))
        known = {"_id": agent_id, "version": {"$gte": version}}
        wait_until(lambda: stack.mongo("contacts")["agents"].find_one(known), what=f"version {version} of the agent")

    def opened(assignee: dict[str, str]) -> dict[str, Any]:
        return call("create_ticket", contact_id=visitor()["id"], subject="x", assignee=assignee, actor=ANN)

    ticket, others = opened({"id": agent_id, "name": "Ben"}), opened(other)
    tell(3, "Benjamin")
    wait_until(lambda: call("get_ticket", ticket_id=ticket["id"])["assignee"]["name"] == "Benjamin", what="the new name")
    tell(2, "Ben")
    tell(4, "Benjamin", load=3)
    assert call("get_ticket", ticket_id=ticket["id"])["assignee"]["name"] == "Benjamin"
    assert call("get_ticket", ticket_id=others["id"]) == others
    # Given by a caller who had heard an older name.
    late = opened({"id": agent_id, "name": "Ben"})
    assert call("get_ticket", ticket_id=late["id"])["assignee"]["name"] == "Benjamin"
