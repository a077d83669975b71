"""Agents' notes on contacts."""

from typing import Any

from flask import Response

from gateway.answers import answer, created, nothing
from gateway.auth import agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.schemas.base import IdempotencyHeader, PageQuery
from gateway.schemas.contacts import NewNoteSchema, NoteChangesSchema, NotePageSchema, NoteSchema

blueprint = Blueprint("notes", __name__, url_prefix="/v1", description="Remarks on contacts, between agents.")


@blueprint.route("/contacts/<id:contact_id>/notes")
@agent_required
@problems("CONTACT_NOT_FOUND")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, NotePageSchema)
def list_notes(page: dict[str, Any], contact_id: str) -> Response:
    """List a contact's notes, newest first."""
    return answer(call("contacts", "list_notes", contact_id=contact_id, **page))


@blueprint.route("/contacts/<id:contact_id>/notes", methods=["POST"])
@agent_required
@problems("CONTACT_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED")
@blueprint.arguments(IdempotencyHeader, location="headers")
@blueprint.arguments(NewNoteSchema)
@blueprint.response(201, NoteSchema)
def create_note(headers: dict[str, Any], body: dict[str, Any], contact_id: str) -> Response:
    """Write a note."""
    return created(call("contacts", "create_note", contact_id=contact_id, **body, **headers, actor=caller().actor))


@blueprint.route("/notes/<id:note_id>", methods=["PATCH"])
@agent_required
@problems("NOTE_NOT_FOUND")
@blueprint.arguments(NoteChangesSchema)
@blueprint.response(200, NoteSchema)
def update_note(changes: dict[str, Any], note_id: str) -> Response:
    """Change one of the caller's notes."""
    return answer(call("contacts", "update_note", note_id=note_id, changes=changes, actor=caller().actor))


@blueprint.route("/notes/<id:note_id>", methods=["DELETE"])
@agent_required
@problems("NOTE_NOT_FOUND")
@blueprint.response(204)
def delete_note(note_id: str) -> Response:
    """Delete a note.

    Agents their own, administrators any.
    """
    call("contacts", "delete_note", note_id=note_id, actor=caller().actor)
    return nothing()
