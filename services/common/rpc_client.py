"""Calls to the services: one connection and one reply queue per process, replies matched to calls by correlation id."""

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

import amqp
import orjson

from services.common import tracing
from services.common.amqp import BROKER_ERRORS, TRANSIENT, Outgoing
from services.common.consuming import ConsumerLoop
from services.common.errors import RemoteError, Unavailable
from services.common.ids import new_id
from services.common.logs import get_logger, request_id
from services.common.settings import Settings
from services.common.topology import RPC_EXCHANGE, declare
from services.common.wire import Undecodable, decode_object, encode

log = get_logger(__name__)

MAX_IN_FLIGHT = 5_000


class RpcClient:
    """`client.call("messaging", "get_channel", channel_id=…)`; use from any thread. `start` it before the first call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout = settings.rpc_timeout
        self._reply_key = ""
        self._pending: dict[str, tuple[str, Future[dict[str, Any]]]] = {}
        self._loop = ConsumerLoop(settings.amqp_uri, "rpc", self._consume, lost=self._fail_all)
        self._thread = threading.Thread(target=self._loop.run, name="rpc", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether replies can arrive now."""
        return self._loop.ready.is_set()

    def start(self, timeout: float = 0.0) -> bool:
        """Begin to listen for replies; wait up to `timeout` seconds for the broker. Returns whether it is connected."""
        self._thread.start()
        return self._loop.ready.wait(timeout)

    def close(self) -> None:
        """Close the links; calls under way fail."""
        self._loop.close()
        self._fail_all()

    def call(self, service: str, method: str, /, *, timeout: float | None = None, **kwargs: Any) -> Any:
        """The method's result.

        Raises RemoteError with the service's code, or Unavailable when the broker is away, the service isn't there (both at
        once) or no answer came within `timeout` seconds (default: FOYER_RPC_TIMEOUT; the call then expires with it).
        """
        limit = self._timeout if timeout is None else timeout
        if not tracing.active() or method == tracing.UNTRACED:
            return self._ask(service, method, kwargs, limit)
        name = f"{service}.{method}"
        with tracing.span(name, "client", **{"rpc.system": "amqp", "rpc.method": name}):
            return self._ask(service, method, kwargs, limit)

    def _ask(self, service: str, method: str, kwargs: dict[str, Any], limit: float) -> Any:
        if not self._loop.ready.is_set():
            raise Unavailable("The message broker is not reachable.", retry_after=2)
        if len(self._pending) >= MAX_IN_FLIGHT:
            raise Unavailable("Too many calls are under way.", code="OVERLOADED")
        correlation_id = new_id()
        future: Future[dict[str, Any]] = Future()
        self._pending[correlation_id] = (service, future)
        try:
            self._publish(service, method, kwargs, correlation_id, limit)
            reply = future.result(limit)
        except FutureTimeout:
            raise Unavailable(f"The {service} service did not answer within {limit:g} s.") from None
        except BROKER_ERRORS as error:
            raise Unavailable("The message broker is not reachable.", retry_after=2) from error
        finally:
            self._pending.pop(correlation_id, None)
        if reply.get("error"):
            raise _remote_error(reply["error"])
        return reply.get("result")

    def _publish(self, service: str, method: str, kwargs: dict[str, Any], correlation_id: str, limit: float) -> None:
        headers = {"request_id": request_id.get() or correlation_id, "clock": time.monotonic(), "sent_at": time.time()}
        if (traceparent := tracing.traceparent()) is not None:
            headers["traceparent"] = traceparent
        self._loop.publish(
            Outgoing(
                RPC_EXCHANGE,
                f"{service}.{method}",
                encode({"args": [], "kwargs": kwargs}),
                {
                    "reply_to": self._reply_key,
                    "correlation_id": correlation_id,
                    "expiration": str(max(1, int(limit * 1000))),
                    "delivery_mode": TRANSIENT,
                },
                headers,
            ),
            mandatory=True,
        )

    def _consume(self, channel: Any) -> None:
        declare(channel.connection, self._settings)
        # Of its own for each link: the broker may hold the last one's, exclusive, until it misses that link's heartbeats.
        self._reply_key = f"rpc.reply-{new_id()}"
        channel.queue_declare(self._reply_key, exclusive=True, auto_delete=True, durable=False)
        channel.queue_bind(self._reply_key, RPC_EXCHANGE, self._reply_key)
        self._loop.on_return(channel, self._handle_return)
        channel.basic_consume(self._reply_key, no_ack=True, callback=self._handle_reply)

    def _handle_reply(self, message: amqp.Message) -> None:
        _, future = self._pending.get(message.properties.get("correlation_id"), (None, None))
        if future is None or future.done():
            return
        try:
            future.set_result(decode_object(message.body))
        except Undecodable as error:
            future.set_exception(Unavailable(f"An answer could not be read: {error}."))

    def _handle_return(self, message: amqp.Message) -> None:
        service, future = self._pending.get(message.properties.get("correlation_id"), (None, None))
        if future is not None and not future.done():
            future.set_exception(Unavailable(f"The {service} service is not running.", retry_after=2))

    def _fail_all(self) -> None:
        # What was under way will not be answered on the next link's queue.
        for _, future in list(self._pending.values()):
            if not future.done():
                future.set_exception(Unavailable("The message broker was lost before the answer came."))


def _remote_error(error: Any) -> RemoteError:
    try:
        code, text, data = error["exc_args"]
        general = error.get("general")
        return RemoteError(str(text), code=str(code), data=dict(orjson.loads(data)), general=general and str(general))
    except (KeyError, ValueError, TypeError):
        text = error.get("value") if isinstance(error, dict) else None
        return RemoteError(str(text or "unknown failure"), code="INTERNAL")
