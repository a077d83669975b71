"""From a stable code to an HTTP status: one table, and the RFC 9457 problem that every failure is answered with."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from services.common.errors import DomainError, RemoteError
from services.common.logs import get_logger, request_id

log = get_logger(__name__)

PROBLEM_TYPE = "application/problem+json"
_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "code", "request_id"})


class Code(NamedTuple):
    """What a code means: to HTTP, and to a developer."""

    status: int
    meaning: str


CODES: dict[str, Code] = {
    "MALFORMED_REQUEST": Code(400, "The body is not JSON."),
    "CURSOR_INVALID": Code(400, "The cursor is not one that this listing gave."),
    "UNAUTHENTICATED": Code(401, "A token is needed."),
    "TOKEN_EXPIRED": Code(401, "The token was good once: refresh it."),
    "TOKEN_INVALID": Code(401, "The token is forged, revoked or used up: sign in again."),
    "INVALID_CREDENTIALS": Code(401, "The e-mail address or the password is wrong."),
    "FORBIDDEN": Code(403, "The caller is known and may not do this."),
    "FIELD_READ_ONLY": Code(403, "This field is written by the bot or the system alone."),
    "ORIGIN_NOT_ALLOWED": Code(403, "The channel doesn't allow pages of this origin."),
    "CONTACT_BLOCKED": Code(403, "The visitor is blocked."),
    "IDENTITY_NOT_VERIFIED": Code(403, "The channel has no identity secret, or the user's hash is not by it."),
    "SIGNATURE_INVALID": Code(403, "The signature is not that of the body by the app's secret."),
    "NOT_FOUND": Code(404, "There is nothing at this address."),
    "CHANNEL_NOT_FOUND": Code(404, "There is no such channel."),
    "CONVERSATION_NOT_FOUND": Code(404, "There is no such conversation."),
    "CONTACT_NOT_FOUND": Code(404, "There is no such contact."),
    "AGENT_NOT_FOUND": Code(404, "There is no such agent."),
    "NOTE_NOT_FOUND": Code(404, "There is no such note."),
    "TICKET_NOT_FOUND": Code(404, "There is no such ticket."),
    "TOKEN_NOT_FOUND": Code(404, "There is no such API token."),
    "TEAM_NOT_FOUND": Code(404, "There is no such team."),
    "FLOW_NOT_FOUND": Code(404, "The channel has no flow, or none of this version."),
    "WEBHOOK_NOT_FOUND": Code(404, "There is no such webhook."),
    "DELIVERY_NOT_FOUND": Code(404, "There is no such delivery; they are kept for 7 days."),
    "METHOD_NOT_ALLOWED": Code(405, "The address exists, the method doesn't."),
    "REQUEST_TOO_SLOW": Code(408, "The request's head did not come within 10 s, or its body within 20 s."),
    "EMAIL_TAKEN": Code(409, "Another agent has this e-mail address."),
    "TEAM_NAME_TAKEN": Code(409, "Another team has this name."),
    "CONVERSATION_ARCHIVED": Code(409, "The conversation is archived."),
    "CONVERSATION_OPEN_ELSEWHERE": Code(409, "The contact has another open conversation."),
    "ALREADY_ASSIGNED": Code(409, "Who has it changed meanwhile; `assignee` says who has it now, if anybody."),
    "CHANNEL_IN_USE": Code(409, "The channel has conversations."),
    "FLOW_CHANGED": Code(409, "The channel has another flow by now; `flow_version` says which version."),
    "LAST_ADMIN": Code(409, "The last active administrator stays one."),
    "CONFLICT": Code(409, "The present state doesn't allow it."),
    "BODY_TOO_LARGE": Code(413, "The body is larger than 256 kB, or 1 MB of a Facebook webhook."),
    "UNSUPPORTED_MEDIA_TYPE": Code(415, "A body is `application/json`."),
    "VALIDATION_FAILED": Code(422, "Some values are not valid; `errors` names each."),
    "INVALID_FLOW": Code(422, "The flow can't run; `errors` names each fault by its block."),
    "IDEMPOTENCY_KEY_REUSED": Code(422, "The key was used with other values."),
    "CLIENT_MESSAGE_ID_REUSED": Code(422, "The id was used for another message of this conversation."),
    "RATE_LIMITED": Code(429, "Too many requests; `Retry-After` says when to go on."),
    "INTERNAL": Code(500, "A fault of ours; the log has it under the request's id."),
    "SERVICE_UNAVAILABLE": Code(503, "A part is down or late; the same request may succeed after `Retry-After`."),
    "DATABASE_UNAVAILABLE": Code(503, "The database is down or late; the same request may succeed after `Retry-After`."),
    "OVERLOADED": Code(503, "Too much is under way; the same request may succeed after `Retry-After`."),
}

# What Flask and werkzeug raise themselves.
_CODE_BY_STATUS = {
    400: "MALFORMED_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TOO_SLOW",
    409: "CONFLICT",
    413: "BODY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_FAILED",
    429: "RATE_LIMITED",
    503: "SERVICE_UNAVAILABLE",
}


def problem(
    code: str, detail: str, *, data: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that says what went wrong: RFC 9457, with `code`, `request_id` and the error's own data beside."""
    status = CODES[code].status
    extra = {key: value for key, value in (data or {}).items() if key not in _RESERVED}
    retry_after = extra.pop("retry_after", None)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": quote(request.path),
        "code": code,
        "request_id": request_id.get(),
        **extra,
    }
    response = Response(orjson.dumps(body), status, content_type=PROBLEM_TYPE)
    response.headers.update(headers or {})
    if status in (429, 503):
        response.headers.setdefault("Retry-After", str(retry_after or 1))
    if status == 401:
        response.headers.setdefault("WWW-Authenticate", _challenge(code))
    return response


