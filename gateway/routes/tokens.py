"""Integrations' API tokens, for administrators."""

from typing import Any

from flask import Response

from gateway.answers import answer, created, nothing
from gateway.auth import admin_required, caller
from gateway.context import call, gateway
from gateway.documentation import Blueprint, problems
from gateway.schemas.bot import ApiTokenPageSchema, CreatedApiTokenSchema, NewApiTokenSchema

blueprint = Blueprint("tokens", __name__, url_prefix="/v1/tokens", description="API tokens of integrations, for administrators.")


@blueprint.route("")
@admin_required
@blueprint.response(200, ApiTokenPageSchema)
def list_tokens() -> Response:
    """List the API tokens, without their secrets."""
    return answer({"next_cursor": None, **call("presence", "list_api_tokens")})


@blueprint.route("", methods=["POST"])
@admin_required
@blueprint.arguments(NewApiTokenSchema)
@blueprint.response(201, CreatedApiTokenSchema)
def create_token(body: dict[str, Any]) -> Response:
    """Make an API token.

    The answer shows it, this once.
    """
    response = created(call("presence", "create_api_token", **body, actor=caller().actor))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/<id:token_id>", methods=["DELETE"])
@admin_required
@problems("TOKEN_NOT_FOUND")
@blueprint.response(204)
def revoke_token(token_id: str) -> Response:
    """Revoke an API token.

    Every gateway refuses it within ten seconds.
    """
    call("presence", "revoke_api_token", token_id=token_id, actor=caller().actor)
    gateway().api_tokens.forget(token_id)
    return nothing()
