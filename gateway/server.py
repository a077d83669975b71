"""gunicorn's configuration, and the hooks through which it begins and ends: `gunicorn -c python:gateway.server …`.

gunicorn's first process imports this module; it must stay free of everything that gevent is to patch in the second.
"""

import math
import os
import signal
import sys
import time
from typing import Any

# structlog loads it wherever it is installed, as the tests' packages do, to draw tracebacks that no log here has: 5 MB in each process.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

from gunicorn import glogging  # noqa: E402

from services.common import logs  # noqa: E402

# Several processes, not several workers: one stream consumer per process.
worker_class = "gevent"
workers = 1
worker_connections = 20_000
backlog = 4_096
keepalive = 75
# gunicorn kills the process after it. An unusable value never comes here: gateway.__main__ refuses it.
graceful_timeout = 5 + math.ceil(float(os.environ.get("FOYER_DRAIN_SECONDS", "").strip() or 0))
timeout = 60
# A heartbeat file on a disk may block for longer than `timeout`.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
accesslog = None  # gateway.traffic writes a line for each request
limit_request_line = 8_190
limit_request_fields = 100
# Nobody tells by a header where a path begins or which scheme was asked for: gunicorn believes both of whoever comes from loopback.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True

# What remains for requests under way when the streams have ended.
LAST_SECONDS = 2.0
LOGGERS = ("gunicorn.error", "gunicorn.access")


BAD_REQUEST = "Invalid request"


class Logger(glogging.Logger):
    """gunicorn's, from its first line on in the form of every other process."""

    def warning(self, msg: Any, *args: Any, **options: Any) -> None:
        """Of a request that is no HTTP not who sent it, nor its words: addresses and what people search for stay out of logs."""
        super().warning(BAD_REQUEST if str(msg).startswith(BAD_REQUEST) else msg, *args, **options)

    def setup(self, cfg: Any) -> None:
        """Log as every other process does."""
        super().setup(cfg)
        configure_logs()


logger_class = Logger


def when_ready(_server: Any) -> None:
    """Let in what gateway.__main__ held back; gunicorn handles signals by now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))


def post_fork(_server: Any, worker: Any) -> None:
    """Log as every other process does, with locks that gevent has patched; and hear of the end before the first request."""
    settle(worker.cfg)
    configure_logs()
    # The handler that the fork took over tells gunicorn's first process, which is another one now.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))


def settle(config: Any) -> None:
    """Have each of gunicorn's settings at hand: it asks for two dozen of them a request, each by a failed look and two calls."""
    vars(config).update({name: config.settings[name].get() for name in config.settings if not hasattr(type(config), name)})


def post_worker_init(worker: Any) -> None:
    """Connect, now that gevent has patched everything, and be told of the end before gunicorn waits for the streams."""
    app = worker.app.callable
    from gateway.context import of
    from services.common import tracing

    log_greenlet_failures()
    tracing.begin("gateway")
    of(app).start()

    def end(number: int, _frame: object) -> None:
        import gevent

        signal.signal(number, signal.SIG_IGN)
        gevent.spawn(leave, worker, app)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, end)


def leave(worker: Any, app: Any) -> None:
    """Say so for as long as the balancer needs to notice, serving meanwhile as ever, and end."""
    from gateway.context import of

    parts = of(app)
    if parts.settings.drain_seconds:
        parts.draining = True
        time.sleep(parts.settings.drain_seconds)
    worker.alive = False  # no new connections, within a second
    finish(app)


def finish(app: Any) -> None:
    """End the streams, let the requests under way be answered, leave.

    Idle keep-alive connections would hold gunicorn's own end until it is killed, hence the exit from here.
    """
    from gateway.context import of
    from services.common import tracing

    parts = of(app)
    deadline = time.monotonic() + LAST_SECONDS
    parts.end_streams()
    while app.extensions["foyer_in_flight"].count and time.monotonic() < deadline:
        time.sleep(0.02)
    parts.stop()
    tracing.end()
    os._exit(0)


def log_greenlet_failures() -> None:
    """A greenlet's failure ends in the hub, which would print it, and which can't wait for a lock."""
    import gevent
    import gevent.hub

    gevent.hub.Hub.print_exception = lambda _hub, _context, *failure: gevent.spawn(logs.report_uncaught, *failure)


def configure_logs() -> None:
    """Send gunicorn's records the same way as ours."""
    import logging

    logs.configure(
        level=os.environ.get("FOYER_LOG_LEVEL", "").strip() or "INFO",
        form=os.environ.get("FOYER_LOG_FORMAT", "").strip() or "json",
        process="gateway",
    )
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
