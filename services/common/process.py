"""The main of a service's process: patch, configure, run until a signal, end in order."""

import importlib
import logging
import os
import signal
import sys
import warnings
from typing import Any

from services.common.settings import InvalidSetting, Settings


def run(module: str, class_name: str) -> None:
    """Run one service until SIGTERM or SIGINT; exit status 0 after an orderly end, 1 after a failure, 2 for bad settings.

    A second signal ends the process at once.
    """
    # A container's first process ignores what it has no handler for, and the imports take a second.
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
    # eventlet's own resolver keeps the old address of a broker that moved for about ten minutes.
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    # structlog loads it wherever it is installed, as the tests' packages do, to draw tracebacks that no log here has: 4 MB.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    if "pymongo" in sys.modules or "amqp" in sys.modules:
        raise RuntimeError("run() patches the standard library, so it must come before the imports that use it")
    import eventlet

    eventlet.monkey_patch()
    try:
        settings = Settings.read()
    except InvalidSetting as error:
        sys.exit(f"{error}")
    service_class = getattr(importlib.import_module(module), class_name)
    sys.exit(_serve(service_class, settings))


def _serve(service_class: Any, settings: Settings) -> int:
    import eventlet
    from eventlet.event import Event
    from eventlet.hubs import get_hub
    from nameko.containers import ServiceContainer

    from services.common import logs, metrics, tracing
    from services.common.events import EVENT_WORKERS
    from services.common.lanes import count_workers
    from services.common.rpc import RPC_WORKERS
    from services.common.version import VERSION

    logs.configure(level=settings.log_level, form=settings.log_format, process=service_class.name)
    metrics.BUILD_INFO.labels(service_class.name, VERSION).set(1)
    tracing.begin(service_class.name)
    # A green thread's failure ends in the hub, which would print it, and which can't wait for a lock.
    get_hub().squelch_timer_exception = lambda _timer, failure: eventlet.spawn(logs.report_uncaught, *failure)
    log = logs.get_logger(__name__)
    workers = RPC_WORKERS + EVENT_WORKERS + count_workers(service_class)
    container = ServiceContainer(service_class, {"settings": settings, "max_workers": workers})
    ending = Event()

    def end(number: int, _frame: object) -> None:
        if ending.ready():
            os._exit(128 + number)
        ending.send(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)

    def start() -> None:
        _serve_metrics(container, settings.metrics_port)
        container.start()
        log.info("service_started", pid=os.getpid())

    starting = eventlet.spawn(start)
    # Whatever ends the container ends the process: its supervisor starts a fresh one.
    died = eventlet.spawn(container.wait)
    died.link(lambda _: None if ending.ready() else ending.send(None))
    starting.link(lambda thread: _report_failed_start(thread, ending))
    number = ending.wait()
    if number is None:
        log.error("service_died")
        return 1
    log.info("service_stopping", signal=signal.Signals(number).name)
    if container.started and starting.dead:
        container.stop()
    else:
        container.kill()
    tracing.end()
    log.info("service_stopped")
    return 0


def _report_failed_start(thread: Any, ending: Any) -> None:
    from services.common import logs

    try:
        thread.wait()
    except Exception as error:  # noqa: BLE001 - the last place that can tell
        logs.get_logger(__name__).error("service_not_started", reason=f"{type(error).__name__}: {error}", exc_info=True)
        if not ending.ready():
            ending.send(None)


def _serve_metrics(container: Any, port: int) -> None:
    if not port:
        return
    import eventlet
    from eventlet import wsgi

    from services.common.metrics import make_app
    from services.common.service import Health

    health = next(provider for provider in container.dependencies if isinstance(provider, Health))
    log = logging.getLogger("metrics")
    listener = eventlet.listen((os.environ.get("FOYER_METRICS_HOST", "127.0.0.1"), port))
    container.spawn_managed_thread(
        lambda: wsgi.server(listener, make_app(health.check, health.hanging), log=log, log_output=False), identifier="metrics"
    )
