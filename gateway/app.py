"""The Flask application: every part of the gateway put together."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from gateway import assets, bodies, errors, limits, openapi, pages, routes, traffic
from gateway.context import EXTENSION, Gateway
from gateway.rpc import TimedRpcClient
from gateway.settings import GatewaySettings
from gateway.streams import EXTENSION as STREAMS
from gateway.streams import StreamHub
from gateway.streams import blueprint as events
from services.common.rpc_client import RpcClient


class Application(Flask):
    """Flask, for views that are plain functions."""

    request_class = bodies.BoundedRequest

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: Flask would look ten times a request whether one is a coroutine."""
        return func


def create_app(settings: GatewaySettings, rpc: RpcClient | None = None) -> Flask:
    """The application, ready to serve; nothing connects before `gateway.context.of(app).start()`, to be called after the fork.

    Tests may hand in an `rpc` of their own.
    """
    app = Application("gateway", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=settings.max_body_bytes, MAX_FORM_MEMORY_SIZE=settings.max_body_bytes)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    parts = Gateway(settings, rpc or TimedRpcClient(settings))
    hub = StreamHub(settings, parts.rpc, parts.revoked)
    parts.hub = hub
    app.extensions[EXTENSION] = parts
    app.extensions[STREAMS] = hub
    traffic.register(app)
    errors.register(app)
    limits.register(app)
    api = openapi.register(app)
    routes.register(api)
    api.register_blueprint(events)
    openapi.serve(app, api)
    app.register_blueprint(pages.blueprint)
    assets.prepare()
    pages.release.page()
    in_flight = traffic.InFlight(bodies.hurry(app.wsgi_app))
    app.wsgi_app = in_flight  # type: ignore[method-assign]
    app.extensions["foyer_in_flight"] = in_flight
    return app
