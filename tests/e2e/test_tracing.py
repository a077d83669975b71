"""One visitor's post is one trace through every process it reaches; without a collector nothing suffers, without an endpoint nothing is loaded."""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import make_channel
from tests.support import parts
from tests.support.collector import Seen, TraceCollector
from tests.support.product import SERVICES, Gateway, Product, Visitor
from tests.support.waiting import wait_until

POST = "POST /v1/widget/messages"


@pytest.fixture(scope="module")
def collector() -> Iterator[TraceCollector]:
    with TraceCollector() as collector:
        yield collector


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, collector: TraceCollector) -> Iterator[Product]:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with parts.running(Product(tmp_path_factory.mktemp("traced"), **endpoint)) as product:
        yield product


gateway = pytest.fixture(parts.gateway, scope="module")


@pytest.fixture(scope="module")
def visitor(gateway: Gateway) -> Visitor:
    visitor = Visitor(gateway, make_channel(gateway, gateway.sign_in()))
    visitor.pass_bot()
    return visitor


def lineage(collector: TraceCollector, span: Seen) -> list[tuple[str, str, str]]:
    """The span and those above it, as far as they have arrived, each as process, kind and name."""
    by_id = {each.id: each for each in collector.spans if each.trace_id == span.trace_id}
    line = []
    step: Seen | None = span
    while step is not None:
        line.append((step.process, step.kind, step.name))
        step = by_id.get(step.parent_id)
    return line


@pytest.mark.parametrize(
    ("event", "hearer"),
    [("messaging.field_collected", "foyer-contacts"), ("messaging.assignment_requested", "foyer-assignment")],
)
def test_post_is_one_trace_down_to_the_services_that_hear_of_it(
    collector: TraceCollector, visitor: Visitor, event: str, hearer: str
) -> None:
    heard = wait_until(lambda: collector.named(event, "consumer"), what=f"the span of {event}")[0]
    wait_until(lambda: len(lineage(collector, heard)) == 5, what="the whole trace")
    assert lineage(collector, heard) == [
        (hearer, "consumer", event),
        ("foyer-messaging", "producer", event),
        ("foyer-messaging", "server", "messaging.post_visitor_message"),
        ("foyer-gateway", "client", "messaging.post_visitor_message"),
        ("foyer-gateway", "server", POST),
    ]


def test_trace_is_found_by_the_requests_id_and_in_the_logs(collector: TraceCollector, product: Product, visitor: Visitor) -> None:
    body = {"text": "again", "client_message_id": "traced-1"}
    response = visitor.gateway.send("POST", "/v1/widget/messages", body, token=visitor.token)
    request_id = response.headers["X-Request-ID"]

    def found() -> list[Seen]:
        return [span for span in collector.named(POST, "server") if span.attributes.get("foyer.request_id") == request_id]

    [span] = wait_until(found, what="the span")
    assert span.attributes["http.response.status_code"] == response.status_code

    def traces() -> set[str]:
        """Of the request's lines, as far as they are written to their end."""
        written = product.services["gateway"].log_path.read_text().splitlines(keepends=True)
        lines = [json.loads(line) for line in written if line.startswith("{") and line.endswith("\n")]
        return {line["trace_id"] for line in lines if line.get("request_id") == request_id}

    assert wait_until(traces, what="the request's line") == {span.trace_id}


def test_health_checks_leave_no_spans(collector: TraceCollector, gateway: Gateway) -> None:
    gateway.send("GET", "/readyz")
    gateway.ask("GET", "/v1/openapi.json")
    wait_until(lambda: collector.named("GET /v1/openapi.json", "server"), what="a later span")
    assert not [span for span in collector.spans if "readyz" in span.name or "get_health" in span.name]


@pytest.mark.parametrize("name", [*SERVICES, "gateway"])
def test_nothing_of_it_is_loaded_without_an_endpoint(product: Product, gateway: Gateway, name: str) -> None:
    untraced = {"OTEL_EXPORTER_OTLP_ENDPOINT": "", "PYTHONPROFILEIMPORTTIME": "1"}
    if name == "gateway":
        before, product.extra = product.extra, product.extra | untraced
        process = product.start_gateway("untraced").process
        product.extra = before
    else:
        process = product.start_service(name, instance=f"untraced-{name}", extra=untraced)
        wait_until(lambda: "service_started" in process.log_path.read_text(), 30, what="the start")
    process.stop()
    log = process.log_path.read_text()
    assert "services.common.tracing" in log  # what is imported is told
    assert "opentelemetry" not in log


def test_absent_collector_costs_only_the_spans(product: Product, collector: TraceCollector) -> None:
    nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    before, product.extra = product.extra, product.extra | nowhere
    gateway = product.start_gateway("unheard")
    product.extra = before
    for _ in range(60):
        gateway.ask("GET", "/v1/openapi.json")
    log = gateway.process.log_path
    wait_until(lambda: "spans_not_sent" in log.read_text(), 20, what="the complaint")
    began = time.monotonic()
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(15.0)
    assert time.monotonic() - began < 10  # 4 s are its own; whoever sends to nobody would try for half a minute
    assert gateway.process.returncode == 0
    complaints = [line for line in log.read_text().splitlines() if '"request"' not in line and '"level": "info"' not in line]
    assert len(complaints) == 1, complaints
