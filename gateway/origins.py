"""Which web pages may use a channel's widget: its allowed origins, and the CORS headers that tell browsers."""

import time
from typing import Any
from urllib.parse import urlsplit

from flask import Request, Response, g

from services.common.errors import DomainError, Forbidden
from services.common.rpc_client import RpcClient

# How long a changed list of origins may go unnoticed by this process.
REMEMBER_SECONDS = 10.0
MAX_REMEMBERED = 10_000
PREFLIGHT_SECONDS = 600
WIDGET_PATH = "/v1/widget/"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-ID"
EXPOSED_HEADERS = "Retry-After, X-Request-ID"


class ChannelOrigins:
    """The channels' allowed origins, asked of messaging and remembered for a few seconds."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._known: dict[str, tuple[tuple[str, ...], float]] = {}

    def remember(self, channel: dict[str, Any]) -> None:
        """A channel as messaging just answered it."""
        if len(self._known) >= MAX_REMEMBERED:
            self._known.clear()
        origins = tuple(origin.casefold().rstrip("/") for origin in channel.get("allowed_origins") or ())
        self._known[channel["id"]] = (origins, time.monotonic() + REMEMBER_SECONDS)

    def allowed(self, channel_id: str) -> tuple[str, ...]:
        """The channel's origins; none means any. An old answer is better than none. Raises NotFound, Unavailable."""
        known = self._known.get(channel_id)
        if known is None or known[1] < time.monotonic():
            try:
                self.remember(self._rpc.call("messaging", "get_channel", channel_id=channel_id))
            except DomainError as error:
                if error.error_code == "CHANNEL_NOT_FOUND" or known is None:
                    raise
        return self._known[channel_id][0]

    def check(self, request: Request, channel_id: str) -> None:
        """Raises Forbidden (ORIGIN_NOT_ALLOWED) for a page that may not use the channel; also NotFound, Unavailable."""
        origin = request.headers.get("Origin")
        if origin is None or is_own(origin, request):
            return
        origins = self.allowed(channel_id)
        if origins and origin.casefold() not in origins:
            g.origin_refused = True
            raise Forbidden(f"The channel does not allow pages of {origin[:200]}.", code="ORIGIN_NOT_ALLOWED")


def is_own(origin: str, request: Request) -> bool:
    """Whether the page comes from the gateway itself, as the demo page does; a browser lets no page forge either header."""
    return bool(request.host) and _host_of(origin) == request.host.casefold()


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.casefold() or None
    except ValueError:
        return None


def add_cors(request: Request, response: Response) -> None:
    """Let a page that was not refused read the answer of a widget route; agents' routes are for same-origin pages only.

    No cookie is ever used, so reflecting the origin gives a page nothing but what its own token gives. A preflight carries
    no token and says nothing of the channel: every page may ask, the request itself is judged.
    """
    origin = request.headers.get("Origin")
    if origin is None or not request.path.startswith(WIDGET_PATH):
        return
    response.headers.add("Vary", "Origin")
    if g.get("origin_refused", False):
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
