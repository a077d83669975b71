"""`python -m tests.integration.later_process <service>`: the service as a later version might be, whose every result, error and event
says more than this version knows, at every level."""

import sys
from typing import Any

from services.common import process

CLASSES = {
    "presence": "PresenceService",
    "contacts": "ContactsService",
    "messaging": "MessagingService",
    "assignment": "AssignmentService",
}
# Whose names are data.
MAPPINGS = frozenset({"fields", "blocks", "errors", "exc_args"})
MORE = {"since": "a later version", "parts": [{"of": 2}]}

_serve = process._serve


def grown(value: Any) -> Any:
    """The value with a name more in each of its objects."""
    if isinstance(value, list | tuple):
        return [grown(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: each if name in MAPPINGS else grown(each) for name, each in value.items()} | {"later": MORE}


def _serve_later(service_class: Any, settings: Any) -> int:
    from services.common import outbox, rpc
    from services.common.wire import encode

    for module in (outbox, rpc):
        module.encode = lambda value: encode(grown(value))  # type: ignore[attr-defined]
    return _serve(service_class, settings)


if __name__ == "__main__":
    process._serve = _serve_later
    process.run(f"services.{sys.argv[1]}.service", CLASSES[sys.argv[1]])
