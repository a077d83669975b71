"""Traces in OpenTelemetry's terms over requests, calls and events. Without an endpoint none of it is loaded or done.

The context travels as W3C `traceparent`: a header of calls, a field of outbox entries and events, optional everywhere.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Self

from services.common import logs
from services.common.errors import DomainError, Unavailable
from services.common.version import VERSION

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
UNTRACED = "get_health"  # asked every few seconds, by nobody's request
FLUSH_SECONDS = 2.0
COMPLAINT_SECONDS = 300.0
_W3C = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")

Kind = Literal["server", "client", "producer", "consumer"]

_provider: Any = None
_tracer: Any = None
_current: "ContextVar[Span | None]" = ContextVar("span", default=None)


class Span:
    """One span under way."""

    def __init__(self, span: Any) -> None:
        self._span = span
        context = span.get_span_context()
        self.trace_id = f"{context.trace_id:032x}"
        self.traceparent = f"00-{self.trace_id}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    def enter(self) -> Self:
        """Be the parent of what this thread does from now on, and the trace of its log lines."""
        _current.set(self)
        logs.trace_id.set(self.trace_id)
        return self

    def end(self, error: BaseException | None = None, *, failed: bool = False, **attributes: str | int) -> None:
        """End it. Of an error its code or class is told, never its text, which may hold what people wrote."""
        self._span.set_attributes(attributes)
        if failed:
            self._fail()
        if error is not None:
            expected = isinstance(error, DomainError) and error.error_code != "INTERNAL"
            self._span.set_attribute("error.type", error.error_code if isinstance(error, DomainError) else type(error).__name__)
            if not expected or isinstance(error, Unavailable):
                self._fail()
        self._span.end()

    def _fail(self) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_status(StatusCode.ERROR)


def begin(process: str) -> None:
    """Send spans from now on, if an endpoint is set. Call it after patching and forking."""
    global _provider, _tracer  # noqa: PLW0603 - one per process, and the cheapest possible look whether there is one
    if _tracer is not None or not any(os.environ.get(name, "").strip() for name in ENDPOINTS):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    complaints = logging.getLogger("opentelemetry")
    complaints.handlers, complaints.propagate = [_Seldom()], False
    resource = Resource.create(
        {"service.name": f"foyer-{process}", "service.version": VERSION, "service.instance.id": logs.INSTANCE}
    )
    _provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("foyer", VERSION)


def end() -> None:
    """Send what waits, for up to FLUSH_SECONDS."""
    if _provider is not None:
        ending = threading.Thread(target=_provider.shutdown, name="spans", daemon=True)
        ending.start()
        ending.join(FLUSH_SECONDS)


def active() -> bool:
    """Whether there is anything to do; ask before preparing arguments."""
    return _tracer is not None


def traceparent() -> str | None:
    """The current span's, for whoever continues the trace; None without one."""
    span = _current.get()
    return span.traceparent if span is not None else None


def leave() -> None:
    """Be in no span: a connection's next request is another trace."""
    _current.set(None)
    logs.trace_id.set(None)


def start(name: str, kind: Kind, *, parent: object = None, **attributes: str | int) -> Span:
    """A span under the one that the `traceparent` names, else the first of a new trace. Only while `active`."""
    from opentelemetry.trace import SpanKind

    request = logs.request_id.get()
    if request is not None:
        attributes["foyer.request_id"] = request
    return Span(_tracer.start_span(name, context=_context(parent), kind=SpanKind[kind.upper()], attributes=attributes))


@contextmanager
def span(name: str, kind: Kind, **attributes: str | int) -> Iterator[Span]:
    """A span around a block, under the current one. Only while `active`."""
    outer, outer_id = _current.get(), logs.trace_id.get()
    inner = start(name, kind, parent=outer.traceparent if outer is not None else None, **attributes).enter()
    error: BaseException | None = None
    try:
        yield inner
    except BaseException as raised:
        error = raised
        raise
    finally:
        _current.set(outer)
        logs.trace_id.set(outer_id)
        inner.end(error)


@contextmanager
def publishing(service: str, entries: list[dict[str, Any]]) -> Iterator[Mapping[str, str | None]]:
    """Spans around the publishing of outbox entries; gives each entry's id the traceparent that its event carries."""
    if not active():
        yield {entry["id"]: entry.get("traceparent") for entry in entries}
        return
    spans = {
        entry["id"]: start(
            f"{service}.{entry['type']}",
            "producer",
            parent=entry.get("traceparent"),
            **{"messaging.system": "rabbitmq", "messaging.message.id": entry["id"]},
        )
        for entry in entries
    }
    error: BaseException | None = None
    try:
        yield {key: each.traceparent for key, each in spans.items()}
    except BaseException as raised:
        error = raised
        raise
    finally:
        for each in spans.values():
            each.end(error)


def _context(parent: object) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    found = _W3C.fullmatch(parent) if isinstance(parent, str) else None
    if found is None:
        return Context()
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    remote = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return set_span_in_context(NonRecordingSpan(remote), Context())


class _Seldom(logging.Handler):
    """The SDK complains of every batch that a collector doesn't take; one line in five minutes says as much."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + COMPLAINT_SECONDS
            logs.get_logger(__name__).warning("spans_not_sent", reason=record.getMessage()[:300])
