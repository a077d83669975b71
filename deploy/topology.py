"""`python -m deploy.topology`: writes what is generated about the broker; `--check` compares only.

services/common/topology.json comes from the services' own subscriptions, deploy/rabbitmq/definitions.json from it and the rights.
"""

import sys
from pathlib import Path
from typing import Any

import orjson
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from deploy.setup.definitions import definitions
from services.assignment.service import AssignmentService
from services.common.events import Subscription
from services.common.settings import Settings
from services.common.topology import SUBSCRIPTIONS_FILE, subscriptions
from services.contacts.service import ContactsService
from services.messaging.service import MessagingService
from services.presence.service import PresenceService

DEFINITIONS_FILE = Path(__file__).parent / "rabbitmq" / "definitions.json"
SERVICES: tuple[type[Any], ...] = (AssignmentService, ContactsService, MessagingService, PresenceService)


def declared_subscriptions() -> dict[str, list[list[str]]]:
    """Per service the sorted [source, type] pairs that its methods subscribe to."""
    return {
        service.name: sorted(
            [source, kind]
            for method in vars_of(service)
            for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
            if isinstance(entrypoint, Subscription)
            for source, kind in entrypoint.pairs
        )
        for service in SERVICES
    }


def vars_of(service: type[Any]) -> list[Any]:
    """The functions of a class and of those it inherits from."""
    return [getattr(service, name) for name in dir(service) if callable(getattr(service, name))]


def render() -> bytes:
    """What topology.json holds."""
    return orjson.dumps(declared_subscriptions(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def render_definitions() -> bytes:
    """What definitions.json holds, made from topology.json as it is now."""
    subscriptions.cache_clear()
    return orjson.dumps(definitions(Settings.read({})), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> int:
    """0 when the files are (now) right, 1 when `--check` finds one wrong."""
    checks_only = "--check" in sys.argv[1:]
    status = 0
    for path, make in ((SUBSCRIPTIONS_FILE, render), (DEFINITIONS_FILE, render_definitions)):
        content = make()
        if not checks_only:
            path.write_bytes(content)
        elif not path.is_file() or path.read_bytes() != content:
            print(f"{path.parent.name}/{path.name} is not what the services and their rights make it; run `make topology`.")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
