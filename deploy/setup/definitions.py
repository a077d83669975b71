"""The broker's definitions: what there is and who may do what with it, as RabbitMQ imports it. No users, so no passwords.

Rights are regular expressions over names, per user; docs/adr/0009 explains each.
"""

from typing import Any

from services.common.settings import Settings
from services.common.topology import (
    DEAD_LETTER_EXCHANGE,
    EPOCH_EXCHANGE,
    EPOCH_LOG,
    EVENT_LOG,
    RPC_EXCHANGE,
    SERVICES,
    event_exchange,
    event_queue,
    layout,
    rpc_queue,
    used_by,
)

VHOST = "foyer"
GATEWAY = "gateway"
MONITOR = "monitor"
OPERATOR = "operator"
# Each user's tags: what of the management interface is theirs.
USERS: dict[str, str] = dict.fromkeys(SERVICES, "") | {GATEWAY: "", MONITOR: "monitoring", OPERATOR: "administrator"}
REPLY_QUEUES = r"rpc\.reply-.*"
DEAD_LETTER_BYTES = 1_000_000_000
# The file in the repository says what any release from 3.10 takes; the setup asks the broker for its version.
PLAIN_VERSION = "3.10"


def definitions(settings: Settings, broker_version: str = PLAIN_VERSION) -> dict[str, Any]:
    """What `POST /api/definitions` takes."""
    wanted = layout(settings, broker_version)
    return {
        "vhosts": [{"name": VHOST}],
        "exchanges": [_durable(name, type=kind, internal=False, arguments={}) for name, kind in sorted(wanted.exchanges.items())],
        "queues": [_durable(name, arguments=arguments) for name, arguments in sorted(wanted.queues.items())],
        "bindings": [
            {
                "source": exchange,
                "vhost": VHOST,
                "destination": queue,
                "destination_type": "queue",
                "routing_key": key,
                "arguments": {},
            }
            for exchange, queue, key in sorted(wanted.bindings)
        ],
        "policies": [_dead_letter_bound()],
        "permissions": [
            {"user": user, "vhost": VHOST, "configure": configure, "write": write, "read": read}
            for user, (configure, write, read) in permissions().items()
        ],
        "topic_permissions": [
            {"user": user, "vhost": VHOST, "exchange": exchange, "write": write, "read": read}
            for user, exchange, write, read in topic_permissions()
        ],
    }


def permissions() -> dict[str, tuple[str, str, str]]:
    """Per user what it may configure, write to and read from."""
    found = {
        service: (
            _any_of(rpc_queue(service)),
            # To the event log, the dead letters and the others' events nobody writes by queue. Of RabbitMQ from 4.2.6 on, whoever
            # asks whether a queue is up needs some right on it, and this is the least: with it one could bind the queue to what
            # one may read, which are one's own calls, but neither read nor delete it.
            _any_of(
                rpc_queue(service),
                RPC_EXCHANGE,
                event_exchange(service),
                DEAD_LETTER_EXCHANGE,
                *used_by(service, publishes=True)[1],
            ),
            _any_of(rpc_queue(service), RPC_EXCHANGE, event_queue(service)),
        )
        for service in SERVICES
    }
    found[GATEWAY] = (
        f"^{REPLY_QUEUES}$",
        f"^({REPLY_QUEUES}|{_or(RPC_EXCHANGE, EPOCH_EXCHANGE)})$",
        f"^({REPLY_QUEUES}|{_or(RPC_EXCHANGE, EVENT_LOG, EPOCH_LOG)})$",
    )
    found[MONITOR] = ("^$", "^$", "^$")
    found[OPERATOR] = (".*", ".*", ".*")
    return found


def topic_permissions() -> list[tuple[str, str, str, str]]:
    """(user, exchange, keys to publish with, keys to bind with): answers only, calls to oneself only, one's own dead letters only."""
    found = []
    for service in SERVICES:
        found.append((service, RPC_EXCHANGE, r"^rpc\.reply-", rf"^{_escape(service)}\."))
        found.append((service, DEAD_LETTER_EXCHANGE, f"^{_escape(service)}$", "^$"))
    found.append((GATEWAY, RPC_EXCHANGE, rf"^({_or(*SERVICES)})\.", r"^rpc\.reply-"))
    return found


def _dead_letter_bound() -> dict[str, Any]:
    # A full queue refuses, and what is refused stays where it was: nothing accepted is lost, and the disk doesn't fill.
    return {
        "name": "dead-letters",
        "vhost": VHOST,
        "pattern": r"^events\..*\.dead$",
        "apply-to": "queues",
        "priority": 0,
        "definition": {"max-length-bytes": DEAD_LETTER_BYTES, "overflow": "reject-publish"},
    }


def _durable(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "vhost": VHOST, "durable": True, "auto_delete": False, **more}


def _any_of(*names: str) -> str:
    return f"^({_or(*names)})$"


def _or(*names: str) -> str:
    return "|".join(map(_escape, names))


def _escape(name: str) -> str:
    # re.escape also escapes the hyphen, which Erlang's expressions and readers can do without.
    return name.replace(".", r"\.")
