"""The broker's exchanges, queues and streams, declared by every process before its first message: an unbound event is a lost one.

`topology.json` beside this file is generated from the services' own subscriptions (`make topology`); a test compares them.
Event queues are `events.<service>`, their dead letters `events.<service>.dead`, RPC queues `rpc-<service>`.
"""

import time
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
SERVICES = ("messaging", "presence", "assignment", "contacts")
SUBSCRIPTIONS_FILE = Path(__file__).with_name("topology.json")
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


def declare(connection: Any, settings: Settings) -> None:
    """Declare the whole of it, idempotently, over a connection."""
    limits = {
        "x-queue-type": "stream",
        "x-max-age": settings.stream_max_age,
        "x-max-length-bytes": settings.stream_max_bytes,
        "x-stream-max-segment-size-bytes": min(SEGMENT_BYTES, settings.stream_max_bytes // 4),
    }
    try:
        with connection.channel() as channel:
            channel.queue_declare(EVENT_LOG, durable=True, auto_delete=False, arguments=limits)
    except amqp.exceptions.PreconditionFailed:
        # A stream keeps the limits it was made with; an operator changes them with a policy.
        log.warning("event_log_has_other_limits", wanted=limits)
    with connection.channel() as channel:
        channel.queue_declare(EPOCH_LOG, durable=True, auto_delete=False, arguments={"x-queue-type": "stream"})
        channel.exchange_declare(RPC_EXCHANGE, "topic", durable=True, auto_delete=False)
        for service in SERVICES:
            channel.exchange_declare(event_exchange(service), "topic", durable=True, auto_delete=False)
            channel.queue_bind(EVENT_LOG, event_exchange(service), "#")
        for service, pairs in subscriptions().items():
            channel.queue_declare(event_queue(service), durable=True, auto_delete=False)
            channel.queue_declare(dead_letter_queue(service), durable=True, auto_delete=False)
            for source, kind in pairs:
                channel.queue_bind(event_queue(service), event_exchange(source), kind)


def declare_rpc_queue(channel: Any, service: str) -> None:
    """The queue of a service's calls; only the service itself declares it, so that callers notice when it isn't there."""
    channel.queue_declare(rpc_queue(service), durable=True, auto_delete=False, arguments={"x-expires": RPC_QUEUE_EXPIRES})
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
            channel.basic_publish(amqp.Message(f"{int(now().timestamp() * 1000):x}", delivery_mode=2), "", EPOCH_LOG)
            channel.wait([amqp.spec.Basic.Ack], timeout=timeout)
        channel.basic_qos(0, 1, False)
        channel.basic_consume(EPOCH_LOG, callback=take, arguments={"x-stream-offset": "first"})
        deadline = time.monotonic() + timeout
        while not found:
            connection.drain_events(timeout=max(0.01, deadline - time.monotonic()))
    finally:
        channel.close()
    return found[0]
