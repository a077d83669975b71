"""Visitors' profiles."""

from typing import Any

from flask import Response

from gateway.answers import answer
from gateway.auth import admin_required, agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.exports import export_contact
from gateway.limits import limit_exports
from gateway.schemas.base import PageQuery
from gateway.schemas.contacts import (
    ContactChangesSchema,
    ContactPageSchema,
    ContactQuery,
    ContactSchema,
    ErasedContactSchema,
    HistoryPageSchema,
)
from gateway.schemas.exports import ContactExportSchema

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


@blueprint.route("/<id:contact_id>", methods=["DELETE"])
@admin_required
@problems("CONTACT_NOT_FOUND")
@blueprint.response(200, ErasedContactSchema)
def erase_contact(contact_id: str) -> Response:
    """Erase a contact: everything personal, in every service.

    For administrators, and for good. The open conversation is archived; conversations, messages, notes and tickets stay as numbers,
    without names and texts. The visitor who comes again is a new one. Erasing again answers the same.
    """
    return answer(call("contacts", "erase_contact", contact_id=contact_id, actor=caller().actor))


@blueprint.route("/<id:contact_id>/history")
@agent_required
@problems("CONTACT_NOT_FOUND")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, HistoryPageSchema)
def list_history(page: dict[str, Any], contact_id: str) -> Response:
    """List who set which value of a contact and when, newest first.

    The newest 500 changes are kept. Which pages were looked at stands on the contact itself.
    """
    return answer(call("contacts", "list_history", contact_id=contact_id, **page))


@blueprint.route("/<id:contact_id>/export")
@admin_required
@limit_exports
@problems("CONTACT_NOT_FOUND")
@blueprint.response(200, ContactExportSchema)
def export(contact_id: str) -> Response:
    """Export everything that is kept about a contact, as one JSON file.

    For administrators, ten times a minute. Of very much, only a part: then `truncated` is true, and `counts` says how much is there.
    """
    response = answer(export_contact(contact_id))
    response.headers["Content-Disposition"] = f'attachment; filename="contact-{contact_id}.json"'
    return response
