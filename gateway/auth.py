"""Who makes a request: agents and visitors by signed tokens, integrations by API tokens; and who may use which route."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar, cast

from flask import Request, g, request

from gateway.context import gateway
from gateway.documentation import secured
from gateway.tokens import AGENT
from services.common.documents import of_known
from services.common.errors import DomainError, Forbidden, Unauthenticated

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
View = Callable[Parameters, Result]

MAX_TOKEN_LENGTH = 4_096


@dataclass(frozen=True)
class Principal:
    """The one who makes the request. `kind` is agent, visitor or bot; `id` the agent's, the contact's, the API token's."""

    kind: str
    id: str
    name: str | None = None
    role: str | None = None
    session_id: str | None = None
    channel_id: str | None = None
    scopes: tuple[str, ...] = ()
    expires_at: int | None = None  # seconds since the epoch; None for API tokens
    user: bool = False  # of visitors: the website's user, verified when the token was given

    @property
    def actor(self) -> dict[str, str | None]:
        """The principal as RPC arguments name who does something."""
        return {"kind": self.kind, "id": self.id, "name": self.name, "role": self.role}

    @property
    def as_visitor(self) -> dict[str, Any]:
        """The visitor as the services' methods are told of who calls; services of an earlier version know no `user`."""
        return {"contact_id": self.id} | ({"user": True} if self.user else {})

    @property
    def is_admin(self) -> bool:
        """Whether it is an agent of that role."""
        return self.kind == AGENT and self.role == "admin"

    def to_subject(self) -> dict[str, Any]:
        """What a stream ticket stands for; `from_subject` reads it."""
        return {**asdict(self), "scopes": list(self.scopes)}

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any]) -> Self:
        """The principal that a ticket stands for. Raises Unauthenticated (TOKEN_INVALID)."""
        try:
            # A gateway of a later version may say more of whom it gave the ticket to.
            return of_known(cls, {**subject, "scopes": tuple(subject["scopes"])})
        except (KeyError, TypeError):
            raise Unauthenticated("This ticket is not valid.", code="TOKEN_INVALID") from None


def authenticate(request: Request) -> Principal:
    """The principal that the Authorization header names.

    Raises Unauthenticated (UNAUTHENTICATED without a bearer token, TOKEN_EXPIRED, TOKEN_INVALID), Unavailable.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("This needs a token: send `Authorization: Bearer …`.")
    if len(token) > MAX_TOKEN_LENGTH:
        raise Unauthenticated("This token is not valid.", code="TOKEN_INVALID")
    if token.count(".") == 2:
        return check_session(_read_signed(token))
    known = gateway().api_tokens.verify(token)
    return Principal("bot", known.id, known.name, scopes=known.scopes)


def principal_from_ticket(ticket: str) -> Principal:
    """The principal to whom a stream ticket was given; the ticket is used up. Raises Unauthenticated, Unavailable."""
    subject = gateway().rpc.call("presence", "redeem_stream_ticket", ticket=ticket)
    return check_session(Principal.from_subject(subject))


def check_session(principal: Principal) -> Principal:
    """The same principal. Raises Unauthenticated (TOKEN_INVALID) when its session was ended, Unavailable."""
    if principal.session_id is not None:
        revoked = gateway().revoked
        revoked.require_loaded()
        if principal.session_id in revoked:
            raise Unauthenticated("This session was ended: sign in again.", code="TOKEN_INVALID")
    return principal


def identify() -> Principal:
    """The principal of the present request, found once. Raises Unauthenticated, Unavailable."""
    if "principal" not in g:
        if "refusal" not in g:
            try:
                g.principal = authenticate(request)
                return cast("Principal", g.principal)
            except DomainError as refusal:
                g.refusal = refusal
        raise g.refusal
    return cast("Principal", g.principal)


def caller() -> Principal:
    """The principal of a route that needs one."""
    return cast("Principal", g.principal)


def agent_required(view: View[Parameters, Result]) -> View[Parameters, Result]:
    """For signed-in agents of any role."""

    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        _require("agent")
        return view(*args, **kwargs)

    return secured(guarded, "agent", roles=["agent", "admin"])


def admin_required(view: View[Parameters, Result]) -> View[Parameters, Result]:
    """For administrators."""

    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if not _require("agent").is_admin:
            raise Forbidden("This is for administrators.")
        return view(*args, **kwargs)

    return secured(guarded, "agent", roles=["admin"])


def visitor_required(view: View[Parameters, Result]) -> View[Parameters, Result]:
    """For visitors, from pages that their channel allows."""

    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        require_visitor()
        return view(*args, **kwargs)

    return secured(guarded, "visitor", "ORIGIN_NOT_ALLOWED", roles=["visitor"])


def bot_required(view: View[Parameters, Result]) -> View[Parameters, Result]:
    """For integrations whose API token has the scope `bot`."""

    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if "bot" not in _require("bot").scopes:
            raise Forbidden("This API token has not the scope `bot`.")
        return view(*args, **kwargs)

    return secured(guarded, "apiToken", roles=["bot"])


def require_visitor() -> Principal:
    """The visitor who makes the present request. Raises Unauthenticated, Forbidden, Unavailable."""
    principal = _require("visitor")
    if principal.channel_id is not None:
        gateway().origins.check(request, principal.channel_id)
    gateway().saw_visitor(principal.id)
    return principal


def _require(kind: str) -> Principal:
    principal = identify()
    if principal.kind != kind:
        article = "an" if kind == "agent" else "a"
        raise Forbidden(f"This needs {article} {kind}'s token, and this is another's ({principal.kind}).")
    return principal


def _read_signed(token: str) -> Principal:
    claims = gateway().signer.read(token)
    if claims["typ"] == AGENT:
        return Principal(
            "agent", claims["sub"], claims["name"], claims["role"], session_id=claims["sid"], expires_at=claims["exp"]
        )
    is_user = claims.get("user") is True
    return Principal("visitor", claims["sub"], channel_id=claims["channel"], expires_at=claims["exp"], user=is_user)
