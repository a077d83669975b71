"""The door for Facebook: a page's webhook, in Facebook's own forms.

Nobody signs in here. The subscription is proved by the channel's verify token, everything else by the signature over the body as it
came: so it is passed on as it came, and read by nobody before it is believed. What bears no signature at all goes no further than here.
"""

import re
from typing import Any

from flask import Response, request
from marshmallow import EXCLUDE

from gateway.context import call
from gateway.documentation import Blueprint, any_query, problems
from gateway.limits import limit_challenges, limit_messenger
from gateway.schemas.messenger import ChallengeQuery
from services.common.errors import Forbidden, Invalid

MAX_BODY_BYTES = 1_000_000
RECEIVED = "EVENT_RECEIVED"
SIGNATURE_HEADER = "X-Hub-Signature-256"
SIGNATURE_PATTERN = "^sha256=[0-9a-fA-F]{64}$"
TEXT = "text/plain; charset=utf-8"
SIGNATURE = {
    "in": "header",
    "name": SIGNATURE_HEADER,
    "description": "`sha256=` and the HMAC-SHA256 of the body by the app's secret, in hexadecimal.",
    "schema": {"type": "string", "pattern": SIGNATURE_PATTERN},
}
_SIGNATURE = re.compile(SIGNATURE_PATTERN)
BODY = {
    "required": True,
    "description": "As Facebook documents it, up to 1 MB, of any media type.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["object", "entry"],
                "properties": {
                    "object": {"const": "page"},
                    "entry": {"type": "array", "items": {"type": "object"}, "description": "What happened, in batches by page."},
                },
            }
        }
    },
}

blueprint = Blueprint(
    "messenger", __name__, url_prefix="/v1/webhooks/messenger", description="For Facebook: the webhook of a page's channel."
)


@blueprint.route("/<id:channel_id>")
@any_query
@limit_challenges
@problems("CHANNEL_NOT_FOUND", "FORBIDDEN")
@blueprint.arguments(ChallengeQuery, location="query", unknown=EXCLUDE)
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def verify_subscription(query: dict[str, Any], channel_id: str) -> Response:
    """Prove to Facebook that the webhook is ours.

    Twenty times a minute per address.
    """
    verified = call("messaging", "verify_messenger_webhook", channel_id=channel_id, **query)
    return Response(verified["challenge"], content_type=TEXT)


@blueprint.route("/<id:channel_id>", methods=["POST"])
@any_query
@limit_messenger
@problems("CHANNEL_NOT_FOUND", "FORBIDDEN", "SIGNATURE_INVALID", "MALFORMED_REQUEST", "REQUEST_TOO_SLOW", "BODY_TOO_LARGE")
@blueprint.doc(parameters=[SIGNATURE], requestBody=BODY)
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def receive(channel_id: str) -> Response:
    """Take what happened on a page.

    Answered when all of it is stored; what comes again is stored once. Nothing of a body with a wrong signature is stored.
    Limited by address, and by address and page, above Facebook's rates; what is refused, as other requests are.
    """
    request.max_content_length = MAX_BODY_BYTES
    signature = request.headers.get(SIGNATURE_HEADER, "").strip()
    if not _SIGNATURE.fullmatch(signature):
        raise Forbidden(f"{SIGNATURE_HEADER} is no signature.", code="SIGNATURE_INVALID")
    call("messaging", "receive_messenger_webhook", channel_id=channel_id, body=_body(), signature=signature)
    return Response(RECEIVED, content_type=TEXT)


def _body() -> str:
    try:
        return request.get_data(cache=False).decode()
    except UnicodeDecodeError:
        raise Invalid("The body is not UTF-8.", code="MALFORMED_REQUEST") from None
