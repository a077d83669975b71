"""What a visitor's widget does: begin, read, write, tell how far it got."""

from collections.abc import Iterator
from typing import Any

from flask import Response, request

from gateway.answers import answer, created, nothing
from gateway.assignments import assignment_of
from gateway.auth import caller, visitor_required
from gateway.context import call, gateway, remote_address
from gateway.documentation import Blueprint, problems
from gateway.limits import limit_messages, limit_widget_sessions
from gateway.schemas.agents import StreamTicketSchema
from gateway.schemas.conversations import MessageQuery, ReadSchema, TypingSchema
from gateway.schemas.widget import (
    NewVisitorMessageSchema,
    PageViewSchema,
    SessionKeyHeader,
    VisitorConversationSchema,
    VisitorMessagePageSchema,
    VisitorMessageSchema,
    VisitorPlaceSchema,
    VisitSchema,
    WidgetSessionSchema,
)
from gateway.views import visitor_contact, visitor_conversation, visitor_message
from gateway.visiting import check_conversation, conversation_of
from services.common.errors import Forbidden, NotFound, RemoteError
from services.common.ids import derived_id, new_id

MAX_USER_AGENT = 2_000
# What messaging keeps of a contact: with all of it the flow's first blocks see what the visit told.
SNAPSHOT = (
    "id",
    "name",
    "version",
    "channel_id",
    "name_source",
    "email",
    "phone",
    "fields",
    "blocked",
    "country",
    "url",
    "external_id",
)
TOLD_OF_USER = ("id", "name", "email", "phone")

blueprint = Blueprint("widget", __name__, url_prefix="/v1/widget", description="The visitors' side, for web pages.")


