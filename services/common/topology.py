"""The broker's exchanges, queues and streams, made before anybody's first message: an unbound event is a lost one.

Every process declares them, or, with FOYER_TOPOLOGY=given, checks what it uses of what the broker's setup made (ADR 9).

`topology.json` beside this file is generated from the services' subscriptions (`make topology`); a test compares them.
Event queues are `events.<service>`, their dead letters `events.<service>.dead`, RPC queues `rpc-<service>`.
"""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import amqp
import orjson

from services.common.logs import get_logger
from services.common.settings import Settings
from services.common.times import now

log = get_logger(__name__)

RPC_EXCHANGE = "nameko-rpc"
EVENT_LOG = "foyer.events"
EPOCH_LOG = "foyer.epoch"
# Exchanges of their own for what would else need the default exchange, which reaches every queue there is.
DEAD_LETTER_EXCHANGE = "foyer.dead"
EPOCH_EXCHANGE = "foyer.epoch"
SERVICES = ("messaging", "presence", "assignment", "contacts")
SUBSCRIPTIONS_FILE = Path(__file__).with_name("topology.json")
# Subscriptions, as (service, source, event type), that a service gave up, whose bindings may still be there: their events are
# passed over. One leaves this list a release after it came, when the operator has removed its binding.
RETIRED: frozenset[tuple[str, str, str]] = frozenset()
# A service that is gone for a minute is "not there" (answered at once) instead of "late" (answered at the deadline).
RPC_QUEUE_EXPIRES = 60_000
SEGMENT_BYTES = 50_000_000


def event_exchange(service: str) -> str:
    """Where a service's events are published, by type."""
    return f"{service}.events"


def event_queue(service: str) -> str:
    """Where a service's subscriptions arrive."""
    return f"events.{service}"


def dead_letter_queue(service: str) -> str:
    """Where events go that a service failed on repeatedly."""
    return f"events.{service}.dead"


def rpc_queue(service: str) -> str:
    """Where a service takes its calls from."""
    return f"rpc-{service}"


@cache
def subscriptions() -> dict[str, list[tuple[str, str]]]:
    """Per service the (source, event type) pairs that it handles."""
    declared = orjson.loads(SUBSCRIPTIONS_FILE.read_bytes())
    return {service: [(source, kind) for source, kind in pairs] for service, pairs in declared.items()}


@cache
@cache
def listeners(service: str) -> dict[str, list[str]]:
    """Per type of a service's events the event queues that they have to reach; the log's takes every type."""
    found: dict[str, list[str]] = {}
    for listener, pairs in subscriptions().items():
        for source, kind in pairs:
            if source == service:
                found.setdefault(kind, []).append(event_queue(listener))
    return found


@dataclass(frozen=True)
class Layout:
    """What there is on the broker: exchanges by type, queues by arguments, bindings as (exchange, queue, key)."""

    exchanges: dict[str, str]
    queues: dict[str, dict[str, Any]]
    bindings: list[tuple[str, str, str]]


