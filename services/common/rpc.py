"""The RPC entrypoint: nameko's wire format and workers, with every call bounded, answered or put aside with a reason.

What differs from nameko 2.14.1's own entrypoint, and why:
- a message without `reply_to`, or that is not JSON, is put aside or answered; it would kill the container, on each restart again;
- a call whose deadline has passed is not begun;
- errors travel as code, text and JSON data; exception arguments lose their types on the wire;
- arguments are loaded through a marshmallow schema before a worker is taken;
- a process whose database is away takes calls behind its replicas: at once when all are like that, and none when one is well;
- on SIGTERM the link stays open until the running workers have answered and acknowledged;
- replies leave unconfirmed over the same link (a lost reply is a timeout anyway; measured 20 % of the calls' cost).
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from marshmallow import Schema
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, ProviderCollector, SharedExtension

from services.common import metrics
from services.common.amqp import BROKER_ERRORS, TRANSIENT, Outgoing
from services.common.consuming import ConsumerLoop
from services.common.errors import DomainError, Invalid, Unavailable
from services.common.lateness import Lateness
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.settings import Settings
from services.common.topology import RPC_EXCHANGE, declare, declare_rpc_queue, rpc_queue
from services.common.validation import load
from services.common.wire import Undecodable, decode_object, encode

log = get_logger(__name__)

CARRIED = ("request_id", "sent_at", "traceparent")
DATABASE_AWAY = "DATABASE_UNAVAILABLE"
# RabbitMQ gives a message to a consumer of the highest priority that has room for it.
BESIDE, BEHIND = {"x-priority": 0}, {"x-priority": -1}
RPC_WORKERS = 40  # also the prefetch; 10 to 50 measured equal, 200 costs a p99 of 450 ms


def to_domain_error(error: BaseException) -> DomainError:
    """What the caller is told of any failure; an unexpected one keeps its details to the log."""
    if isinstance(error, DomainError):
        return error
    if is_outage(error):
        return Unavailable("The database did not answer.", code=DATABASE_AWAY)
    return DomainError("Something unexpected happened; the log has it under this request's id.")


class RpcServer(SharedExtension, ProviderCollector):
    """The link of a service's RPC queue, shared by its methods."""

    def __init__(self) -> None:
        super().__init__()
        self.methods: dict[str, Rpc] = {}
        self._loop: ConsumerLoop | None = None
        self._lateness = Lateness()
        self.behind = False

    def setup(self) -> None:
        """Prepare the link; nothing is consumed before every extension is set up."""
        settings: Settings = self.container.config["settings"]
        self._settings = settings
        self._loop = ConsumerLoop(settings.amqp_uri, "rpc", self._consume)

    def start(self) -> None:
        """Begin to consume."""
        if self._loop is not None:
            self.container.spawn_managed_thread(self._loop.run, identifier="rpc")

    def register_method(self, provider: "Rpc") -> None:
        """Route `<service>.<method>` to an entrypoint."""
        self.methods[f"{self.container.service_name}.{provider.method_name}"] = provider

    def publish(self, message: Outgoing) -> None:
        """Send something over this link. Raises BROKER_ERRORS."""
        if self._loop is not None:
            self._loop.publish(message)

    def stand_behind(self) -> None:
        """Take calls only when no replica has room for them."""
        self._stand(behind=True)

    def stand_beside(self) -> None:
        """Take calls as the replicas do."""
        self._stand(behind=False)

    def _stand(self, *, behind: bool) -> None:
        if self.behind is behind or self._loop is None:
            return
        self.behind = behind
        log.warning("calls_left_to_replicas" if behind else "calls_taken_again")
        self._loop.consume_again(partial(self._begin, nowait=True))

    def _begin(self, channel: Any, tag: str = "", *, nowait: bool = False) -> None:
        rank = BEHIND if self.behind else BESIDE
        handle = partial(self._handle, channel)
        channel.basic_consume(rpc_queue(self.container.service_name), tag, nowait=nowait, callback=handle, arguments=rank)

    def cancel(self) -> None:
        """Take no further calls; those in work still answer."""
        if self._loop is not None:
            self._loop.cancel()

    def stop(self) -> None:
        """Close the link; the container has waited for its workers."""
        if self._loop is not None:
            self._loop.close()

    kill = stop

    @property
    def connected(self) -> bool:
        """Whether calls can arrive now."""
        return self._loop is not None and self._loop.ready.is_set()

    @property
    def alive(self) -> bool:
        """Whether the broker was heard of late, too: a partition ends no connection."""
        return self._loop is not None and self._loop.alive

    def _consume(self, channel: Any) -> None:
        service = self.container.service_name
        declare(channel.connection, self._settings, service)
        declare_rpc_queue(channel, service, self._settings)
        channel.basic_qos(0, RPC_WORKERS, False)
        self._begin(channel)

    def _handle(self, channel: Any, message: Any) -> None:
        arrived = time.monotonic()
        tag = message.delivery_info["delivery_tag"]
        if not message.properties.get("reply_to"):
            self._put_aside(channel, tag, "no_reply_to", message)
            return
        headers = message.headers or {}
        if self._is_late(message, headers):
            self._put_aside(channel, tag, "deadline_passed", message)
            return
        reply = partial(self._reply, channel, message, arrived)
        try:
            provider, kwargs = self._load(message)
        except Exception as error:  # noqa: BLE001 - every call is answered
            reply(None, error)
            return
        try:
            self.container.spawn_worker(
                provider,
                (),
                kwargs,
                context_data={name: headers.get(name) for name in CARRIED},
                handle_result=partial(_finish, reply),
            )
        except ContainerBeingKilled:
            if self._loop is not None:
                self._loop.requeue(channel, tag)

    def _is_late(self, message: Any, headers: Mapping[str, Any]) -> bool:
        sent, limit = headers.get("clock"), str(message.properties.get("expiration", ""))
        if not isinstance(sent, int | float) or not limit.isdecimal():
            return False
        return self._lateness.measure(str(message.properties["reply_to"]), sent) * 1000 > int(limit)

    def _load(self, message: Any) -> tuple["Rpc", dict[str, Any]]:
        routing_key = message.delivery_info["routing_key"]
        provider = self.methods.get(routing_key)
        if provider is None:
            raise Invalid(f"There is no method {routing_key}.", code="MALFORMED_REQUEST")
        try:
            call = decode_object(message.body)
        except Undecodable as error:
            raise Invalid(f"The call is not JSON: {error}.", code="MALFORMED_REQUEST") from None
        args, kwargs = call.get("args", []), call.get("kwargs", {})
        if args or not isinstance(kwargs, dict):
            raise Invalid("A call takes keyword arguments only.", code="MALFORMED_REQUEST")
        return provider, load(provider.arguments, kwargs)

    def _put_aside(self, channel: Any, tag: int, reason: str, message: Any) -> None:
        metrics.RPC_REFUSED.labels(reason).inc()
        log.warning("call_put_aside", reason=reason, method=message.delivery_info["routing_key"])
        if self._loop is not None:
            self._loop.ack(channel, tag)

    def _reply(self, channel: Any, message: Any, arrived: float, result: Any, error: BaseException | None) -> None:
        method = message.delivery_info["routing_key"]
        if error is None:
            try:
                body = encode({"result": result, "error": None})
            except TypeError as failure:
                log.error("result_not_serializable", method=method, reason=str(failure))
                error = failure
        if error is not None:
            said = to_domain_error(error)
            metrics.RPC_ERRORS.labels(method, said.error_code).inc()
            if said.error_code == DATABASE_AWAY:
                self.stand_behind()
            body = encode({"result": None, "error": serialize_error(said)})
        if self._loop is None:
            return
        try:
            self._loop.publish(
                Outgoing(
                    RPC_EXCHANGE,
                    message.properties["reply_to"],
                    body,
                    {"correlation_id": message.properties.get("correlation_id"), "delivery_mode": TRANSIENT},
                )
            )
        except BROKER_ERRORS as failure:
            log.warning("reply_not_sent", method=method, reason=str(failure))
        self._loop.ack(channel, message.delivery_info["delivery_tag"])
        metrics.RPC_SECONDS.labels(method).observe(time.monotonic() - arrived)


def serialize_error(error: DomainError) -> dict[str, Any]:
    """An error in nameko's form, with ours in its arguments: code, text, JSON data; the family's code beside."""
    return {
        "exc_type": error.error_code,
        "exc_path": "",
        "value": error.text,
        "exc_args": [error.error_code, error.text, orjson.dumps(error.data).decode()],
        "general": error.general,
    }


def _finish(reply: Any, _worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
    reply(result, exc_info[1] if exc_info is not None else None)
    return result, exc_info


class NoArguments(Schema):
    """For methods that take nothing."""


class Rpc(Entrypoint):
    """`@rpc(SomeArguments)`: a method that takes what the schema loads, by name."""

    server = RpcServer()

    def __init__(self, arguments: type[Schema] = NoArguments) -> None:
        super().__init__(expected_exceptions=(DomainError,))
        self.arguments = arguments()

    def setup(self) -> None:
        """Register with the server."""
        self.server.register_method(self)

    def stop(self) -> None:
        """No further calls."""
        self.server.cancel()


rpc = Rpc.decorator
