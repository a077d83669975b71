"""What a process counts and times, in Prometheus' names, and the small HTTP server that shows it with the process's health."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from prometheus_client import Counter, Gauge, Histogram, make_wsgi_app

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

BUILD_INFO = Gauge("foyer_build_info", "1; the labels say what runs", ["service", "version"])
RPC_SECONDS = Histogram("foyer_rpc_seconds", "Time from a call's arrival to its answer", ["method"], buckets=LATENCY_BUCKETS)
RPC_WAIT_SECONDS = Histogram(
    "foyer_rpc_wait_seconds", "Time from a call's sending to its worker's beginning", ["service"], buckets=LATENCY_BUCKETS
)
RPC_ERRORS = Counter("foyer_rpc_errors_total", "Calls answered with an error", ["method", "code"])
RPC_REFUSED = Counter("foyer_rpc_refused_total", "Calls put aside unanswered", ["reason"])
EVENTS_HANDLED = Counter("foyer_events_handled_total", "Events handled", ["source", "type"])
EVENTS_RETRIED = Counter("foyer_events_retried_total", "Failed attempts to handle an event", ["source", "type"])
EVENTS_DEAD = Counter("foyer_events_dead_total", "Events put into the dead-letter queue", ["reason"])
EVENTS_LAG_SECONDS = Histogram(
    "foyer_events_lag_seconds",
    "Time from an event's commit until it is handled",
    ["source"],
    buckets=(*LATENCY_BUCKETS, 10, 60, 600),
)
EVENTS_SENT = Counter("foyer_events_sent_total", "Events that the broker confirmed", ["type"])
# Each replica looks for the same: take the largest, not the sum. NaN while the database can't be read.
OUTBOX_UNSENT = Gauge("foyer_outbox_unsent", "Documents whose events the last sweep found unsent, on all replicas")
OUTBOX_OLDEST = Gauge("foyer_outbox_oldest_seconds", "How long the oldest of these events has been unsent, on all replicas")
OUTBOX_FAILURES = Counter("foyer_outbox_failures_total", "Batches that could not be published at once")
HEALTH = Gauge("foyer_health", "Whether a part of what this replica needs was well when last tried, 15 s ago at most", ["part"])

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def make_app(health: Callable[[], dict[str, Any]], hanging: Callable[[], list[str]]) -> Wsgi:
    """A WSGI application with /metrics, /healthz (503 unless `health()["status"]` is ok) and /livez (503 while something hangs)."""
    metrics: Wsgi = make_wsgi_app()

    def live() -> dict[str, Any]:
        kinds = hanging()
        return {"status": "hanging" if kinds else "ok", "hanging": kinds}

    reports = {"/healthz": health, "/livez": live}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start_response)
        if environ["PATH_INFO"] in reports:
            report = reports[environ["PATH_INFO"]]()
            start_response(
                "200 OK" if report["status"] == "ok" else "503 Service Unavailable", [("Content-Type", "application/json")]
            )
            return [orjson.dumps(report)]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"There are /metrics, /healthz and /livez here.\n"]

    return app
