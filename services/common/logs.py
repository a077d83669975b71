"""Structured logs: one JSON object a line on standard output, each with the request it belongs to."""

import contextlib
import io
import logging
import os
import socket
import sys
import threading
from contextvars import ContextVar
from types import TracebackType
from typing import TextIO, cast

import structlog

from services.common.redaction import redact

_NAME = "logger_name"  # structlog's own functions take `logger` for something else

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)
# Which of a process's replicas this is: in a container the host name is what `docker ps` and `kubectl get pods` show.
INSTANCE = f"{socket.gethostname()}:{os.getpid()}"


def configure(*, level: str, form: str, process: str) -> None:
    """Send structlog's and the standard library's records the same way; `form` is json or console."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        _redacted,  # before what is ours is added: a look at each of its values too would cost as much as all else
        _context_of(process),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    output = cast("TextIO", _Output())
    # Ours are written at once: by way of the standard library's records a line costs twice as much, and each request writes one.
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=structlog.WriteLoggerFactory(output),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # The framework logs message bodies at DEBUG, and each domain error as a warning with its traceback.
    for noisy in ("nameko", "amqp", "kombu", "pymongo"):
        logging.getLogger(noisy).setLevel(max(logging.INFO, logging.getLevelName(level)))
    logging.getLogger("nameko.containers").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    sys.excepthook = report_uncaught
    threading.excepthook = lambda args: report_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


class _Output(io.TextIOBase):
    """Standard output, for lines that disturb nobody when they can't be written."""

    def write(self, text: str) -> int:
        """All of it, or nothing that could be helped."""
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()
        return len(text)


def report_uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    """Log what ended a thread, where Python and the frameworks would print it."""
    if error is not None and not issubclass(kind, SystemExit | KeyboardInterrupt):
        get_logger(__name__).error("uncaught_exception", exc_info=(kind, error, traceback))


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a module."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(**{_NAME: name})
    return logger


def _redacted(_: object, __: str, record: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Whatever a log line holds, the exception's text included: neither documents nor access tokens."""
    for name, value in record.items():
        if isinstance(value, str | BaseException):
            record[name] = redact(str(value))
    return record


def _context_of(process: str) -> structlog.typing.Processor:
    def add(_: object, __: str, record: structlog.typing.EventDict) -> structlog.typing.EventDict:
        record["process"] = process
        if _NAME in record:
            record["logger"] = record.pop(_NAME)
        current = request_id.get()
        if current is not None:
            record.setdefault("request_id", current)
        traced = trace_id.get()
        if traced is not None:
            record.setdefault("trace_id", traced)
        return record

    return add
