"""Channels and their bots' flows."""

from typing import Any

from flask import Response

from gateway.answers import answer, created, nothing
from gateway.auth import admin_required, agent_required, caller
from gateway.context import call, gateway
from gateway.documentation import Blueprint, problems
from gateway.people import require_known_in_flow
from gateway.schemas.base import IdempotencyHeader, PageQuery
from gateway.schemas.channels import ChannelChangesSchema, ChannelPageSchema, ChannelSchema, NewChannelSchema
from gateway.schemas.flows import ChannelFlowSchema, FlowSchema

blueprint = Blueprint("channels", __name__, url_prefix="/v1/channels", description="Where visitors come from, and the bot there.")


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


@blueprint.route("/<id:channel_id>/flow")
@agent_required
@problems("CHANNEL_NOT_FOUND")
@blueprint.response(200, ChannelFlowSchema)
def get_flow(channel_id: str) -> Response:
    """Show a channel's bot flow."""
    return answer(call("messaging", "get_flow", channel_id=channel_id))


@blueprint.route("/<id:channel_id>/flow", methods=["PUT"])
@admin_required
@problems("CHANNEL_NOT_FOUND", "INVALID_FLOW")
@blueprint.arguments(FlowSchema)
@blueprint.response(200, ChannelSchema)
def put_flow(flow: dict[str, Any], channel_id: str) -> Response:
    """Give a channel a bot flow.

    For administrators. Conversations that have begun go on with the flow they began with. A flow that names a missing
    block, agent or team, loops without waiting for the visitor, or has blocks that can't be reached is refused with each fault.
    """
    require_known_in_flow(flow)
    return answer(call("messaging", "put_flow", channel_id=channel_id, flow=flow, actor=caller().actor))
