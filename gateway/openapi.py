"""The OpenAPI 3.1 document: flask-smorest's, with our problems, our tokens and a word about streams."""

from typing import Any

import flask_smorest
from flask import Flask, Response
from werkzeug.routing import BaseConverter

from gateway.documentation import shared_responses
from gateway.schemas.base import ID_PATTERN, ProblemSchema
from gateway.schemas.flow_blocks import FLOW_BLOCK, FLOW_TEST
from services.common.version import VERSION

OVERVIEW = """
The backend of a chat product's **Chats section**: visitors, bots and human agents.

## Who calls
- **Agents** sign in with `POST /v1/auth/token` and send the access token as `Authorization: Bearer …`. It is short-lived:
  `POST /v1/auth/refresh` gives the next.
- **Visitors** get their token from `POST /v1/widget/{channel_id}/session`. It is good for their own conversation only.
- **Integrations** send an API token made with `POST /v1/tokens`.

## Lists
Every list answers `{items, next_cursor}`. Hand `next_cursor` back as `cursor` for the next page; it is null on the last one.
Messages are numbered instead: `after_seq` and `before_seq`.

## Repeating safely
Messages carry a `client_message_id`, other creating calls take an `Idempotency-Key` header: after a lost answer send the same
again, and the first result is answered. Whatever was answered with 2xx is stored, whatever crashes afterwards.

## Who gets a conversation
The bot's assign block, an agent or an integration asks for an agent. Who is connected, available and below capacity may get it; else it
waits in line: `GET /v1/queue`. Every change of hands is a decision with its reasons: `GET /v1/conversations/{id}/assignments`. What would
happen now, and why, says `POST /v1/assignment/simulate`. Agents take, transfer and unassign whenever they like; of two hands at once one
wins, and the other is told who has it (`ALREADY_ASSIGNED`).

## Bots
The built-in bot plays a channel's flow: `PUT /v1/channels/{channel_id}/flow`. `…/flow/check` tells everything that keeps one from
running, `…/flow/simulate` plays one without anybody there; a conversation goes on with the version that it began with. A bot of your
own takes a flow's place with an API token (`/v1/bot/…`), and hears by a webhook of what happens.

## Webhooks
`POST /v1/webhooks`: what happens is sent to your address, signed as Standard Webhooks are (`webhook-id`, `webhook-timestamp`,
`webhook-signature`), in order within a conversation, and repeated until you answer 2xx. `…/deliveries` is the log, `…/replay` sends
again.

## A contact's data
`GET /v1/contacts/{contact_id}/history` tells who set which value and when, `…/export` is everything that is kept about a contact,
`DELETE` erases everything personal, in every service.

## Problems
Every failure is `application/problem+json` (RFC 9457) with a stable `code`, the `request_id` (also the header
`X-Request-ID`, which you may choose), and `errors` by field for 422. 429 and 503 say in `Retry-After` when to go on.

## Streams
`GET /v1/events` (agents) and `GET /v1/widget/events` (visitors) are Server-Sent Events; `/ws` after either is the same as a
WebSocket. Each event has an `id`, a name (`message.created`, `conversation.assigned`, `agent.updated` …) and the resource as
JSON, as the API answers it.
- **Nothing is missed.** Reconnect with `Last-Event-ID`, to any gateway: what was missed comes first, in order, without gap
  or repeat. When that is no longer possible one `reset` event says so: fetch again.
- **Open, fetch, apply.** Open the stream, fetch what you show, then apply events whose `version` is higher than what you have;
  messages by their `seq`.
- **Browsers** can't send headers with an `EventSource`: get a ticket from `POST /v1/events/ticket` and open
  `/v1/events?ticket=…` within 30 seconds. Tokens never belong into addresses.
- **Slow readers** are disconnected, and resume by id. Comments come every 15 s to keep the line open.
"""

SECURITY_SCHEMES: dict[str, dict[str, Any]] = {
    "agent": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An agent's access token."},
    "visitor": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A visitor's token."},
    "apiToken": {"type": "http", "scheme": "bearer", "description": "An integration's API token."},
}


class IdConverter(BaseConverter):
    """`<id:…>` in a route: what can't be an id is not found, without asking anybody."""

    regex = ID_PATTERN.strip("^$")


class Api(flask_smorest.Api):  # type: ignore[misc, unused-ignore]
    """flask-smorest's Api whose failures are described and answered by our own means."""

    ERROR_SCHEMA = ProblemSchema
    # Every answer is described where it is made: a catch-all would hide what is missing.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """gateway.errors has them."""

    def _register_pagination_header(self) -> None:
        """Pages are told in the body."""


def register(app: Flask) -> Api:
    """The application's Api, to which the routes are to be added."""
    app.config.update(
        API_TITLE="Foyer",
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {
                "description": OVERVIEW.strip(),
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/", "description": "This gateway."}],
        },
    )
    app.url_map.converters["id"] = IdConverter
    api = Api(app)
    api.register_converter(IdConverter, lambda _: {"type": "string", "pattern": ID_PATTERN, "minLength": 1, "maxLength": 64})
    components = api.spec.components
    components.schema("FlowBlock", FLOW_BLOCK)
    components.schema("FlowTest", FLOW_TEST)
    for name, scheme in SECURITY_SCHEMES.items():
        components.security_scheme(name, scheme)
    for name, response in shared_responses().items():
        components.response(name, response)
    return api


def serve(app: Flask, api: Api) -> None:
    """Answer `GET /v1/openapi.json`; the document is made once, as it never changes while the process runs."""
    document: list[bytes] = []

    @app.get("/v1/openapi.json")
    def openapi() -> Response:
        if not document:
            document.append(app.json.dumps(api.spec.to_dict(), sort_keys=False).encode())
        return Response(document[0], content_type="application/json")
