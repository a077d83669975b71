"""Agents' sign-in, and the tickets for their event streams."""

from typing import Any

from flask import Response, request

from gateway.answers import answer, created, nothing
from gateway.auth import agent_required, caller
from gateway.context import call, gateway, remote_address
from gateway.documentation import Blueprint, problems
from gateway.limits import limit_sign_in
from gateway.schemas.agents import CredentialsSchema, RefreshSchema, SessionSchema, StreamTicketSchema

MAX_USER_AGENT = 512

blueprint = Blueprint("auth", __name__, url_prefix="/v1", description="Signing in and out.")


@blueprint.route("/auth/token", methods=["POST"])
@problems("INVALID_CREDENTIALS")
@limit_sign_in
@blueprint.arguments(CredentialsSchema)
@blueprint.response(200, SessionSchema)
def sign_in(credentials: dict[str, Any]) -> Response:
    """Sign in.

    Ten attempts a minute per address and e-mail.
    """
    user_agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT] or None
    return _session(call("presence", "authenticate", **credentials, user_agent=user_agent, ip=remote_address()))


@blueprint.route("/auth/refresh", methods=["POST"])
@problems("TOKEN_INVALID")
@blueprint.arguments(RefreshSchema)
@blueprint.response(200, SessionSchema)
def refresh(body: dict[str, Any]) -> Response:
    """Go on with a session.

    Answers with a new pair of tokens. A refresh token that was used before ends the session: it has been stolen, or kept twice.
    """
    return _session(call("presence", "refresh_session", refresh_token=body["refresh_token"]))


@blueprint.route("/auth/logout", methods=["POST"])
@agent_required
@blueprint.response(204)
def sign_out() -> Response:
    """Sign out.

    Ends the session: its tokens are refused from now on, and its event streams are closed.
    """
    session_id = caller().session_id or ""
    call("presence", "revoke_session", session_id=session_id, actor=caller().actor)
    gateway().revoked.add(session_id)
    return nothing()


@blueprint.route("/events/ticket", methods=["POST"])
@agent_required
@blueprint.response(201, StreamTicketSchema)
def create_ticket() -> Response:
    """Get a ticket for an event stream.

    For browsers, whose `EventSource` and `WebSocket` can't send headers: `GET /v1/events?ticket=…`.
    """
    return created(call("presence", "create_stream_ticket", subject=caller().to_subject()))


def _session(session: dict[str, Any]) -> Response:
    signer = gateway().signer
    response = answer(
        {
            "access_token": signer.issue_access_token(session["agent"], session["session_id"]),
            "token_type": "Bearer",
            "expires_in": signer.access_token_seconds,
            "refresh_token": session["refresh_token"],
            "agent": session["agent"],
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response