@blueprint.route("/<id:channel_id>/session", methods=["POST"])
@limit_widget_sessions
@problems("CHANNEL_NOT_FOUND", "ORIGIN_NOT_ALLOWED", "CONTACT_BLOCKED", "IDENTITY_NOT_VERIFIED")
@blueprint.arguments(SessionKeyHeader, location="headers")
@blueprint.arguments(VisitSchema)
@blueprint.response(201, WidgetSessionSchema)
def open_session(headers: dict[str, Any], visit: dict[str, Any], channel_id: str) -> Response:
    """Begin a visit.

    Makes the visitor's profile on the first one and refreshes it later; the conversation is the open one, or a new one in which
    the bot has begun to talk. Only for pages of the channel's allowed origins. A visitor who was erased begins anew, one who is blocked
    is refused. Thirty a minute for each visitor who comes back with a token; new ones thirty a minute per address. The website's signed-in `user` is the same contact on every device; a visitor who becomes one
    goes on with the conversation.
    """
    channel = call("messaging", "get_channel", channel_id=channel_id)
    if channel["kind"] != "web":
        raise NotFound("This channel is not a website.", code="CHANNEL_NOT_FOUND")
    gateway().origins.remember(channel)
    gateway().origins.check(request, channel_id)
    user = _verified_user(visit.get("user"), channel_id)
    page = {name: visit.get(name) for name in ("url", "title", "referrer")}
    contact = _open_session(
        _visitors(visit.get("visitor_token"), headers.get("idempotency_key"), channel_id),
        channel_id=channel_id,
        ip=remote_address(),
        page=page if page["url"] else None,
        locale=visit.get("locale"),
        time_zone=visit.get("time_zone"),
        user_agent=request.headers.get("User-Agent", "")[:MAX_USER_AGENT] or None,
        **user,
    )
    if contact["blocked"]:
        raise Forbidden("The visitor is blocked.", code="CONTACT_BLOCKED")
    gateway().saw_visitor(contact["id"])
    snapshot = {name: contact[name] for name in SNAPSHOT}
    begun = call("messaging", "start_conversation", channel_id=channel_id, contact=snapshot)
    response = created(
        {
            "visitor_token": gateway().signer.issue_visitor_token(contact["id"], channel_id, user=bool(user)),
            "contact": visitor_contact(contact),
            "conversation": visitor_conversation(begun["conversation"]),
            "messages": [visitor_message(message) for message in begun["messages"]],
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/pages", methods=["POST"])
@visitor_required
@limit_messages
@problems("CONTACT_NOT_FOUND", "CONTACT_BLOCKED")
@blueprint.arguments(PageViewSchema)
@blueprint.response(204)
def record_page(page: dict[str, Any]) -> Response:
    """Tell which page the visitor went to during the visit.

    The first of a visit is told by the session.
    """
    call("contacts", "record_page", **caller().as_visitor, page=page)
    return nothing()


@blueprint.route("/conversation")
@visitor_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.response(200, VisitorConversationSchema)
def get_conversation() -> Response:
    """Show the visitor's conversation."""
    return answer(visitor_conversation(_conversation()))


@blueprint.route("/messages")
@visitor_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(MessageQuery, location="query")
@blueprint.response(200, VisitorMessagePageSchema)
def list_messages(query: dict[str, Any]) -> Response:
    """List the messages of the visitor's conversation, oldest first.

    Without `after_seq` and `before_seq` the newest ones.
    """
    page = call("messaging", "list_messages", conversation_id=_conversation()["id"], **query)
    return answer({**page, "items": [visitor_message(message) for message in page["items"]]})


@blueprint.route("/messages", methods=["POST"])
@visitor_required
@limit_messages
@problems("CONTACT_BLOCKED", "CONTACT_NOT_FOUND", "CONVERSATION_NOT_FOUND", "CLIENT_MESSAGE_ID_REUSED")
@blueprint.arguments(NewVisitorMessageSchema)
@blueprint.response(201, VisitorMessageSchema)
def post_message(body: dict[str, Any]) -> Response:
    """Say something, or choose one of the bot's buttons.

    When the conversation was archived, another one begins. Sending the same `client_message_id` again answers with the
    first result.
    """
    return created(visitor_message(call("messaging", "post_visitor_message", **caller().as_visitor, **body)))


@blueprint.route("/read", methods=["POST"])
@visitor_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.arguments(ReadSchema)
@blueprint.response(200, VisitorConversationSchema)
def mark_read(body: dict[str, Any]) -> Response:
    """Say how far the visitor has read."""
    conversation_id = _conversation()["id"]
    marked = call("messaging", "mark_read", conversation_id=conversation_id, seq=body["seq"], actor=caller().actor)
    return answer(visitor_conversation(marked))


@blueprint.route("/typing", methods=["POST"])
@visitor_required
@problems("CONVERSATION_NOT_FOUND", "CONTACT_BLOCKED")
@blueprint.arguments(TypingSchema)
@blueprint.response(204)
def signal_typing(body: dict[str, Any]) -> Response:
    """Show that the visitor is writing."""
    call("messaging", "signal_typing", conversation_id=_conversation()["id"], typing=body["typing"], actor=caller().actor)
    return nothing()


@blueprint.route("/queue", methods=["DELETE"])
@visitor_required
@problems("CONVERSATION_NOT_FOUND")
@blueprint.response(200, VisitorPlaceSchema)
def leave_queue() -> Response:
    """Stop waiting for an agent.

    The bot has the conversation again, and the next message asks for an agent anew. Whoever doesn't wait, any more or yet, is told how
    the conversation stands.
    """
    place = assignment_of(_conversation(), "leave_queue", actor=caller().actor)
    return answer({name: place[name] for name in ("state", "queue_position")})


@blueprint.route("/events/ticket", methods=["POST"])
@visitor_required
@blueprint.response(201, StreamTicketSchema)
def create_ticket() -> Response:
    """Get a ticket for the event stream.

    For browsers, whose `EventSource` and `WebSocket` can't send headers: `GET /v1/widget/events?ticket=…`.
    """
    check_conversation(caller())
    return created(call("presence", "create_stream_ticket", subject=caller().to_subject()))


def _conversation() -> dict[str, Any]:
    return conversation_of(caller())


def _verified_user(user: dict[str, Any] | None, channel_id: str) -> dict[str, Any]:
    """What the contact's session is to be told of a signed-in user; nothing when nobody is. Raises DomainError."""
    if user is None:
        return {}
    call("messaging", "verify_identity", channel_id=channel_id, user_id=user["id"], hash=user["hash"])
    return {"user": {name: user.get(name) for name in TOLD_OF_USER}}


def _open_session(visitors: Iterator[str], **visit: Any) -> dict[str, Any]:
    """The contact of the first of these visitors who may be whoever comes; the last is always a new one. Raises DomainError."""
    for contact_id in visitors:
        try:
            contact: dict[str, Any] = call("contacts", "open_session", contact_id=contact_id, **visit)
        except RemoteError as error:
            if error.error_code != "CONTACT_NOT_FOUND":
                raise
            continue
        return contact
    raise NotFound("There is no such contact.", code="CONTACT_NOT_FOUND")


def _visitors(token: str | None, idempotency_key: str | None, channel_id: str) -> Iterator[str]:
    known = gateway().signer.read_visitor(token, channel_id)
    if known is not None:
        yield known
    if idempotency_key:
        yield derived_id("gateway", "open_session", channel_id, idempotency_key)
    yield new_id()
