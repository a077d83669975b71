"""A contact's export over HTTP, of more than one page of everything, with the services behind."""

import pytest

from gateway.schemas.exports import ContactExportSchema
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from tests.service.gateway.conftest import ADMIN, RunningGateway
from tests.service.gateway.test_gateway_assignments import Person, make_channel, sign_in, visit

MESSAGES = 205  # a page holds 200
NOTES = 102  # a page holds 100
BOT = {"kind": "bot", "id": "crm", "name": "CRM", "role": None}


@pytest.fixture(scope="module")
def admin(gateway: RunningGateway, rpc: RpcClient) -> Person:
    return sign_in(gateway, rpc, "admin")


def test_export_pages_through_everything_and_holds_each_thing_once(
    gateway: RunningGateway, rpc: RpcClient, admin: Person
) -> None:
    channel_id = make_channel(admin)
    visitor, conversation_id = visit(gateway, channel_id)
    for number in range(1, MESSAGES + 1):
        post = {"conversation_id": conversation_id, "text": f"Number {number}", "client_message_id": new_id(), "actor": BOT}
        rpc.call("messaging", "post_bot_message", timeout=15, **post)
    for number in range(NOTES):
        note = {"contact_id": visitor.id, "text": f"Note {number}", "actor": ADMIN}
        rpc.call("contacts", "create_note", timeout=15, **note)
    ticket = admin.ask("POST", f"/v1/contacts/{visitor.id}/tickets", {"subject": "Invoice"})
    admin.ask("POST", f"/v1/tickets/{ticket['id']}/comments", {"text": "Paid."})
    admin.ask("PATCH", f"/v1/conversations/{conversation_id}", {"status": "archived"})
    visitor.ask("POST", "/v1/widget/messages", {"text": "Hello again", "client_message_id": new_id()})

    exported = admin.ask("GET", f"/v1/contacts/{visitor.id}/export")
    assert ContactExportSchema().validate(exported) == {}
    assert exported["truncated"] is False
    begun, archived = exported["conversations"]
    assert (begun["status"], archived["id"], archived["status"]) == ("open", conversation_id, "archived")
    assert [message["seq"] for message in archived["messages"]] == list(range(1, MESSAGES + 1))
    assert [message["text"] for message in begun["messages"]] == ["Hello again"]
    assert {note["text"] for note in exported["notes"]} == {f"Note {number}" for number in range(NOTES)}
    assert [comment["text"] for comment in exported["tickets"][0]["comments"]] == ["Paid."]
    counts = exported["counts"]
    assert (counts["messages"], counts["notes"], counts["comments"], counts["conversations"]) == (MESSAGES + 1, NOTES, 1, 2)
