"""Webhooks of integrations, for administrators."""

from typing import Any

from flask import Response

from gateway.answers import answer, created, nothing
from gateway.auth import admin_required, caller
from gateway.context import call
from gateway.documentation import Blueprint, problems
from gateway.schemas.base import IdempotencyHeader, PageQuery
from gateway.schemas.webhooks import (
    DeliveryInLogSchema,
    DeliveryPageSchema,
    DeliveryQuery,
    DeliveryWithPayloadSchema,
    NewWebhookSchema,
    ReplayedSchema,
    ReplaySchema,
    WebhookChangesSchema,
    WebhookPageSchema,
    WebhookSchema,
    WebhookSecretSchema,
)

PREFIX = "/v1/webhooks"

blueprint = Blueprint(
    "webhooks",
    __name__,
    url_prefix=PREFIX,
    description="Where integrations are told of what happens: signed, in order, and repeated until taken. For administrators.",
)


@blueprint.route("")
@admin_required
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, WebhookPageSchema)
def list_webhooks(page: dict[str, Any]) -> Response:
    """List the webhooks, without their secrets."""
    return answer(call("messaging", "list_webhooks", **page))


@blueprint.route("", methods=["POST"])
@admin_required
@problems("CONFLICT", "IDEMPOTENCY_KEY_REUSED")
@blueprint.arguments(IdempotencyHeader, location="headers")
@blueprint.arguments(NewWebhookSchema)
@blueprint.response(201, WebhookSecretSchema)
def create_webhook(headers: dict[str, Any], body: dict[str, Any]) -> Response:
    """Make a webhook.

    The answer shows its secret, this once. There are at most 50.
    """
    return created(call("messaging", "create_webhook", **body, **headers, actor=caller().actor), PREFIX)


@blueprint.route("/<id:webhook_id>")
@admin_required
@problems("WEBHOOK_NOT_FOUND")
@blueprint.response(200, WebhookSchema)
def get_webhook(webhook_id: str) -> Response:
    """Show a webhook."""
    return answer(call("messaging", "get_webhook", webhook_id=webhook_id))


@blueprint.route("/<id:webhook_id>", methods=["PATCH"])
@admin_required
@problems("WEBHOOK_NOT_FOUND")
@blueprint.arguments(WebhookChangesSchema)
@blueprint.response(200, WebhookSchema)
def update_webhook(changes: dict[str, Any], webhook_id: str) -> Response:
    """Change a webhook, or disable or enable it."""
    return answer(call("messaging", "update_webhook", webhook_id=webhook_id, changes=changes, actor=caller().actor))


@blueprint.route("/<id:webhook_id>", methods=["DELETE"])
@admin_required
@problems("WEBHOOK_NOT_FOUND")
@blueprint.response(204)
def delete_webhook(webhook_id: str) -> Response:
    """Delete a webhook; what waits for it is not sent any more."""
    call("messaging", "delete_webhook", webhook_id=webhook_id, actor=caller().actor)
    return nothing()


@blueprint.route("/<id:webhook_id>/secret", methods=["POST"])
@admin_required
@problems("WEBHOOK_NOT_FOUND")
@blueprint.response(200, WebhookSecretSchema)
def rotate_secret(webhook_id: str) -> Response:
    """Make a new secret.

    The answer shows it, this once. For 24 hours what it replaces signs too, so that receivers can change over.
    """
    return answer(call("messaging", "rotate_webhook_secret", webhook_id=webhook_id, actor=caller().actor))


@blueprint.route("/<id:webhook_id>/ping", methods=["POST"])
@admin_required
@problems("WEBHOOK_NOT_FOUND", "CONFLICT")
@blueprint.response(201, DeliveryInLogSchema)
def ping(webhook_id: str) -> Response:
    """Send a trial event of type `ping`."""
    delivery = call("messaging", "ping_webhook", webhook_id=webhook_id, actor=caller().actor)
    return created(delivery, f"{PREFIX}/{webhook_id}/deliveries")


@blueprint.route("/<id:webhook_id>/deliveries")
@admin_required
@problems("WEBHOOK_NOT_FOUND")
@blueprint.arguments(DeliveryQuery, location="query")
@blueprint.response(200, DeliveryPageSchema)
def list_deliveries(query: dict[str, Any], webhook_id: str) -> Response:
    """List what was sent to a webhook or waits to be, newest first.

    Kept for 7 days from when they ended.
    """
    return answer(call("messaging", "list_deliveries", webhook_id=webhook_id, **query))


@blueprint.route("/<id:webhook_id>/deliveries/<id:delivery_id>")
@admin_required
@problems("WEBHOOK_NOT_FOUND", "DELIVERY_NOT_FOUND")
@blueprint.response(200, DeliveryWithPayloadSchema)
def get_delivery(webhook_id: str, delivery_id: str) -> Response:
    """Show a delivery with what is sent."""
    return answer(call("messaging", "get_delivery", webhook_id=webhook_id, delivery_id=delivery_id))


@blueprint.route("/<id:webhook_id>/replay", methods=["POST"])
@admin_required
@problems("WEBHOOK_NOT_FOUND", "DELIVERY_NOT_FOUND", "CONFLICT")
@blueprint.arguments(ReplaySchema)
@blueprint.response(200, ReplayedSchema)
def replay(body: dict[str, Any], webhook_id: str) -> Response:
    """Send deliveries again, oldest first, each under its old `webhook-id`."""
    return answer(call("messaging", "replay_deliveries", webhook_id=webhook_id, **body, actor=caller().actor))
