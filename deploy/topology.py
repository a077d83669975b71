"""`python -m deploy.topology`: writes services/common/topology.json from the services' own subscriptions; `--check` compares only."""

import sys
from typing import Any

import orjson
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from services.assignment.service import AssignmentService
from services.common.events import Subscription
from services.common.topology import SUBSCRIPTIONS_FILE
from services.contacts.service import ContactsService
from services.messaging.service import MessagingService
from services.presence.service import PresenceService

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
    """The file's content."""
    return orjson.dumps(declared_subscriptions(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> int:
    """0 when the file is (now) right, 1 when `--check` finds it wrong."""
    content = render()
    if "--check" in sys.argv[1:]:
        if SUBSCRIPTIONS_FILE.read_bytes() == content:
            return 0
        print("services/common/topology.json is not what the services subscribe to; run `make topology`.")
        return 1
    SUBSCRIPTIONS_FILE.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
