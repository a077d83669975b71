"""Tickets: tracked requests of a contact."""

from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from tests.service.contacts.conftest import ANN, BEN, BOT, SYSTEM, VISITOR, Call, Visitor
from tests.support.events import Collector


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


def test_ticket_is_forbidden_to_others(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    ticket = call("create_ticket", contact_id=contact["id"], subject="x", actor=ANN)
    for actor in (VISITOR, SYSTEM):
        assert refused_code(call, "create_ticket", contact_id=contact["id"], subject="x", actor=actor) == "FORBIDDEN"
        assert refused_code(call, "update_ticket", ticket_id=ticket["id"], changes={}, actor=actor) == "FORBIDDEN"


def test_ticket_is_not_found_when_unknown(call: Call) -> None:
    assert refused_code(call, "update_ticket", ticket_id=new_id(), changes={"status": "open"}, actor=ANN) == "TICKET_NOT_FOUND"


@pytest.mark.parametrize(
    "changes", [{"status": "closed"}, {"subject": ""}, {"subject": "x" * 201}, {"author": "x"}, {"status": None}]
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
