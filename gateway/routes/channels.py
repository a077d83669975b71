"""Channels; their bots' flows are in `flows.py`."""

from typing import Any

from flask import Response

from gateway.answers import answer, created, nothing
from gateway.auth import admin_required, agent_required, caller
from gateway.context import call, gateway
from gateway.documentation import Blueprint, problems
from gateway.schemas.base import IdempotencyHeader, PageQuery
from gateway.schemas.channels import (
    ChannelChangesSchema,
    ChannelPageSchema,
    ChannelSchema,
    IdentitySecretSchema,
    NewChannelSchema,
)

blueprint = Blueprint("channels", __name__, url_prefix="/v1/channels", description="Where visitors come from.")


@blueprint.route("")
@agent_required
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, ChannelPageSchema)
def list_channels(page: dict[str, Any]) -> Response:
    """List the channels."""
    return answer(call("messaging", "list_channels", **page))


@blueprint.route("", methods=["POST"])
@admin_required
@problems("IDEMPOTENCY_KEY_REUSED")
@blueprint.arguments(IdempotencyHeader, location="headers")
@blueprint.arguments(NewChannelSchema)
@blueprint.response(201, ChannelSchema)
def create_channel(headers: dict[str, Any], body: dict[str, Any]) -> Response:
    """Create a channel.

    For administrators.
    """
    return created(call("messaging", "create_channel", **body, **headers, actor=caller().actor), "/v1/channels")


@blueprint.route("/<id:channel_id>")
@agent_required
@problems("CHANNEL_NOT_FOUND")
@blueprint.response(200, ChannelSchema)
def get_channel(channel_id: str) -> Response:
    """Show a channel."""
    return answer(call("messaging", "get_channel", channel_id=channel_id))


@blueprint.route("/<id:channel_id>", methods=["PATCH"])
@admin_required
@problems("CHANNEL_NOT_FOUND")
@blueprint.arguments(ChannelChangesSchema)
@blueprint.response(200, ChannelSchema)
def update_channel(changes: dict[str, Any], channel_id: str) -> Response:
    """Change a channel.

    For administrators.
    """
    channel = call("messaging", "update_channel", channel_id=channel_id, changes=changes, actor=caller().actor)
    gateway().origins.remember(channel)
    return answer(channel)


@blueprint.route("/<id:channel_id>", methods=["DELETE"])
@admin_required
@problems("CHANNEL_NOT_FOUND", "CHANNEL_IN_USE")
@blueprint.response(204)
def delete_channel(channel_id: str) -> Response:
    """Delete a channel.

    For administrators, and only before anybody has talked to it.
    """
    call("messaging", "delete_channel", channel_id=channel_id, actor=caller().actor)
    return nothing()


@blueprint.route("/<id:channel_id>/identity-secret", methods=["POST"])
@admin_required
@problems("CHANNEL_NOT_FOUND", "CONFLICT")
@blueprint.response(201, IdentitySecretSchema)
def create_identity_secret(channel_id: str) -> Response:
    """Make a website's secret for saying who its signed-in users are.

    For administrators. The answer shows it, this once. It replaces the one before at once: what was signed by that is refused from then on.
    """
    response = created(call("messaging", "create_identity_secret", channel_id=channel_id, actor=caller().actor))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/<id:channel_id>/identity-secret", methods=["DELETE"])
@admin_required
@problems("CHANNEL_NOT_FOUND", "CONFLICT")
@blueprint.response(204)
def delete_identity_secret(channel_id: str) -> Response:
    """Take a website's identity secret away.

    For administrators. From then on sessions with a `user` are refused; who was known as one stays so.
    """
    call("messaging", "delete_identity_secret", channel_id=channel_id, actor=caller().actor)
    return nothing()
