"""How often somebody may ask: per process and in memory, by token or else by address."""

import hashlib
import math
import time
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter, RateLimitExceeded

from gateway.auth import MAX_TOKEN_LENGTH, identify
from gateway.context import gateway, remote_address
from gateway.errors import problem
from gateway.parsing import read_json
from services.common.errors import DomainError
from services.common.spelling import spelling_key

View = TypeVar("View", bound=Callable[..., Any])

SIGN_IN = "10/minute"
WIDGET_SESSION = "30/minute"
MESSAGES = "120/minute"
EXPORTS = "10/minute"
# Facebook sends for all pages from few addresses, and disables a webhook that refuses too often.
MESSENGER = "12000/minute"
MESSENGER_ALL_PAGES = "24000/minute"
# Facebook's bodies are well signed: what is refused counts as anybody's requests do.
MESSENGER_REFUSED = "1200/minute"
# Facebook asks once, when somebody sets up the webhook; guessing a verify token takes many questions.
MESSENGER_CHALLENGES = "20/minute"
# A first visit to the console asks for some hundred and sixty files, later ones for one; and many agents of one office may come by one address.
PAGES = "12000/minute"
EVERYTHING = "1200/minute"
UNLIMITED = frozenset({"/healthz", "/healthz/serving", "/readyz", "/metrics"})
_REFUSALS = range(400, 500)
_OWN_ALLOWANCE = "_own_allowance"  # a mark on views; functools.wraps keeps it


def by_caller() -> str:
    """A token that is known to be good, else the address: inventing tokens gives no new allowance."""
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    if not token:
        return by_address()
    # Presence is not asked for the sake of a limit.
    if token.count(".") != 2 and gateway().api_tokens.recall(token.strip()) is None:
        return by_address()
    try:
        principal = identify()
    except DomainError:
        return by_address()
    return f"{principal.kind} {principal.session_id or principal.id}"


def by_address() -> str:
    """The client's address; an IPv6 network of the size that one household gets counts as one."""
    address = remote_address() or "unknown"
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def by_address_and_path() -> str:
    """Who sends to which page's webhook."""
    return f"{by_address()} {request.path}"


def by_address_and_email() -> str:
    """Whom somebody tries to be, and from where."""
    try:
        body = read_json(request.get_data(cache=True))
        email = spelling_key(str(body["email"]))
    except (DomainError, KeyError, TypeError):
        email = ""
    return f"{by_address()} {hashlib.sha256(email.encode()).hexdigest()[:32]}"


def by_visitor_or_address() -> str:
    """Whose visit goes on, by a good token in the body; a new one is its address's, and so is who invents a token.

    Behind one address may be a whole office, or everybody on a mobile network.
    """
    try:
        token = read_json(request.get_data(cache=True))["visitor_token"]
    except (DomainError, KeyError, TypeError):
        return by_address()
    if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH:
        return by_address()
    visitor = gateway().signer.read_visitor(token, str((request.view_args or {}).get("channel_id")))
    return by_address() if visitor is None else f"visitor {visitor}"


def has_own_allowance() -> bool:
    """Whether the request's view is counted by its own limits instead of everybody's.

    `limiter.exempt` is not for that: flask-limiter drops all the limits of a view that has any exemption.
    """
    return getattr(current_app.view_functions.get(request.endpoint or ""), _OWN_ALLOWANCE, False)


class Allowances(Limiter):
    """flask-limiter, which otherwise finds out which limits a view has, twice, before it asks whether any counts."""

    def _check_request_limit(self, *args: Any, **kwargs: Any) -> None:
        if not is_unlimited():
            super()._check_request_limit(*args, **kwargs)


limiter = Allowances(
    key_func=by_caller,
    application_limits=[EVERYTHING],
    application_limits_exempt_when=has_own_allowance,
    storage_uri="memory://",
    strategy="fixed-window",
    headers_enabled=False,
)
limit_sign_in = limiter.limit(SIGN_IN, key_func=by_address_and_email)
limit_widget_sessions = limiter.limit(WIDGET_SESSION, key_func=by_visitor_or_address)
limit_messages = limiter.limit(MESSAGES, key_func=by_caller)
limit_exports = limiter.limit(EXPORTS, key_func=by_caller)
limit_challenges = limiter.limit(MESSENGER_CHALLENGES, key_func=by_address)


def limit_messenger(view: View) -> View:
    """Limits of its own instead of everybody's: for each address and page, and for each address whatever pages it names."""
    limited: Any = view
    for limit in (
        # Read at each request: tests shrink them.
        limiter.limit(lambda: MESSENGER, key_func=by_address_and_path, scope="page"),
        limiter.limit(lambda: MESSENGER_ALL_PAGES, key_func=by_address, scope="all"),
        limiter.limit(lambda: MESSENGER_REFUSED, key_func=by_address, scope="refused", deduct_when=is_refusal),
    ):
        limited = limit(limited)
    return cast("View", _apart(limited))


def limit_pages(view: View) -> View:
    """A limit of its own instead of everybody's, for pages and their files together: by address, as nobody signs in for them."""
    limited = limiter.shared_limit(lambda: PAGES, scope="pages", key_func=by_address)(view)
    return cast("View", _apart(limited))


def _apart(limited: Any) -> Any:
    """The view, counted by its own limits instead of everybody's."""
    setattr(limited, _OWN_ALLOWANCE, True)
    return limited


def is_refusal(response: Response) -> bool:
    """Whether the request was a bad one; one too many was not even looked at."""
    return response.status_code in _REFUSALS and response.status_code != HTTPStatus.TOO_MANY_REQUESTS


def is_unlimited() -> bool:
    """What operators' machines ask is not counted, nor anything when FOYER_RATE_LIMITS says off."""
    return not gateway().settings.rate_limits or request.path in UNLIMITED or request.method == "OPTIONS"


def register(app: Flask) -> None:
    """Count the application's requests."""
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, handle_rate_limit)


def handle_rate_limit(error: RateLimitExceeded) -> Response:
    """Too many requests: says when the window ends."""
    current = limiter.current_limit
    wait = 1 if current is None else max(1, math.ceil(current.reset_at - time.time()))
    return problem("RATE_LIMITED", f"No more than {error.description}: try again in {wait} s.", data={"retry_after": wait})


# Checking and playing a flow is work: up to about a second for the largest.
FLOW_TRIALS = "60/minute"
limit_flow_trials = limiter.shared_limit(FLOW_TRIALS, scope="flow trials", key_func=by_caller)
