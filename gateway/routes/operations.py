"""What those who run the product ask: alive, ready, and how much of everything."""

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.answers import answer
from gateway.context import gateway
from gateway.documentation import Blueprint
from gateway.schemas.operations import HealthSchema, ReadinessSchema

blueprint = Blueprint(
    "operations", __name__, implied=(), description="For those who run the product. Not limited, not signed in."
)


@blueprint.route("/healthz")
@blueprint.response(200, HealthSchema)
@blueprint.alt_response(503, schema=HealthSchema, description="The process is about to end.")
def show_health() -> Response:
    """Whether the process is alive and wants requests.

    Says nothing of the broker and the services: restarting the gateway would not help them.
    """
    return answer({"status": "draining"}, 503) if gateway().draining else answer({"status": "ok"})


@blueprint.route("/healthz/serving")
@blueprint.response(200, HealthSchema)
@blueprint.alt_response(503, schema=HealthSchema, description="Another gateway serves better.")
def show_serving() -> Response:
    """Whether a balancer that has the choice should send requests here.

    Not while the process is about to end, and not while its own link to the broker is lost: it would answer 503 faster than others
    answer at all.
    """
    status = "draining" if gateway().draining else "ok" if gateway().rpc.connected else "disconnected"
    return answer({"status": status}, 200 if status == "ok" else 503)


@blueprint.route("/readyz")
@blueprint.response(200, ReadinessSchema)
@blueprint.alt_response(503, schema=ReadinessSchema, description="Something is missing; the body says what.")
def show_readiness() -> Response:
    """Whether requests can be served: asks all four services, once a second at most."""
    report = gateway().readiness.report()
    ready = report["status"] == "ok"
    response = answer(report, 200 if ready else 503)
    if not ready:
        response.headers["Retry-After"] = "1"
    return response


@blueprint.route("/metrics")
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def show_metrics() -> Response:
    """What the process counts and times, in Prometheus' format."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
