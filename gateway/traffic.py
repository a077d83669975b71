"""What surrounds every request: its id, its log line, its metrics, the headers of its answer, and how many are under way."""

import re
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram
from werkzeug.wsgi import ClosingIterator

from gateway.documentation import query_names
from gateway.origins import add_cors
from services.common import metrics, tracing
from services.common.errors import Invalid
from services.common.ids import new_id
from services.common.logs import get_logger, request_id
from services.common.metrics import LATENCY_BUCKETS
from services.common.version import VERSION

log = get_logger(__name__)

REQUESTS = Counter("foyer_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "foyer_http_request_seconds", "Time to an answer's first byte", ["method", "route"], buckets=(*LATENCY_BUCKETS, 5.0)
)

REQUEST_ID_HEADER = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
# Asked every few seconds: no traces of them, and no log lines while all is well.
OPERATIONS = frozenset({"/healthz", "/healthz/serving", "/readyz", "/metrics"})
# A console asks for all of its own at once: likewise.
FILES = frozenset({"/console/<path:name>", "/demo/<path:name>", "/docs/<path:name>", "/widget.js"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

# As `response.headers` compares names.
HEADER_NAMES = tuple((name.lower(), (name, value)) for name, value in HEADERS.items())

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class InFlight:
    """Counts the requests from their arrival until the last byte of their answer is written."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self.count = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        self.count += 1
        try:
            body = self._app(environ, start_response)
        except BaseException:
            self._leave()
            raise
        return ClosingIterator(body, [self._leave])

    def _leave(self) -> None:
        self.count -= 1


def start_span() -> tracing.Span | None:
    """The first span of a new trace: what a client says of its own traces is not believed."""
    rule = request.url_rule.rule if request.url_rule is not None else "none"
    tracing.leave()
    if rule in OPERATIONS or rule in FILES:
        return None
    method = request.method if request.method in METHODS else "other"
    return tracing.start(f"{method} {rule}", "server", **{"http.request.method": method, "http.route": rule}).enter()


@cache
def counters(method: str, route: str, status: int) -> tuple[Callable[[], None], Callable[[float], None]]:
    """What counts an answer, and what takes its seconds; bounded as the routes are, and looking up labels costs more than counting."""
    return REQUESTS.labels(method, route, status).inc, SECONDS.labels(method, route).observe


def add_headers(response: Response) -> None:
    """Give the answer what every one has, as far as it hasn't its own."""
    own = {name.lower() for name, _ in response.headers}
    response.headers.extend([header for name, header in HEADER_NAMES if name not in own])
    response.headers[REQUEST_ID_HEADER] = request_id.get() or ""


def register(app: Flask) -> None:
    """Surround the application's requests."""
    names: dict[str, frozenset[str] | None] = {}

    def begin() -> None:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request_id.set(given if _SANE_ID.fullmatch(given) else new_id())
        g.began = time.perf_counter()
        if tracing.active():
            g.span = start_span()

    def check_query() -> None:
        # Misspelt parameters are errors on every route, also on those that take none.
        endpoint = request.endpoint
        if endpoint is None or not request.args:
            return
        if endpoint not in names:
            names[endpoint] = query_names(app.view_functions[endpoint])
        known = names[endpoint]
        unknown = set() if known is None else set(request.args) - known
        if unknown:
            raise Invalid("Some values are not valid.", errors={name[:100]: ["Unknown field."] for name in sorted(unknown)[:20]})

    def end(response: Response) -> Response:
        asked = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - ten looks through the proxy are felt
        seconds = time.perf_counter() - g.began
        route = asked.url_rule.rule if asked.url_rule is not None else "none"
        method = asked.method if asked.method in METHODS else "other"
        status = response.status_code
        count, observe = counters(method, route, status)
        count()
        observe(seconds)
        if tracing.active() and (span := g.pop("span", None)) is not None:
            span.end(failed=status >= 500, **{"http.response.status_code": status})
        # A balancer asks every second: that all is well is not worth a line each time.
        quiet = (route in OPERATIONS and status == 200) or (route in FILES and status < 400)
        say = log.debug if quiet else log.info
        say("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
        add_headers(response)
        add_cors(asked, response)
        return response

    metrics.BUILD_INFO.labels("gateway", VERSION).set(1)
    app.before_request(begin)
    app.before_request(check_query)
    app.after_request(end)
