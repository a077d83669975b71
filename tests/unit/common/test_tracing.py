"""What a trace's context does with whatever arrives in its place."""

import subprocess
import sys

import orjson
import pytest

from services.common import tracing
from services.common.envelope import Event, NewEvent
from services.common.outbox import to_message

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def test_nothing_is_carried_without_tracing() -> None:
    assert not tracing.active()
    entry = NewEvent("contact_created", "contact", {}).entry("c", 1)
    assert "traceparent" not in entry
    body = to_message("contacts", entry).body
    assert "traceparent" not in orjson.loads(body)
    assert Event.decode(body).traceparent is None


def test_untraced_process_passes_on_what_another_began() -> None:
    entry = NewEvent("contact_created", "contact", {}).entry("c", 1) | {"traceparent": PARENT}
    with tracing.publishing("contacts", [entry]) as parents:
        body = to_message("contacts", entry, parents[entry["id"]]).body
    assert Event.decode(body).traceparent == PARENT


@pytest.mark.parametrize(
    "traceparent", [None, "", "nonsense", PARENT + "x", f"ff-{'a' * 32}-{'b' * 16}-01", 5, ["x"], PARENT.upper()]
)
def test_unreadable_context_begins_a_new_trace(traceparent: object) -> None:
    from opentelemetry.trace import get_current_span

    assert not get_current_span(tracing._context(traceparent)).get_span_context().is_valid


def test_readable_context_is_continued() -> None:
    from opentelemetry.trace import get_current_span

    found = get_current_span(tracing._context(PARENT)).get_span_context()
    assert (f"{found.trace_id:x}", f"{found.span_id:x}", found.is_remote) == ("a" * 32, "b" * 16, True)


def test_probe_of_health_imports_next_to_nothing() -> None:
    program = "import sys, services.common.probe; print(sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    for heavy in ("eventlet", "nameko", "pymongo", "flask", "gevent", "structlog", "opentelemetry"):
        assert f"'{heavy}'" not in loaded
