"""The streams' routes: Server-Sent Events for agents and visitors, and the same over WebSockets.

A stream goes on when the token that opened it expires, and ends at once when the agent's session is revoked: signing out,
a new password and deactivation revoke sessions, mere time doesn't take anything from who is reading already. A visitor's ends so
when the contact becomes a website's user by somebody else's session.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import Response, current_app, g, request

from gateway.auth import Principal, agent_required, caller, principal_from_ticket, visitor_required
from gateway.documentation import Blueprint, problems
from gateway.streams import sse, websocket
from gateway.streams.hub import EXTENSION, StreamHub
from gateway.streams.stream import ClientStream
from gateway.streams.subscriber import Viewer
from gateway.visiting import check_conversation

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

LAST_EVENT_ID = {"type": "string", "maxLength": 64, "examples": ["1a20c921741-10542"]}
QUERY = [
    {
        "in": "query",
        "name": "last_event_id",
        "description": "Where to go on: the id of the last event received. The header `Last-Event-ID` is preferred to it.",
        "schema": LAST_EVENT_ID,
    },
    {
        "in": "query",
        "name": "ticket",
        "description": "A ticket of `POST /v1/events/ticket` instead of the `Authorization` header, for browsers.",
        "schema": {"type": "string", "maxLength": 200},
    },
]
HEADER = {
    "in": "header",
    "name": "Last-Event-ID",
    "description": "Where to go on: everything after that event, then what happens from now on.",
    "schema": LAST_EVENT_ID,
}
STREAM = {
    "description": (
        "Blocks of `id`, `event` and `data` (the resource as JSON), without end. The first event is `stream.ready`, or `reset` "
        "when what came after the given id can't be told: then fetch again. A comment every 15 s of silence, with the id up to "
        "which nothing is missing."
    ),
    "headers": {"Cache-Control": {"description": "no-cache", "schema": {"type": "string"}}},
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
SWITCHED = {
    "description": (
        "The WebSocket is open; each text message is `{id, event, data}`, as the blocks of the event stream. "
        "Closed with 1001 when the gateway stops, 1008 when the session was revoked or the visitor became a user, 1013 when the client reads too slowly."
    )
}

blueprint = Blueprint(
    "events", __name__, description="What happens, as it happens, to be resumed by id on any gateway without gap or repeat."
)


def ticket_accepted(view: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let `?ticket=` say who asks, when no Authorization header does."""

    @wraps(view)
    def identified(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        ticket = request.args.get("ticket")
        if ticket and "Authorization" not in request.headers:
            g.principal = principal_from_ticket(ticket[:200])
        return view(*args, **kwargs)

    return identified


@blueprint.route("/v1/events")
@blueprint.doc(parameters=[HEADER, *QUERY], responses={"200": STREAM})
@ticket_accepted
@agent_required
def stream_events() -> Response:
    """Stream all that agents see: conversations, messages, agents, teams, contacts, channels, assignments."""
    return _send_events(_agent(caller()))


@blueprint.route("/v1/widget/events")
@blueprint.doc(parameters=[HEADER, *QUERY], responses={"200": STREAM})
@ticket_accepted
@visitor_required
def stream_widget_events() -> Response:
    """Stream the visitor's own conversation."""
    return _send_events(_visitor(caller()))


@blueprint.route("/v1/events/ws", websocket=True)
@blueprint.doc(parameters=QUERY, responses={"101": SWITCHED})
@problems("MALFORMED_REQUEST")
@ticket_accepted
@agent_required
def open_events_socket() -> Response:
    """The agents' stream over a WebSocket."""
    return websocket.serve(_open(_agent(caller()), "ws"), request.environ)


@blueprint.route("/v1/widget/events/ws", websocket=True)
@blueprint.doc(parameters=QUERY, responses={"101": SWITCHED})
@problems("MALFORMED_REQUEST")
@ticket_accepted
@visitor_required
def open_widget_events_socket() -> Response:
    """The visitor's stream over a WebSocket."""
    return websocket.serve(_open(_visitor(caller()), "ws"), request.environ)


def _agent(principal: Principal) -> Viewer:
    return Viewer.agent(principal.id, principal.session_id)


def _visitor(principal: Principal) -> Viewer:
    check_conversation(principal)
    return Viewer.visitor(principal.id, is_user=principal.user)


def _send_events(viewer: Viewer) -> Response:
    if request.method == "HEAD":
        return Response(content_type="text/event-stream; charset=utf-8", headers=sse.HEADERS)
    return sse.respond(_open(viewer, "sse"), request.environ, _hub().writer)


def _open(viewer: Viewer, kind: str) -> ClientStream:
    asked = request.headers.get("Last-Event-ID") or request.args.get("last_event_id")
    return _hub().open(viewer, asked, kind)


def _hub() -> StreamHub:
    return cast("StreamHub", current_app.extensions[EXTENSION])
