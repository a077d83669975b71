"""Channels' bot flows: read, checked, played, given and taken away."""

from typing import Any

from flask import Response

from gateway.answers import answer
from gateway.auth import admin_required, agent_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.flows import check, require_known_people
from gateway.limits import limit_flow_trials
from gateway.schemas.base import PageQuery
from gateway.schemas.channels import ChannelSchema
from gateway.schemas.flows import (
    ChannelFlowSchema,
    CheckedFlowSchema,
    FlowDraftSchema,
    FlowQuery,
    FlowSchema,
    FlowSimulationRequestSchema,
    FlowSimulationSchema,
    FlowVersionPageSchema,
    NewFlowQuery,
)

blueprint = Blueprint("flows", __name__, url_prefix="/v1/channels/<id:channel_id>/flow", description="What a channel's bot does.")


@blueprint.route("")
@agent_required
@problems("CHANNEL_NOT_FOUND", "FLOW_NOT_FOUND")
@blueprint.arguments(FlowQuery, location="query")
@blueprint.response(200, ChannelFlowSchema)
def get_flow(query: dict[str, Any], channel_id: str) -> Response:
    """Show a channel's bot flow, or an earlier version of it."""
    return answer(call("messaging", "get_flow", channel_id=channel_id, **query))


@blueprint.route("", methods=["PUT"])
@admin_required
@problems("CHANNEL_NOT_FOUND", "INVALID_FLOW", "FLOW_CHANGED")
@blueprint.arguments(NewFlowQuery, location="query")
@blueprint.arguments(FlowSchema)
@blueprint.response(200, ChannelSchema)
def put_flow(query: dict[str, Any], flow: dict[str, Any], channel_id: str) -> Response:
    """Give a channel a bot flow.

    For administrators. Conversations that have begun go on with the version they began with; the same flow again makes no new one. A
    flow that names a missing block, agent or team, loops without waiting for the visitor, or has blocks that can't be reached is
    refused with each fault.
    """
    require_known_people(channel_id, flow)
    return answer(call("messaging", "put_flow", channel_id=channel_id, flow=flow, **query, actor=caller().actor))


@blueprint.route("", methods=["DELETE"])
@admin_required
@problems("CHANNEL_NOT_FOUND")
@blueprint.response(200, ChannelSchema)
def delete_flow(channel_id: str) -> Response:
    """Take a channel's bot flow away.

    For administrators. In new conversations the bot is silent, as one of your own may want it; its versions stay readable.
    """
    return answer(call("messaging", "delete_flow", channel_id=channel_id, actor=caller().actor))


@blueprint.route("/versions")
@agent_required
@problems("CHANNEL_NOT_FOUND")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, FlowVersionPageSchema)
def list_versions(page: dict[str, Any], channel_id: str) -> Response:
    """List the versions of a channel's bot flow, newest first."""
    return answer(call("messaging", "list_flow_versions", channel_id=channel_id, **page))


@blueprint.route("/check", methods=["POST"])
@agent_required
@limit_flow_trials
@problems("CHANNEL_NOT_FOUND")
@blueprint.arguments(FlowDraftSchema)
@blueprint.response(200, CheckedFlowSchema)
def check_flow(flow: dict[str, Any], channel_id: str) -> Response:
    """Say what keeps a flow from running, all of it, and store nothing.

    The body is the flow, as `PUT` takes it or still on the way there. Of very many problems the first 500 are told. Checks and
    simulations together: sixty a minute.
    """
    return answer(check(channel_id, flow))


@blueprint.route("/simulate", methods=["POST"])
@agent_required
@limit_flow_trials
@problems("CHANNEL_NOT_FOUND", "FLOW_NOT_FOUND", "INVALID_FLOW")
@blueprint.arguments(FlowSimulationRequestSchema)
@blueprint.response(200, FlowSimulationSchema)
def simulate_flow(body: dict[str, Any], channel_id: str) -> Response:
    """Play a flow with a visitor's answers, and show how it goes.

    Nothing is stored, and nobody is told: delays pass at once, and what would be done is told in a line of the system's. Checks and
    simulations together: sixty a minute.
    """
    return answer(call("messaging", "simulate_flow", channel_id=channel_id, **_without_nulls(body)))


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """The body without what is null, which stands for not given."""
    given = {name: value for name, value in body.items() if value is not None}
    given["inputs"] = [{name: value for name, value in said.items() if value is not None} for said in body["inputs"]]
    contact = body.get("contact")
    if contact is not None:
        fields = {name: value for name, value in contact.get("fields", {}).items() if value is not None}
        given["contact"] = {name: value for name, value in contact.items() if value is not None} | {"fields": fields}
    return given
