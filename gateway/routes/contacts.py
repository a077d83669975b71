"""Visitors' profiles."""

from typing import Any

from flask import Response

from gateway.answers import answer
from gateway.auth import agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.schemas.contacts import ContactChangesSchema, ContactPageSchema, ContactQuery, ContactSchema

blueprint = Blueprint("contacts", __name__, url_prefix="/v1/contacts", description="The visitors' profiles.")


@blueprint.route("")
@agent_required
@blueprint.arguments(ContactQuery, location="query")
@blueprint.response(200, ContactPageSchema)
def list_contacts(query: dict[str, Any]) -> Response:
    """List or search the contacts."""
    return answer(call("contacts", "list_contacts", **query))


@blueprint.route("/<id:contact_id>")
@agent_required
@problems("CONTACT_NOT_FOUND")
@blueprint.response(200, ContactSchema)
def get_contact(contact_id: str) -> Response:
    """Show a contact."""
    return answer(call("contacts", "get_contact", contact_id=contact_id))


@blueprint.route("/<id:contact_id>", methods=["PATCH"])
@agent_required
@problems("CONTACT_NOT_FOUND", "FIELD_READ_ONLY")
@blueprint.arguments(ContactChangesSchema)
@blueprint.response(200, ContactSchema)
def update_contact(changes: dict[str, Any], contact_id: str) -> Response:
    """Change a contact's name, e-mail address or phone number, or block them.

    Custom fields are the bot's, and what a visit tells is the system's: both are refused with `FIELD_READ_ONLY`.
    """
    return answer(call("contacts", "update_contact", contact_id=contact_id, changes=changes, actor=caller().actor))