def register(app: Flask) -> None:
    """Have every failure answered as a problem."""
    app.register_error_handler(DomainError, handle_domain_error)
    app.register_error_handler(HTTPException, handle_http_exception)
    app.register_error_handler(Exception, handle_unexpected)


def handle_domain_error(error: DomainError) -> Response:
    """What a service, or the gateway itself, refused."""
    code = error.error_code
    # Of a service, MALFORMED_REQUEST is about the gateway's call, not about the client's request.
    if isinstance(error, RemoteError) and code == "MALFORMED_REQUEST":
        log.error("unexpected_error_code", code=code, text=error.text)
        return _internal()
    if code not in CODES:  # of a service of a later version: as much as its family says
        log.error("unexpected_error_code", code=code, general=error.general, text=error.text)
        if error.general not in CODES or error.general == "INTERNAL":
            return _internal()
        code = error.general
    return problem(code, error.text, data=_as_asked(error.data))


def handle_http_exception(error: HTTPException) -> Response:
    """What Flask refused before a view ran; a redirect passes as it is."""
    status = error.code or 500
    if status < 400:
        answer = error.get_response(request.environ)
        return Response(answer.response, status, answer.headers)
    code = _CODE_BY_STATUS.get(status, "MALFORMED_REQUEST" if status < 500 else "INTERNAL")
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    detail = {
        "NOT_FOUND": "There is nothing at this address.",
        "METHOD_NOT_ALLOWED": f"{request.method} is not for this address.",
        "BODY_TOO_LARGE": "The body is larger than this API takes.",
    }.get(code)
    return problem(code, detail or error.description or HTTPStatus(status).phrase, headers=headers)


def handle_unexpected(error: Exception) -> Response:
    """A bug: the log has it, the answer doesn't."""
    log.error("unexpected_failure", exc_info=error)
    return _internal()


def _as_asked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error's data, with its places named as in the request, whose body the services' calls take as `changes`."""
    errors = data.get("errors")
    if not isinstance(errors, Mapping):
        return data
    return {**data, "errors": {str(place).removeprefix("changes."): texts for place, texts in errors.items()}}


def _internal() -> Response:
    return problem("INTERNAL", "Something unexpected happened; the log has it under this request's id.")


def _challenge(code: str) -> str:
    # RFC 6750, 3.1: no error attribute when the request carried no token.
    return 'Bearer error="invalid_token"' if code.startswith("TOKEN_") else "Bearer"