def layout(settings: Settings, broker_version: str) -> Layout:
    """All that is there before the first message; RPC and reply queues belong to those who listen to them."""
    ordinary = queue_arguments(settings, broker_version)
    event_log = {
        "x-queue-type": "stream",
        "x-max-age": settings.stream_max_age,
        "x-max-length-bytes": settings.stream_max_bytes,
        "x-stream-max-segment-size-bytes": min(SEGMENT_BYTES, settings.stream_max_bytes // 4),
    }
    exchanges = {RPC_EXCHANGE: "topic", DEAD_LETTER_EXCHANGE: "topic", EPOCH_EXCHANGE: "direct"}
    exchanges |= {event_exchange(service): "topic" for service in SERVICES}
    queues: dict[str, dict[str, Any]] = {EVENT_LOG: event_log, EPOCH_LOG: {"x-queue-type": "stream"}}
    bindings = [(EPOCH_EXCHANGE, stream, stream) for stream in queues]
    bindings += [(event_exchange(service), EVENT_LOG, "#") for service in SERVICES]
    for service, pairs in subscriptions().items():
        queues |= {event_queue(service): ordinary, dead_letter_queue(service): ordinary}
        bindings.append((DEAD_LETTER_EXCHANGE, dead_letter_queue(service), service))
        bindings += [(event_exchange(source), event_queue(service), kind) for source, kind in pairs]
    return Layout(exchanges, queues, bindings)


def queue_arguments(settings: Settings, broker_version: str) -> dict[str, Any]:
    """What makes a queue of FOYER_QUEUE_TYPE."""
    if settings.queue_type == "classic":
        return {}
    # RabbitMQ 4 drops a message after 20 redeliveries unless it is told not to; 3.10 keeps it, and refuses to be told.
    unlimited = {"x-delivery-limit": -1} if int(broker_version.partition(".")[0]) >= 4 else {}
    return {"x-queue-type": "quorum"} | unlimited


class TopologyMissing(ConnectionError):
    """Something that the setup should have made isn't there, or isn't up."""


def declare(connection: Any, settings: Settings, process: str = "gateway", *, publishes: bool = False) -> None:
    """Declare the whole of it, idempotently, over a connection; where it is given, check what `process` (or a service) uses.

    Who `publishes` events also checks the queues that they have to reach: the log takes each, so none would come back. Both refuse while the event log is still starting after the broker did: what was published then could be lost.
    Raises BROKER_ERRORS.
    """
    if settings.topology == "given":
        _check(connection, process, publishes=publishes)
        return
    with connection.channel() as channel:
        wanted = layout(settings, _version(channel))
    try:
        with connection.channel() as channel:
            channel.queue_declare(EVENT_LOG, durable=True, auto_delete=False, arguments=wanted.queues[EVENT_LOG])
    except amqp.exceptions.PreconditionFailed:
        # A stream keeps the limits it was made with; an operator changes them with a policy.
        log.warning("event_log_has_other_limits", wanted=wanted.queues[EVENT_LOG])
    with connection.channel() as channel:
        for exchange, kind in wanted.exchanges.items():
            channel.exchange_declare(exchange, kind, durable=True, auto_delete=False)
        for queue, arguments in wanted.queues.items():
            if queue != EVENT_LOG:
                channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
        for exchange, queue, key in wanted.bindings:
            channel.queue_bind(queue, exchange, key)


def used_by(process: str, *, publishes: bool = False) -> tuple[list[str], list[str]]:
    """The exchanges and the queues that the gateway, or a service, publishes to, reads, or must know to be up."""
    if process in SERVICES:
        exchanges = [RPC_EXCHANGE, DEAD_LETTER_EXCHANGE, event_exchange(process)]
        queues = [event_queue(process), dead_letter_queue(process), EVENT_LOG]
        reached = {queue for queues in listeners(process).values() for queue in queues} if publishes else set()
        return exchanges, queues + sorted(reached - set(queues))
    return [RPC_EXCHANGE, EPOCH_EXCHANGE], [EPOCH_LOG, EVENT_LOG]


def _check(connection: Any, process: str, *, publishes: bool) -> None:
    exchanges, queues = used_by(process, publishes=publishes)
    problems = []
    for kind, names in (("exchange", exchanges), ("queue", queues)):
        for name in names:
            try:
                with connection.channel() as channel:
                    if kind == "exchange":
                        channel.exchange_declare(name, "topic", passive=True)
                    else:
                        channel.queue_declare(name, passive=True)
            except (amqp.exceptions.NotFound, amqp.exceptions.AccessRefused) as error:
                problems.append(f"{kind} {name} ({error.reply_text})")
    if problems:
        raise TopologyMissing(f"FOYER_TOPOLOGY=given, but missing until the broker's setup is run: {', '.join(problems)}")


def _version(channel: Any) -> str:
    return str(channel.connection.server_properties["version"])


def declare_rpc_queue(channel: Any, service: str, settings: Settings) -> None:
    """The queue of a service's calls; only the service itself declares it, so that callers notice when it isn't there."""
    arguments = queue_arguments(settings, _version(channel)) | {"x-expires": RPC_QUEUE_EXPIRES}
    channel.queue_declare(rpc_queue(service), durable=True, auto_delete=False, arguments=arguments)
    channel.queue_bind(rpc_queue(service), RPC_EXCHANGE, f"{service}.*")


def read_epoch(connection: Any, *, timeout: float = 5.0) -> str:
    """The event log's epoch: offsets mean something only within one. Made by whoever first finds none.

    A stream can't lose its first message while it fits its only segment, and all readers take the first, so a race of
    two makers ends with one epoch. Raises TimeoutError.
    """
    channel = connection.channel()
    found: list[str] = []

    def take(message: amqp.Message) -> None:
        found.append(bytes(message.body).decode() if isinstance(message.body, bytes | memoryview) else message.body)

    try:
        _, count, _ = channel.queue_declare(EPOCH_LOG, passive=True)
        if not count:
            channel.confirm_select()
            channel.basic_publish(amqp.Message(f"{int(now().timestamp() * 1000):x}", delivery_mode=2), EPOCH_EXCHANGE, EPOCH_LOG)
            channel.wait([amqp.spec.Basic.Ack], timeout=timeout)
        channel.basic_qos(0, 1, False)
        channel.basic_consume(EPOCH_LOG, callback=take, arguments={"x-stream-offset": "first"})
        deadline = time.monotonic() + timeout
        while not found:
            connection.drain_events(timeout=max(0.01, deadline - time.monotonic()))
    finally:
        channel.close()
    return found[0]
