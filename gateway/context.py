"""What one gateway process shares between its requests, and how a request reaches it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, cast

from flask import Flask, current_app, g, request

from gateway.addresses import client_address
from gateway.api_tokens import ApiTokens
from gateway.origins import ChannelOrigins
from gateway.readiness import Readiness
from gateway.revocations import RevokedSessions
from gateway.settings import GatewaySettings
from gateway.tokens import Signer
from services.common.logs import get_logger
from services.common.rpc_client import RpcClient

log = get_logger(__name__)

EXTENSION = "foyer"


class Hub(Protocol):
    """What the gateway asks of the event streams."""

    def start(self) -> None:
        """Begin to consume the event log."""

    def stop(self) -> None:
        """Tell every open stream to end."""

    def saw_visitor(self, contact_id: str) -> None:
        """A visitor has just made a request."""


@dataclass
class Gateway:
    """The process's parts, made before the first request and started after the fork."""

    settings: GatewaySettings
    rpc: RpcClient
    hub: Hub | None = field(default=None)
    draining: bool = False  # about to end: /healthz says so, everything else goes on

    @cached_property
    def signer(self) -> Signer:
        """Makes and reads agents' and visitors' tokens."""
        return Signer.of(self.settings)

    @cached_property
    def revoked(self) -> RevokedSessions:
        """The agents' sessions that ended early."""
        return RevokedSessions(self.rpc, self.settings.access_token_seconds)

    @cached_property
    def api_tokens(self) -> ApiTokens:
        """The integrations' tokens, verified not long ago."""
        return ApiTokens(self.rpc)

    @cached_property
    def origins(self) -> ChannelOrigins:
        """Which pages may use which channel."""
        return ChannelOrigins(self.rpc)

    @cached_property
    def readiness(self) -> Readiness:
        """How everything behind this process stands."""
        return Readiness(self.rpc)

    def start(self) -> None:
        """Connect, without waiting: until the broker is there, requests are answered with 503."""
        self.rpc.start()
        self.revoked.start()
        if self.hub is not None:
            self.hub.start()

    def saw_visitor(self, contact_id: str) -> None:
        """A visitor has just made a request: they are there, with or without a stream."""
        if self.hub is not None:
            self.hub.saw_visitor(contact_id)

    def end_streams(self) -> None:
        """Tell every open stream to end; requests are still answered."""
        if self.hub is not None:
            try:
                self.hub.stop()
            except Exception:  # whatever fails, the process must end in time
                log.exception("streams_not_ended")

    def stop(self) -> None:
        """Close what `start` opened."""
        self.revoked.stop()
        self.rpc.close()


def of(app: Flask) -> Gateway:
    """The parts of an application."""
    return cast("Gateway", app.extensions[EXTENSION])


def gateway() -> Gateway:
    """The parts, within a request."""
    return cast("Gateway", current_app.extensions[EXTENSION])


def call(service: str, method: str, /, **kwargs: Any) -> Any:
    """The result of a service's method. Raises DomainError."""
    return gateway().rpc.call(service, method, **kwargs)


def remote_address() -> str | None:
    """The address of the client that made this request, seen through the trusted proxies."""
    if "remote_address" not in g:
        g.remote_address = client_address(
            request.environ.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For"), gateway().settings.trusted_proxies
        )
    return cast("str | None", g.remote_address)
